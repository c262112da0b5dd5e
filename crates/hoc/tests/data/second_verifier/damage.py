"""What may happen to a bundle in the wrong hands, by the throw of dice: damage by somebody who has no key."""
import base64, copy, json

import bundle_form


def walk(value, path=()):
    yield path, value
    for name, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from walk(one, (*path, name))


def at(value, path):
    for name in path:
        value = value[name]
    return value


def pick(random, document, of, least=0):
    """A place in the document: half of them among the records, the others anywhere."""
    places = [(path, one) for path, one in walk(document) if of(path, one)]
    near = [place for place in places if "sealed" in place[0]]
    return random.choice(near if near and random.random() < 0.5 else places)


def flip(random, document):
    path, one = pick(random, document, lambda path, one: path and not isinstance(one, (dict, list)))
    other = {bool: lambda: not one, int: lambda: random.choice([one + 1, 0, -1, 2**60, one + 0.5, str(one)]),
             str: lambda: one[:-1] + chr(ord(one[-1]) ^ 1) if one else "x", type(None): lambda: "x"}[type(one)]()
    at(document, path[:-1])[path[-1]] = other


def lists(path, one):
    return isinstance(one, list) and one


def drop(random, document):
    path, one = pick(random, document, lists)
    del one[random.randrange(len(one))]


def swap(random, document):
    path, one = pick(random, document, lambda path, one: lists(path, one) and len(one) > 1)
    place = random.randrange(len(one) - 1)
    one[place], one[place + 1] = one[place + 1], one[place]


def repeat(random, document):
    path, one = pick(random, document, lists)
    one.insert(random.randrange(len(one) + 1), copy.deepcopy(random.choice(one)))


def empty(random, document):
    """Takes away whole lists, the receipt, or both."""
    for _ in range(random.randint(1, 3)):
        pick(random, document, lists)[1].clear()
    if random.random() < 0.5:
        document["proofs"].pop("receipt", None)


def member(random, document):
    path, one = pick(random, document, lambda path, one: isinstance(one, dict) and one)
    name = random.choice(list(one))
    if random.random() < 0.5:
        del one[name]
    else:
        one["extra" if random.random() < 0.5 else name.upper()] = one[name]


def signature(random, document):
    envelope = document["statement"]
    name = random.choice(["sig", "keyid", "payload", "payloadType", "both", "none", "twice"])
    if not envelope["signatures"]:
        return
    if name in ("sig", "keyid", "both"):
        for each in ("sig", "keyid") if name == "both" else (name,):
            text = envelope["signatures"][0][each]
            place = random.randrange(len(text) - 3)
            envelope["signatures"][0][each] = text[:place] + ("b" if text[place] == "a" else "a") + text[place + 1:]
    elif name == "none":
        envelope["signatures"] = []
    elif name == "twice":
        envelope["signatures"] *= 2
    else:
        envelope[name] = envelope[name][:-4] + random.choice(["", "AAA=", "AAB=", " AAAA", "x"])


def checkpoint(random, document):
    log = random.choice(["runs", "audit"])
    note = document["proofs"]["checkpoints"][log]
    bent = [note + note.rpartition("\n\n")[2], note.replace("/0\n", "/00\n"), note[1:], note.replace("\n\n", "\nx\n\n")]
    document["proofs"]["checkpoints"][log] = random.choice(bent)


def rehash(random, document):
    """Changes a record and all that depends on it, but the signatures: what somebody without the key can do."""
    flip(random, document)
    sealed, envelope = document["records"]["sealed"], document["statement"]
    try:
        statement = json.loads(base64.b64decode(envelope["payload"]))
        stated = statement["predicate"]
        hashes = {kind: [bundle_form.leaf(one) for one in sealed[kind]] for kind in bundle_form.KINDS}
        stated["sealed"]["records"] = hashes
        document["proofs"]["roots"] = bundle_form.roots(hashes, bundle_form.leaf(sealed["opened"]))
        stated["proofs"]["roots"] = bundle_form.leaf(document["proofs"]["roots"])
        for subject, part in zip(statement["subject"], (sealed, document["records"]["after"], document["proofs"])):
            subject["digest"]["sha256"] = bundle_form.digest(part)
        envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    except (TypeError, KeyError, ValueError):
        pass  # it was changed into something that has no hash


def text(random, data):
    """Damage to the file, and a file in other clothes."""
    place = random.randrange(len(data))
    value = json.loads(data)
    return random.choice([
        lambda: data[:place],
        lambda: data[:place % 60],
        lambda: data[:place] + b"\xff" + data[place + 1:],
        lambda: data[:place] + bytes([data[place] ^ 1 << random.randrange(7)]) + data[place + 1:],
        lambda: data[:place // 2] + data[place:],
        lambda: data + b"{}",
        lambda: b"\xef\xbb\xbf" + data,
        lambda: b" \n" + data,
        lambda: b"[" + data + b"]",
        lambda: b'{"a":' * 70 + data + b"}" * 70,
        lambda: data.decode().encode("utf-16"),
        lambda: json.dumps(value, indent=1).encode(),
        lambda: json.dumps(value, sort_keys=True, ensure_ascii=True).encode(),
        lambda: data.replace(b"{", b'{"format":1,', 1),
        lambda: data.replace(b"bundle/v1", b"bundle/v2", 1),
        lambda: b"",
    ])()


WAYS = [flip, flip, drop, drop, drop, swap, repeat, empty, member, signature, checkpoint, rehash, rehash, text]


def damaged(random, data):
    """What was done, and what it made of the bundle."""
    how = random.choice(WAYS)
    if how is text:
        return how.__name__, text(random, data)
    document = json.loads(data)
    for _ in range(random.choice([1, 1, 1, 2])):
        how(random, document)
    return how.__name__, json.dumps(document, ensure_ascii=random.random() < 0.5).encode()
