#!/usr/bin/env python3
"""A second verifier of run evidence bundles, written from docs/bundle.md. It shares no code with `hoc verify`.

    pip install cryptography
    python3 docs/examples/verify.py RUN.bundle.json --key hoc.pub        (`-` is standard input)

It reads a bundle that is packed by gzip too. One that is packed by zstd has to be unpacked first (`zstd -d`).

Its words and exit codes are those of `hoc verify`. Numbers beside the checks are those of the page. It makes no decision
again (`hoc verify --reexecute`), and from a late step on that does not count it takes late steps at their word. Of a bundle whose maker
could not read all records it says so, and looks at nothing below its manifest.

The form of a bundle is in bundle_form.py, what its records say of each other in bundle_records.py, and which steps of a
trace count in bundle_tally.py.
"""
import argparse, base64, gzip, io, json, pathlib, re, sys, zlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from bundle_form import KINDS, TYPES, Wrong, digest, fits, included, leaf, parse, roots, sha
from bundle_records import Records, of

EXIT = {"COMPLETE": 0, "OPEN": 3, "TRUNCATED": 4, "TAMPERED": 5, "WRONG_KEY": 6}
TYPE_OF = {"payloadType": "application/vnd.in-toto+json", "_type": "https://in-toto.io/Statement/v1",
           "predicateType": "urn:hoc:run-evidence-manifest:v1"}
# Of a checkpoint: origin, size and root, each a line. Of a line below: the name, and what is in base64.
NOTE = re.compile(r"[^\x00-\x1f]+/[^\x00-\x1f/]+/(runs|audit)/(0|[1-9]\d*)\n(0|[1-9]\d*)\n[^\x00-\x1f]+", re.ASCII)
# A few kilobytes may unpack to more than there is memory: a packed file may unpack to so many times its length, to
# LITTLE however short it is, and never to more than MOST.
TIMES, LITTLE, MOST = 512, 256 << 20, 2048 << 20
SIGNATURE = re.compile(r"\u2014 ([^\s+\x00-\x1f\x7f-\x9f]+) (\S+)")


class NotABundle(Exception):
    """No verdict: the caller's error."""


# Keys and signatures.

