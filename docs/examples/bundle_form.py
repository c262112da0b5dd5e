"""The form of a bundle: bytes, hashes, trees, and the types of docs/bundle.schema.json. For verify.py."""
import datetime, hashlib, json, pathlib, re

TYPES = json.loads(pathlib.Path(__file__).parent.with_name("bundle.schema.json").read_text("utf-8"))["$defs"]
KINDS = TYPES["RecordKind"]["enum"]  # in their order
MOST = 2**53


class Wrong(Exception):
    """What is there is not as it must be."""


# Rule 1: bytes.

def parse(text):
    def members(pairs):
        if len(dict(pairs)) < len(pairs):
            raise Wrong("a member is there twice")
        return dict(pairs)

    def integer(digits):
        if digits == "-0" or len(digits) > 17 or abs(int(digits)) > MOST:
            raise Wrong(f"{digits:.20} is no integer of a bundle")
        return int(digits)

    def other(number):
        raise Wrong(f"{number:.20} is no integer")
    try:
        value = json.loads(text, object_pairs_hook=members, parse_int=integer, parse_float=other, parse_constant=other)
        canonical(value)  # half of a surrogate pair has no bytes
        if depth(value) > 64:
            raise Wrong("it nests more than 64 deep")
    except (ValueError, RecursionError) as why:
        raise Wrong(str(why)) from None
    return value


def depth(value):
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth, inner), default=0) if isinstance(value, (dict, list)) else 0


def canonical(value):
    """RFC 8785. Names of members are ASCII, whose order by characters is that by UTF-16."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


# Rule 2: hashes.

def sha(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


def digest(value):
    return sha(canonical(value)).hex()


def leaf(value):
    return sha(b"\0", canonical(value)).hex()


def root(hashes):
    row = [bytes.fromhex(one) for one in hashes] or [sha()]
    while len(row) > 1:
        row = [sha(b"\1", *row[at:at + 2]) if at + 1 < len(row) else row[at] for at in range(0, len(row), 2)]
    return row[0].hex()


def roots(hashes, before, stated=None):
    """`proofs.roots` for the hashes of each kind; `before` is what the first step names. Where there is a null in place
    of a hash, what would be computed of it is as it is `stated`."""
    told = {one["kind"]: one["root"] for one in stated["kinds"]} if stated else {}
    tops = {kind: told.get(kind) if None in hashes[kind] else root(hashes[kind]) for kind in KINDS}
    kinds = [{"kind": kind, "count": len(hashes[kind]), "root": tops[kind]} for kind in KINDS]
    head = [before, *hashes["steps"]][-1]
    return {"root_hash": tops["steps"], "chain_head": stated["chain_head"] if stated and head is None else head,
            "kinds": kinds, "records_root": root(map(leaf, kinds))}


def included(hash, proof, head):
    """RFC 9162, 2.1.3.2."""
    at, last, now = proof["leaf_index"], head["size"] - 1, bytes.fromhex(hash)
    if at > last:
        return False
    for one in map(bytes.fromhex, proof["inclusion"]):
        if last == 0:
            return False
        if at % 2 or at == last:
            now = sha(b"\1", one, now)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            now = sha(b"\1", now, one)
        at, last = at >> 1, last >> 1
    return last == 0 and now == head["root"]


# Rule 3: types.

def fits(value, schema, at="the document"):
    """So much of JSON Schema as docs/bundle.schema.json needs, and the days that there are."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        fits(value, TYPES[name], at)
        if name == "time":
            try:
                datetime.date(int(value[:4]) or 2000, int(value[5:7]), int(value[8:10]))
            except ValueError:
                raise Wrong(f"{at}: there is no day {value}") from None
    elif "anyOf" in schema:
        if value is not None:
            fits(value, schema["anyOf"][0], at)
    elif "const" in schema or "enum" in schema:
        if value not in schema.get("enum", [schema.get("const")]):
            raise Wrong(f"{at} is {value!r:.60}")
    else:
        known = {"string": str, "boolean": bool, "integer": int, "array": list, "object": dict}[schema["type"]]
        if type(value) is not known:
            raise Wrong(f"{at} is no {schema['type']}")
        if known is int and not schema["minimum"] <= value <= schema["maximum"]:
            raise Wrong(f"{at} is {value}")
        if known is str and not re.fullmatch(schema.get("pattern", "(?s:.*)").strip("^$"), value):
            raise Wrong(f"{at} is {value!r:.60}")
        for place, one in enumerate(value if known is list else ()):
            fits(one, schema["items"], f"{at}/{place}")
        for name in schema.get("required", ()):
            if name not in value:
                raise Wrong(f"{at} has no {name}")
        for name, one in value.items() if known is dict else ():
            of = schema.get("properties", {}).get(name, schema["additionalProperties"])
            if of is False:
                raise Wrong(f"{at} has a member {name!r:.60}")
            fits(name, schema.get("propertyNames", {"enum": [name]}), at)
            fits(one, of, f"{at}/{name}")
