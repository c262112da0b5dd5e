"""Compares docs/examples/verify.py with `hoc verify`, for the test `second_verifier`.

    compare.py FOLDER PUBLIC_KEYS SIGNING_KEY HOC

By their words and exit codes, of every bundle in the folder, of 400 that are damaged, and of 200 with a fault that is
signed. Of 60 that are signed with nulls for records, which nothing explains, neither says that they are whole. The dice are thrown alike in each run. And every good bundle is valid under docs/bundle.schema.json, and
of no other that it refuses does `hoc verify` say that it is whole.
"""
import base64, concurrent.futures, gzip, json, os, pathlib, random, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[5]
sys.path.insert(0, str(ROOT / "docs/examples"))
import damage, forge, verify  # noqa: E402

GOOD, DAMAGED, FORGED, UNREAD, SEED = 200, 400, 200, 60, 20261128


def ours(data, keys):
    try:
        word, found = verify.verify(data, keys)
    except verify.NotABundle as why:
        return ("", 1), [str(why)]
    return (word, verify.EXIT[word]), found


def theirs(hoc, file, key):
    ran = subprocess.run([hoc, "verify", file, "--key", key], capture_output=True, text=True, encoding="utf-8")
    return (ran.stdout.splitlines()[-1] if ran.stdout else "", ran.returncode), ran.stdout + ran.stderr


def cases(good, signing):
    """Each with what was done to it."""
    for data in good:
        yield "good", data
    dice = random.Random(SEED)
    for _ in range(DAMAGED):
        data = dice.choice(good)
        how, bent = damage.damaged(dice, data)
        while bent == data:
            how, bent = damage.damaged(dice, data)
        yield how, bent
    # Which late steps of a trace count, only `hoc verify` asks to the end.
    forger = forge.Forger(pathlib.Path(signing).read_bytes())
    plain = [data for data in good if b'"external_span_id":"' not in data or b'"hoc/run-addendum/v1"' not in data]
    for _ in range(FORGED):
        document = None
        while document is None:
            document = forger.forge(dice, json.loads(dice.choice(plain)), forge.plant)
        yield "forged", json.dumps(document).encode()
    for _ in range(UNREAD):
        yield "unread", json.dumps(forger.unread(dice, json.loads(dice.choice(plain)))).encode()


def compare(folder, key, signing, hoc):
    keys = verify.read_keys(pathlib.Path(key).read_text("utf-8"))
    good = [file.read_bytes() for file in sorted(pathlib.Path(folder).glob("*.json"))]
    schema = schema_holds(good)
    with tempfile.TemporaryDirectory() as at, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        made = []
        for number, (how, data) in enumerate(cases(good, signing)):
            file = pathlib.Path(at) / f"{number}.json"
            file.write_bytes(data)
            made.append((how, data, file, pool.submit(theirs, hoc, file, key)))
        differ, words, refused = [], {}, 0
        for how, data, file, run in made:
            (mine, found), (other, said) = ours(data, keys), run.result()
            counted = words.setdefault(how, {})
            counted[mine[0] or "no bundle"] = counted.get(mine[0] or "no bundle", 0) + 1
            is_same = mine == other or (how == "unread" and {mine[0], other[0]} == {"TRUNCATED", "TAMPERED"})
            if not is_same or (how == "good" and mine[0] not in ("COMPLETE", "OPEN")) or (
                    how == "unread" and mine[0] not in ("TRUNCATED", "TAMPERED")):
                differ.append(f"{file.name}, {how}: {mine} here, {other} there\n{found[:5]}\n{said[-600:]}")
            # Validity is slow to ask for: of all that are whole, and of some that are not, which show that it can be refused.
            if other[0] in ("COMPLETE", "OPEN") and how != "good" and not is_valid(schema, data):
                differ.append(f"{file.name}, {how}: {other} there, and the schema refuses it")
            refused += how == "member" and not is_valid(schema, data)
            # The program itself, as somebody would call it, with the file and with the file packed.
            if file.stem.endswith("00"):
                packed = file.with_suffix(".json.gz")
                packed.write_bytes(gzip.compress(data))
                for given in (file, packed):
                    call = [sys.executable, verify.__file__, given, "--key", key]
                    ran = subprocess.run(call, capture_output=True, text=True)
                    if (ran.stdout.splitlines()[-1:], ran.returncode) != ([mine[0]] if mine[0] else [], mine[1]):
                        differ.append(f"{given.name} by the program: {ran}")
        # A MiB more than a small file may unpack to. As many members, which gzip allows, it is packed in no time.
        bomb = pathlib.Path(at) / "bomb.json.gz"
        bomb.write_bytes(gzip.compress(b" " * (1 << 20)) * ((verify.LITTLE >> 20) + 1))
        for call in ([hoc, "verify"], [sys.executable, verify.__file__]):
            ran = subprocess.run([*call, bomb, "--key", key], capture_output=True, text=True)
            if ran.returncode != 1 or f"longer than {verify.LITTLE >> 20} MiB" not in ran.stderr:
                differ.append(f"a bomb: {ran}")
    print(f"{len(good)} good, {DAMAGED} damaged, {FORGED} forged, {len(differ)} differ: {json.dumps(words)}")
    if refused < DAMAGED // 40:
        differ.append(f"the schema refuses {refused} of those that lack a member, or have another")
    if len(good) < GOOD or differ:
        raise SystemExit("\n".join(differ) or f"{len(good)} bundles are too few")


def schema_holds(good):
    """Every bundle is valid under docs/bundle.schema.json, to a validator that is not ours; gives that."""
    import jsonschema
    schema = json.loads((ROOT / "docs/bundle.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    statement = jsonschema.Draft202012Validator({**schema, "$ref": "#/$defs/Statement"})
    after = jsonschema.Draft202012Validator({**schema, "$ref": "#/$defs/RunAfter"})
    for data in good:
        document = json.loads(data)
        validator.validate(document)
        statement.validate(json.loads(base64.b64decode(document["statement"]["payload"])))
        for step in document["records"]["sealed"]["steps"]:
            after.validate(json.loads(step["run_after"]))
    return validator


def is_valid(schema, data):
    """Whether it is a bundle to the schema; what is no JSON is none."""
    try:
        return schema.is_valid(json.loads(data))
    except ValueError:
        return False


if __name__ == "__main__":
    compare(*sys.argv[1:])
