"""Whoever holds the signing key and plants a fault: all hashes, roots, leaves, proofs and signatures are made anew upon
it, so that what records say of each other is all that is left to show it."""
import base64, json
from collections import Counter

from bundle_form import KINDS, digest, leaf, root, roots, sha
from bundle_records import DETERMINED
from verify import text_name
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


class Forger:
    def __init__(self, pem):
        self.key = load_pem_private_key(pem, None)
        public = self.key.public_key()
        self.raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = sha(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hex()[:16]

    def forge(self, random, document, plant):
        """The document with a fault, signed. None where it has none after all."""
        before = json.dumps(document)
        statement = json.loads(base64.b64decode(document["statement"]["payload"]))
        hashes = [leaf(one) for one in named(document)]
        if not plant(random, document, statement["predicate"]) and json.dumps(document) == before:
            return None
        if len(list(named(document))) == len(hashes):
            document = self.follow(document, hashes)
        self.sign(document, statement)
        return document

    def follow(self, document, hashes):
        """Whatever named a record by its hash names it by the new one."""
        for _ in range(200):
            for step in steps(document):
                step["determinism_hash"] = digest({name: step[name] for name in DETERMINED})
            for place, one in enumerate(named(document)):
                now = leaf(one)
                if now != hashes[place]:
                    text = json.dumps(document).replace(hashes[place], now)
                    document, hashes[place] = json.loads(text), now
                    break
            else:
                break
        return document

    def sign(self, document, statement):
        stated = statement["predicate"]
        sealed, after, proofs = document["records"]["sealed"], document["records"]["after"], document["proofs"]
        contents = document["contents"]
        hashes = {kind: list(map(leaf, sealed[kind])) for kind in KINDS}
        proofs["roots"] = roots(hashes, leaf(sealed["opened"]))
        counted = {"record_counts": {kind: len(hashes[kind]) for kind in KINDS},
                   "verdict_tally": dict(Counter(one["action"] for one in sealed["policy_decisions"]))}
        leaves = [(sealed["opened"], proofs["opened"])]
        if proofs["receipt"]:
            receipt = proofs["receipt"]["leaf"]
            receipt.update(counted, **covered(proofs["roots"]))
            leaves.append((receipt, proofs["receipt"]))
            late, head = {kind: [] for kind in KINDS}, leaf(receipt)
            for one in after["addenda"]:
                for kind, records in one["records"].items():
                    late[kind] += map(leaf, records)
                counts = {kind: len(late[kind]) for kind in KINDS}
                one["leaf"].update(covered(roots(late, head)), record_counts=counts, sealed_leaf=head)
                leaves.append((one["leaf"], one))
            if contents["erased"]:
                contents["erased"]["leaf"]["sealed_leaf"] = leaf(receipt)
                leaves.append((contents["erased"]["leaf"], contents["erased"]))
        for log, pairs in (("runs", leaves), ("audit", list(zip(after["audit"], proofs["audit"])))):
            tree = [leaf(one) for one, _ in pairs]
            for index, (_, proof) in enumerate(pairs):
                proof.update(leaf_index=index, inclusion=path(index, tree))
            origin = proofs["checkpoints"][log].split("\n")[0]
            proofs["checkpoints"][log] = self.note(origin, len(tree), root(tree))
            after["as_of"][f"{log}_size"] = len(tree)
        stated.update(counted, sealed={**named_by_hash({name: sealed[name] for name in ("opened", "snapshot")}),
                                       "records": hashes},
                      after=named_by_hash(after), proofs=named_by_hash(proofs))
        texts = [text_name(contents["salt"], text) for text in contents["texts"]]
        stated["contents"].update(named_by_hash({name: contents[name] for name in ("erased", "salt")}), texts=texts)
        self.envelop(document, statement)

    def envelop(self, document, statement):
        envelope, records = document["statement"], document["records"]
        parts = records["sealed"], records["after"], document["proofs"], document["contents"]
        for subject, part in zip(statement["subject"], parts):
            subject["digest"]["sha256"] = digest(part)
        payload, form = json.dumps(statement).encode(), envelope["payloadType"].encode()
        made = self.key.sign(b"DSSEv1 %d %s %d %s" % (len(form), form, len(payload), payload))
        signatures = [{"keyid": self.id, "sig": base64.b64encode(made).decode()}]
        envelope.update(payload=base64.b64encode(payload).decode(), signatures=signatures)

    def unread(self, random, document):
        """A record that the statement has a null for, as for one that could not be read; it may be there all the same."""
        statement = json.loads(base64.b64decode(document["statement"]["payload"]))
        listed = statement["predicate"]["sealed"]["records"]
        kind = random.choice([kind for kind in listed if listed[kind]])
        place = random.randrange(len(listed[kind]))
        if random.random() < 0.3:
            listed[kind].insert(place, None)
        else:
            listed[kind][place] = None
            if random.random() < 0.7:
                del document["records"]["sealed"][kind][place]
        self.envelop(document, statement)
        return document

    def note(self, origin, size, root):
        text = f"{origin}\n{size}\n{base64.b64encode(bytes.fromhex(root)).decode()}\n"
        name = sha(origin.encode(), b"\n\1", self.raw)[:4]
        return f"{text}\n\u2014 {origin} {base64.b64encode(name + self.key.sign(text.encode())).decode()}\n"


def covered(of):
    return {name: of[name] for name in ("root_hash", "chain_head", "records_root")}


def named_by_hash(part):
    """As the manifest names the pieces of a part."""
    def hashed(one):
        return list(map(leaf, one)) if isinstance(one, list) else one and leaf(one)
    return {name: hashed(one) for name, one in part.items()}


def steps(document):
    late = [step for one in document["records"]["after"]["addenda"] for step in one["records"]["steps"]]
    return document["records"]["sealed"]["steps"] + late


def named(document):
    """What others may name by its hash."""
    sealed = document["records"]["sealed"]
    yield sealed["opened"]
    for kind in (kind for kind in sealed if isinstance(sealed[kind], list)):
        yield from sealed[kind]
    for one in document["records"]["after"]["addenda"]:
        for records in one["records"].values():
            yield from records


def path(index, tree):
    """RFC 9162, 2.1.3.1."""
    if len(tree) < 2:
        return []
    half = 1 << (len(tree) - 1).bit_length() - 1
    if index < half:
        return [*path(index, tree[:half]), root(tree[half:])]
    return [*path(index - half, tree[half:]), root(tree[:half])]


# Faults.

def plant(random, document, stated):
    """One fault, which keeps every value of its type where it can. True where it is in the statement alone."""
    sealed, after, proofs = document["records"]["sealed"], document["records"]["after"], document["proofs"]
    late = [one["records"] for one in after["addenda"]]
    kinds = [(records, kind) for records in [sealed, *late] for kind in KINDS if records.get(kind)]
    if random.random() < 0.12:
        records, kind = random.choice(kinds)
        one = records[kind].pop(random.randrange(len(records[kind])))
        for place, other in enumerate(records[kind] if random.random() < 0.7 else ()):
            if kind != "steps" and "seq" in other and other["seq"] is not None and other["seq"] > one["seq"]:
                other["seq"] -= 1
        return
    if random.random() < 0.15:
        return plant_in_contents(random, document, stated)
    records, kind = random.choice(kinds + [(sealed, "steps"), (sealed, "policy_decisions")] * 3)
    places = [random.choice(records[kind] or [sealed["opened"]])] * 6
    places += [after["run"], after["as_of"], sealed["opened"], stated, *after["audit"]]
    places += [one["leaf"] for one in after["addenda"]]
    places += [proofs["receipt"]["leaf"]] * 2 if proofs["receipt"] else []
    places += [after["run"]["late"]] if after["run"]["late"] else []
    one = random.choice(places)
    name = random.choice([name for name in one if name != "type" and not isinstance(one[name], (dict, list))])
    others = [step[name] for step in steps(document) if name in step]
    value = one[name]
    if name in WORDS:
        one[name] = random.choice(WORDS[name])
    elif random.random() < 0.3 and others:
        one[name] = random.choice(others)
    elif name.endswith(("_id", "_hash", "_note", "_status")) and random.random() < 0.3 and one is not stated:
        one[name] = None
    elif isinstance(value, bool):
        one[name] = not value
    elif isinstance(value, int):
        one[name] = max(0, value + random.choice([-1, 1, 1, 3]))
    elif name == "run_after":
        one[name] = value.replace(":0", ":1", 1)
    elif name.endswith("_at") or name == "produced_at":
        one[name] = value and random.choice([value[:3] + "7" + value[4:], value[:3] + "5" + value[4:], value[:-1]])
    elif isinstance(value, str) and value:
        one[name] = value[:-1] + ("0" if value[-1] != "0" else "1")


def plant_in_contents(random, document, stated):
    """One fault in what is kept of the texts. Whether it is one, though the document is as it was."""
    contents = document["contents"]
    texts, erased = contents["texts"], contents["erased"]
    names = [step[name] for step in steps(document) for name in ("params", "prompt", "response") if step[name]]
    ways = {
        "missing": lambda: stated["contents"]["missing"].append({"first_record": random.choice([None, 3]), "why": "body: x"}),
        "drop": lambda: texts.pop(random.randrange(len(texts))),
        "change": lambda: texts.append(texts.pop() + "x"),
        "add": lambda: texts.append("nobody said this"),
        "salt": lambda: contents.update(salt="0" * 64),
        "length": lambda: random.choice(names).update(length=1),
        "name": lambda: random.choice(names).update(hash="1" * 64),
        "erased": lambda: erased["leaf"].update(random.choice([{"run_id": "run_x"}, {"erased_at": "2020" + erased["leaf"]["erased_at"][4:]},
                                                               {"text_count": 7}, {"reason": ""}])),
        "kept": lambda: contents.update(salt="0" * 64, texts=["still here"]),
    }
    way = random.choice([*(["drop", "change", "add", "salt"] if texts else []), *(["length", "name"] if names else []),
                         *(["erased", "kept"] if erased else []), "missing"])
    ways[way]()
    return way == "missing"  # which is in the statement alone


WORDS = {
    "action": ["ALLOW", "WARN", "BLOCK", "STOP", "KILL", "ABORT"],
    "asked": ["BEFORE", "AFTER"],
    "assurance": ["ENFORCED", "RECORDED", "REPORTED"],
    "completeness": ["SEALED", "OPEN"],
    "evidence_class": ["A", "B", "G", "H"],
    "grade": ["PASS", "WARN", "FAIL"],
    "kind": ["LLM_CALL", "TOOL_CALL", "RETRIEVAL", "HTTP_CALL", "OTHER"],
    "moment": ["RUN_START", "STEP_PRE", "STEP_POST", "STEP_PRE_POST"],
    "overridden_by": ["ana", None],
    "permit_note": ["permit_unknown", None],
    "reported_status": ["SUCCESS", "FAILURE", None],
    "status": ["SUCCESS", "FAILURE", "REFUSED", "SUCCEEDED", "FAILED", "RUNNING", "HALTED"],
}
