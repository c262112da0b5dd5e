"""What schemathesis is told about the installation that it calls, and where it errs."""

import itertools
import json
import os
import re
import unicodedata

import jsonschema
import requests
import schemathesis
from schemathesis.core import NotSet
from schemathesis.generation import GenerationMode
from schemathesis.generation.hypothesis import builder
from schemathesis.generation.meta import ComponentKind

# {operationId or path: id}, of things that were made for this check.
IDS = json.loads(os.environ["HOC_IDS"])
KEY = {"Authorization": "Bearer " + os.environ["HOC_KEY"]}

# One combination of optional parameters of each size, as schemathesis says it makes: it makes all, 2^17 for the runs.
builder.combinations = lambda names, size: itertools.islice(itertools.combinations(names, size), 1)

CONTROL = re.compile("[\x00-\x1f\x7f]")


def is_positive(case, kind):
    """Whether that part of the call is meant to be one that the document allows."""
    info = case.meta.components.get(kind) if case.meta else None
    return info is not None and info.mode == GenerationMode.POSITIVE


def valid(operation, part, value):
    """By the schema as the document has it: schemathesis makes a bound on a text's length part of its pattern, where a
    pattern for any part of the text bounds nothing."""
    schema = {**part.definition["schema"], "components": operation.schema.raw_schema["components"]}
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).is_valid(value)


def read(text):
    """What a parameter's text may stand for."""
    yield text
    try:
        yield json.loads(text)
    except (TypeError, ValueError):
        return


def body_holds(case):
    bodies = [body for body in case.operation.body if body.media_type == case.media_type]
    return any(valid(case.operation, body, case.body) for body in bodies)


def hold(operation, parameters, given):
    """Whether every parameter that must be there is, and each that is there is one that the document allows."""
    return all(
        any(valid(operation, parameter, meant) for meant in read(given[parameter.name]))
        if parameter.name in given
        else not parameter.is_required
        for parameter in parameters
    )


def query_holds(case):
    # An empty list is not sent.
    given = {name: value for name, value in (case.query or {}).items() if value != []}
    known = {parameter.name for parameter in case.operation.query}
    repeated = any(isinstance(value, list) for value in given.values())
    return known.issuperset(given) and not repeated and hold(case.operation, case.operation.query, given)


def headers_hold(case):
    # The key is ours, whatever was made up.
    declared = [header for header in case.operation.headers if header.name.lower() != "authorization"]
    return hold(case.operation, declared, case.headers or {})


HOLDS = {
    ComponentKind.BODY: body_holds,
    ComponentKind.QUERY: query_holds,
    ComponentKind.HEADERS: headers_hold,
}


def is_of(case, kind):
    """Whether it is that part of the call that was made wrong, where a case of coverage says which one."""
    said = getattr(case.meta.phase.data, "parameter_location", None)
    return said is None or said == kind.value


def corrected(case):
    """What a call is meant to be, put right where it is something else.

    A text too long for a member that may be null as well comes out as null, and a number where a query wants a text is
    a text: neither breaks the document. What `allOf` adds to a schema is not seen by every good call.
    """
    mode, components = case.meta.generation.mode, case.meta.components
    if mode == GenerationMode.POSITIVE:
        kept = ComponentKind.BODY not in components or isinstance(case.body, NotSet) or body_holds(case)
        return mode if kept else GenerationMode.NEGATIVE
    broken = [kind for kind, info in components.items() if info.mode == GenerationMode.NEGATIVE]
    kept = broken and all(kind in HOLDS and is_of(case, kind) and HOLDS[kind](case) for kind in broken)
    return GenerationMode.POSITIVE if kept else mode


def composed(value):
    """The same with every text in Unicode's composed form, which no schema can ask for."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [composed(item) for item in value]
    if isinstance(value, dict):
        return {composed(name): composed(item) for name, item in value.items()}
    return value


@schemathesis.hook
def before_call(context, case, **kwargs):
    operation = case.operation
    if case.meta:
        case.meta.generation.mode = corrected(case)
    # No HTTP: it would not get as far as the API.
    case.headers = {name: CONTROL.sub("", value) for name, value in (case.headers or {}).items()}
    if case.meta and case.meta.generation.mode == GenerationMode.POSITIVE:
        case.body = composed(case.body)
    # Header and body may both say the key, and must say the same: no schema says that.
    if isinstance(case.body, dict) and case.body.get("idempotency_key") is not None:
        case.headers.pop("Idempotency-Key", None)
    known = IDS.get(operation.definition.raw["operationId"]) or IDS.get(operation.path)
    # Any text is an id as far as the document goes, but nearly every one names nothing: 404 says little of an operation.
    if known and is_positive(case, ComponentKind.PATH_PARAMETERS):
        case.path_parameters = dict.fromkeys(case.path_parameters, known)
        if is_positive(case, ComponentKind.HEADERS) and "If-Match" in (case.headers or {}):
            stored = requests.get(operation.base_url + case.formatted_path, headers=KEY, timeout=10)
            if "ETag" in stored.headers:
                case.headers["If-Match"] = stored.headers["ETag"]
    # A cursor is of the list that gave it: one that was made up is none.
    means_well = case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
    if "cursor" in (case.query or {}) and (means_well or is_positive(case, ComponentKind.QUERY)):
        case.query.pop("cursor")
    if "run_id" in (case.query or {}) and is_positive(case, ComponentKind.QUERY):
        case.query["run_id"] = IDS["run_id"]