def read_keys(text):
    """PEM, one or more; or the JSON of /.well-known/hoc/keys. Gives the keys by their ids."""
    if text.lstrip().startswith("{"):
        text = "".join(key["public_key"] for key in json.loads(text)["keys"])
    blocks = re.findall("-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", text, re.S)
    keys = [load_pem_public_key(block.encode()) for block in blocks]
    return {sha(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hex()[:16]: key for key in keys}


def signed(key, signature, message):
    try:
        key.verify(signature, message)
        return True
    except InvalidSignature:
        return False


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise Wrong("base64 with bits that are left over")
    return data


def open_statement(envelope, keys):
    """None and the statement that a given key signed; or the word, and why [2]."""
    if len(envelope["signatures"]) != 1:
        raise Wrong(f"{len(envelope['signatures'])} signatures")
    [signature] = envelope["signatures"]
    payload, made, form = unbase64(envelope["payload"]), unbase64(signature["sig"]), envelope["payloadType"].encode()
    message = b"DSSEv1 %d %s %d %s" % (len(form), form, len(payload), payload)
    signers = [id for id, key in keys.items() if signed(key, made, message)]
    if not signers and signature["keyid"] not in keys:
        return "WRONG_KEY", f"it names key {signature['keyid']}, and what was given is {', '.join(keys)}"
    if signers != [signature["keyid"]]:
        raise Wrong("the key that it names did not make the signature")
    statement = parse(payload.decode())
    fits(statement, TYPES["Statement"], "the statement")
    if of(TYPE_OF, {**envelope, **statement}) != TYPE_OF:
        raise Wrong("the statement is of another type")
    return None, statement


def open_checkpoint(note, keys):
    """Whose log a signed note is of, its size and its root [13]."""
    text, _, lines = note.rpartition("\n\n")
    lines = lines.split("\n")
    if not NOTE.fullmatch(text) or lines.pop() or not 1 <= len(lines) <= 100:
        raise Wrong("a checkpoint is no note of three lines")
    origin, size, top = text.split("\n")
    names = {sha(origin.encode(), b"\n\1", key.public_bytes(Encoding.Raw, PublicFormat.Raw))[:4]: key for key in keys}
    made = []
    for line in map(SIGNATURE.fullmatch, lines):
        signature = unbase64(line[2]) if line else b""
        if len(signature) < 5:
            raise Wrong("a signature line of a checkpoint is malformed")
        if line[1] == origin and signature[:4] in names:
            made.append(signed(names[signature[:4]], signature[4:], text.encode() + b"\n"))
    if not made or not all(made) or len(unbase64(top)) != 32:
        raise Wrong(f"no given key has signed the checkpoint of {origin}, or one falsely")
    installation, tenant, log, _ = origin.rsplit("/", 3)
    return {"installation": installation, "of": (tenant, log), "size": int(size), "root": unbase64(top)}


def text_name(salt, text):
    """How a record names a text."""
    return sha(b"\2", bytes.fromhex(salt), text.encode()).hex()


class Verification(Records):
    """Checks 3 to 17, of a document whose statement a given key has signed."""

    def __init__(self, document, statement, keys):
        super().__init__()
        self.proofs, records = document["proofs"], document["records"]
        self.contents, self.erased = document["contents"], document["contents"]["erased"]
        self.sealed, self.after = records["sealed"], records["after"]
        self.statement, self.manifest, self.keys = statement, statement["predicate"], keys
        self.listed = {kind: self.manifest["sealed"]["records"].get(kind, []) for kind in KINDS}
        self.receipt, self.is_sealed = self.proofs["receipt"], self.manifest["completeness"] == "SEALED"
        self.found = []

    def expect(self, holds, why, word="TAMPERED"):
        if not holds:
            self.found.append((word, f"{self.check}: {why}"))

    def expect_number(self, what, stated, there):
        word = "TRUNCATED" if stated > there else "TAMPERED"
        self.expect(stated == there, f"{what} is {stated}, and {there} are listed", word)

    def verify(self):
        for self.check in ("manifest", "parts", "identity", "chain", "places", "links", "counts", "roots", "receipt",
                           "addenda", "contents", "checkpoints", "run_log", "audit", "as_of"):
            try:
                getattr(self, "check_" + self.check)()
            except (ValueError, Wrong) as why:
                self.expect(False, str(why))
            except (LookupError, TypeError, AttributeError) as why:  # what no check knows what to make of
                self.expect(False, f"it cannot be checked: {why!r}")
            if self.check == "manifest" and self.manifest["missing"]:
                break  # of what whoever made it could not read, nothing below is known
            if self.check in ("manifest", "checkpoints") and any(word == "TAMPERED" for word, _ in self.found):
                break  # what follows builds on it, and the word is found

    def check_manifest(self):  # 3
        stated = self.manifest
        lost = [f"{one['run_id']}/{one['first_record']}" if "run_id" in one else str(one["first_record"]) for one in stated["missing"]]
        self.expect(not lost, f"whoever made it could not read the segments {', '.join(lost)}", "TRUNCATED")
        unread = ["salt" if one["first_record"] is None else str(one["first_record"]) for one in stated["contents"]["missing"]]
        self.expect(not unread, f"whoever made it could not read the texts at {', '.join(unread)}", "TRUNCATED")
        lists = [("sealed", kind, self.sealed[kind], self.listed[kind]) for kind in KINDS]
        for part, there, names in (("sealed", self.sealed, ("opened", "snapshot")),
                                   ("after", self.after, ("run", "as_of", "incidents", "audit", "addenda")),
                                   ("proofs", self.proofs, ("roots", "opened", "checkpoints", "receipt", "audit"))):
            for name in names:
                both = (there[name], stated[part][name])
                lists.append((part, name, *(one if isinstance(one, list) else [one] * (one is not None) for one in both)))
        self.placed, self.missing = {}, set()
        for part, name, present, hashes in lists:
            places, at = [], -1
            for one in map(leaf, present):
                try:
                    at = hashes.index(one, at + 1)
                except ValueError:
                    raise Wrong(f"one of {part}/{name} is not what was signed, or not in its place") from None
                places.append(at)
            self.placed[part, name] = places
            if len(places) < len(hashes):
                self.expect(False, f"{len(hashes) - len(places)} are missing from {part}/{name}", "TRUNCATED")
                self.missing.add((part, name))
                if len(places) < len(hashes) - hashes.count(None):  # what is null was not there to be hashed
                    self.missing.add(part)
        salt, texts, listed = self.contents["salt"], self.contents["texts"], stated["contents"]
        if (leaf(salt) if salt else None) != listed["salt"] or (texts and not salt):
            raise Wrong("the salt is not what was signed")
        names, rest = [text_name(salt, text) for text in texts], iter(listed["texts"])
        if not all(name in rest for name in names):  # each is looked for behind the one before
            raise Wrong("one of contents/texts is not what was signed, or not in its place")
        if (leaf(self.erased) if self.erased else None) != listed["erased"]:
            if self.erased:
                raise Wrong("contents/erased is not what was signed")
            self.missing.add("contents")
            self.expect(False, "contents/erased is missing", "TRUNCATED")
        if len(names) < len(listed["texts"]):
            self.missing.add("contents")
            self.expect(False, f"{len(listed['texts']) - len(names)} texts are missing", "TRUNCATED")

    def whole(self, kind):
        return ("sealed", kind) not in self.missing

    def check_parts(self):  # 4
        parts = {"records.sealed": self.sealed, "records.after": self.after, "proofs": self.proofs,
                 "contents": self.contents}
        subjects = self.statement["subject"]
        self.expect([one["name"] for one in subjects] == list(parts), "the statement is of other parts")
        for subject, (name, part) in zip(subjects, parts.items()):
            same = name.rpartition(".")[2] in self.missing or subject["digest"]["sha256"] == digest(part)
            self.expect(same, f"{name} is not what was signed")

    def check_identity(self):  # 5
        receipt = [self.receipt["leaf"]] if self.receipt else []
        records = [one for kind in KINDS for one in self.sealed[kind]]
        for one in [self.sealed["opened"], self.after["run"], *receipt, *records, *self.after["audit"]]:
            self.of_the_run(one)
        for one in self.sealed["run"] + self.sealed["steps"] + receipt:
            self.expect(one["trace_id"] == self.after["run"]["trace_id"], f"there is another trace, {one['trace_id']}")

    def check_chain(self):  # 6
        before = [self.manifest["sealed"]["opened"], *self.listed["steps"]]
        for step, place in zip(self.sealed["steps"], self.placed["sealed", "steps"]):
            follows = before[place] in (None, step["prev_hash"])  # behind a null it is not asked
            self.expect(follows, f"step {place} does not follow the one before it")

    def check_places(self):  # 7
        for kind in KINDS:
            for one, place in zip(self.sealed[kind], self.placed["sealed", kind]):
                self.in_place(kind, one, place)
        for row, place in zip(self.after["audit"], self.placed["after", "audit"]):
            word = "TRUNCATED" if (row["run_seq"] or 0) > place + 1 else "TAMPERED"
            self.expect(row["run_seq"] == place + 1, f"run_seq {row['run_seq']} at {place}", word)

    def check_roots(self):  # 10
        there = roots(self.listed, self.manifest["sealed"]["opened"], self.proofs["roots"])
        self.expect(self.proofs["roots"] == there, "the roots are others")

    def check_receipt(self):  # 11
        stated, listed = self.manifest, self.listed
        if not self.is_sealed:
            named = [stated["proofs"]["receipt"], stated["grade"], *listed["run"], *listed["integrity_evidence"]]
            self.expect(not any(named), "the statement says OPEN, and names what a sealed run has")
            return
        self.expect(len(listed["run"]) == 1, f"{len(listed['run'])} runs")
        self.expect(self.receipt, "the run is sealed, and its receipt is not there", "TRUNCATED")
        if not self.receipt:
            return
        receipt = self.receipt["leaf"]
        whole = of(("root_hash", "chain_head", "records_root"), self.proofs["roots"])
        whole |= of(("grade", "assurance"), stated) | {"snapshot_digest": self.sealed["snapshot"]["digest"]}
        for run in self.sealed["run"]:
            whole |= of(("status", "step_count", "refused_count"), run)
        for name, value in whole.items():
            self.expect(receipt[name] == value, f"it states another {name}")
        for name in ("record_counts", "verdict_tally"):
            counts = [{key: count for key, count in each[name].items() if count} for each in (receipt, stated)]
            self.expect(counts[0] == counts[1], f"it states another {name}")
        self.expect(receipt["status"] != "RUNNING", "the run goes on")
        steps = receipt["step_count"] + receipt["refused_count"]
        self.expect(steps == len(listed["steps"]), "it counts other steps")

    def check_contents(self):  # 17
        late = [step for one in self.after["addenda"] for step in one["records"]["steps"]]
        named, kept = {}, self.manifest["contents"]
        for step in [*self.sealed["steps"], *late]:
            for one in (step[name] for name in ("params", "outcome_data", "prompt", "response")):
                if one:
                    self.expect(named.setdefault(one["hash"], one["length"]) == one["length"], "a text has two lengths")
        if self.erased:
            self.of_the_run(self.erased["leaf"])
            self.expect(kept["salt"] is None and not kept["texts"], "there are texts that were erased")
            same = self.receipt and self.erased["leaf"]["sealed_leaf"] == leaf(self.receipt["leaf"])
            self.expect(same or ("proofs", "receipt") in self.missing, "what was erased is of another receipt")
            return
        for text in self.contents["texts"]:
            length = len(text.encode())
            self.expect(named.get(text_name(self.contents["salt"], text), length) == length, "a text is of another length")
        signed_names = set(kept["texts"])
        lost = [name for name in named if name not in signed_names]
        self.expect(not lost, f"{len(lost)} texts that steps name are missing", "TRUNCATED")
        strange = [name for name in kept["texts"] if name not in named]
        all_there = self.whole("steps") and ("after", "addenda") not in self.missing
        self.expect(not all_there or not strange, f"{len(strange)} texts are named by no step")

    def check_checkpoints(self):  # 13
        notes, heads = self.proofs["checkpoints"], {}
        for log in ("runs", "audit"):
            heads[log] = open_checkpoint(notes[log], self.keys.values())
            self.expect(heads[log]["of"] == (self.manifest["tenant_id"], log), f"{log} is of {heads[log]['of']}")
        self.expect(heads["runs"]["installation"] == heads["audit"]["installation"], "they are of two installations")
        self.heads = heads

    def check_run_log(self):  # 14
        later = [one for one in [self.receipt, *self.after["addenda"]] if one]
        self.in_log([(self.sealed["opened"], self.proofs["opened"]), *((one["leaf"], one) for one in later)], "runs")
        if self.erased:
            behind = [self.receipt] if self.receipt else []
            self.in_log([(one["leaf"], one) for one in [*behind, self.erased]], "runs")

    def in_log(self, leaves, log):
        before = -1
        for one, proof in leaves:
            index = proof["leaf_index"]
            self.expect(included(leaf(one), proof, self.heads[log]), f"the leaf at {index} is not in the log")
            self.expect(before < index, f"the leaf at {index} is in another order")
            before = index

    def check_audit(self):  # 15
        rows, proofs = self.after["audit"], {one["id"]: one for one in self.proofs["audit"]}
        if not self.missing & {("after", "audit"), ("proofs", "audit")}:
            self.expect([row["id"] for row in rows] == list(proofs), "the proofs are not one for each row")
            self.expect(len(proofs) == len(self.proofs["audit"]), "a row has two proofs")
        for row in rows:
            self.expect(row["id"] in proofs, f"the row {row['id']} has lost its proof", "TRUNCATED")
        self.in_log([(row, proofs[row["id"]]) for row in rows if row["id"] in proofs], "audit")
        times = [row["created_at"] for row in rows]
        self.expect(times == sorted(times), "time goes back in the Audit Ledger")

    def check_as_of(self):  # 16
        as_of, heads = self.after["as_of"], self.heads
        self.expect(all(as_of[f"{log}_size"] == heads[log]["size"] for log in heads), "the logs are of other sizes")
        self.expect(as_of["time"] == self.manifest["produced_at"], "there are two times of making")
        times = [self.sealed["opened"]["started_at"], *(row["created_at"] for row in self.after["audit"])]
        times += [one["leaf"]["added_at"] for one in self.after["addenda"]]
        times += [self.receipt["leaf"]["sealed_at"]] if self.receipt else []
        times += [self.erased["leaf"]["erased_at"]] if self.erased else []
        self.expect(as_of["time"] >= max(times), "it was made before what it tells of")


def verify(data, keys):
    """The word for a bundle, and what was found."""
    try:
        document = parse(data.decode())
        fits(document, TYPES["Bundle"])
    except (ValueError, Wrong) as why:  # 1
        members = (b'"format"', b'"records"', b'"proofs"', b'"statement"')
        named = b"hoc/run-evidence-bundle/" in data or sum(name in data for name in members) >= 2
        if not named or not data.lstrip(b" \t\n\f\r").startswith(b"{"):
            raise NotABundle(str(why)) from None
        return "TAMPERED", [f"format: {why}"]
    document["proofs"].setdefault("receipt", None)
    try:
        word, statement = open_statement(document["statement"], keys)
    except (ValueError, Wrong) as why:
        return "TAMPERED", [f"signature: {why}"]
    if word:
        return word, [f"signature: {statement}"]
    verification = Verification(document, statement, keys)
    verification.verify()
    words = {word for word, _ in verification.found}
    worst = next((word for word in ("TAMPERED", "TRUNCATED") if word in words), None)
    return worst or ("COMPLETE" if verification.is_sealed else "OPEN"), [why for _, why in verification.found]


def unpacked(data):
    """The bundle, whether it was packed or not."""
    if re.match(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", data):
        raise NotABundle("it is packed by zstd: unpack it first (`zstd -d`)")
    if not data.startswith(b"\x1f\x8b"):
        return data
    most = min(MOST, max(LITTLE, TIMES * len(data)))
    plain = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            while part := packed.read(1 << 20):
                plain += part
                if len(plain) > most:
                    raise NotABundle(f"it is longer than {most >> 20} MiB when unpacked: if you trust who made it, "
                                     "unpack it first (`gzip -d`)")
    except (EOFError, OSError, zlib.error) as why:
        raise NotABundle(f"it begins like gzip and does not unpack: {why}") from why
    return bytes(plain)


def main():
    args = argparse.ArgumentParser(description="Checks a run evidence bundle.")
    args.add_argument("bundle", help="the file; `-` is standard input")
    args.add_argument("--key", required=True, help="file of public keys, PEM or JSON as they are published")
    given = args.parse_args()
    try:
        keys = read_keys(pathlib.Path(given.key).read_text("utf-8"))
        data = sys.stdin.buffer.read() if given.bundle == "-" else pathlib.Path(given.bundle).read_bytes()
    except (OSError, ValueError, LookupError, TypeError, UnsupportedAlgorithm) as why:
        print(f"what is given cannot be read: {why}", file=sys.stderr)
        return 1
    try:
        word, found = verify(unpacked(data), keys)
    except NotABundle as why:
        print(f"this is no run evidence bundle: {why}", file=sys.stderr)
        return 1
    print("\n".join([*found, word]))
    return EXIT[word]


if __name__ == "__main__":
    sys.exit(main())
