"""Turns the two data sets, as their packages carry them, into our price book and the sample that it is held against.

Called by `cargo xtask prices` with the folder of the unpacked packages and the two files to write. Needs no third
party: what the first package imports beside its data is not used here.
"""

import datetime
import importlib
import json
import pathlib
import re
import sys
import types
from decimal import ROUND_HALF_EVEN, Decimal

SAMPLE = pathlib.Path(__file__).with_name("sample.txt").read_text().splitlines()[1:]


class Unused:
    """Stands for whatever the package imports and we do not need."""

    def __init__(self, *_, **__):
        pass

    def __class_getitem__(cls, _):
        return cls

    def __call__(self, *_, **__):
        return self


class Module(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Unused


def load(folder):
    for name in ("pydantic", "httpx2"):
        sys.modules[name] = Module(name)
    package = types.ModuleType("genai_prices")
    package.__path__ = [str(folder / "genai_prices")]
    sys.modules["genai_prices"] = package
    return importlib.import_module("genai_prices.data").providers, importlib.import_module("genai_prices.types")


def told(provider, model):
    """By which names a model is told: what it is called, how its names start, and what has a date behind it.

    What the set looks for anywhere in a name is looked for at its start: the book's reader takes off what stands before
    a name (paths, regions), and a name that has another within it is another's.
    """
    made = {"is": [], "starts": [], "dated": []}
    for part in getattr(model.match, "or_", [model.match]):
        word = type(part).__name__
        if word == "ClauseEquals":
            made["is"].append(part.equals.lower())
        elif word == "ClauseEndsWith":
            made["is"].append(part.ends_with.lower().lstrip("/"))
        elif word == "ClauseStartsWith":
            made["starts"].append(part.starts_with.lower())
        elif word == "ClauseContains":
            at_start(provider, model.id.lower(), part.contains.lower(), made)
        elif word == "ClauseRegex":
            for pattern in unfolded(part.regex):
                by_pattern(pattern, made)
        elif word == "ClauseAnd" and getattr(part.and_[1], "regex", None) == NO_SPEECH:
            made["starts"].append(part.and_[0].starts_with.lower())
        else:
            sys.exit(f"this rule is not known: {part}")
    if provider == "aws":
        # The reader takes a region off a name that is not told with it. The government's costs more than the set says.
        for how in ("is", "starts"):
            made[how] = [name for name in made[how] if not name.startswith("us-gov.")
                         and not (REGION.match(name) and REGION.sub("", name) in made[how])]
    made = {how: list(dict.fromkeys(names)) for how, names in made.items() if names}
    return {} if made == {"is": [model.id.lower()]} else made


REGION = re.compile(r"^(us|eu|apac|jp|au|ca|in)\.")

# The reader says it of all: what goes on with a word is another model.
NO_SPEECH = r"^(?!.*-[tT][tT][sS](?:$|-))"

# What the set prices, and should not: by provider, the model and why.
LEFT_OUT = {
    "azure": {"grok-3-mini": "Azure asks for another price than its maker, whose models it else sells for the same"},
    "deepseek": {name: "no name of its own, and another's price" for name in
                 ("deepseek-v3.1-terminus", "deepseek-v3.2", "deepseek-v3.2-exp")},
    "openai": {name: "OpenAI gives it away and does not sell it" for name in
               ("gpt-oss-120b", "gpt-oss-20b", "gpt-oss-safeguard-20b")}
    | {"gpt-4o-search-preview": "each search is paid beside its tokens"},
    "perplexity": {"perplexity/sonar": "of two ways to it, at two prices"},
}
# Names that stand for another model in time, and that the two sources say of two: the older one would be a known price that
# nobody asks for. They are found before what the set has of the name. DeepSeek's two stood for V3, R1, V3.2 and V4, at a price
# each, until it retired them on 24 July 2026 (api-docs.deepseek.com/quick_start/pricing).
IN_DOUBT = {
    "deepseek": ("deepseek-chat", "deepseek-reasoner"),
    "mistral": ("mistral-large-latest", "magistral-small-latest", "magistral-medium-latest"),
}
FALLBACK_LEFT_OUT = {"azure": {"deepseek": "Azure asks for its own prices"}}


def at_start(provider, name, text, made):
    if provider == "azure":
        # A deployment is called as people like: only a model's own name says which it is.
        made["is"].append(text)
    elif provider == "aws":
        made["starts"].append(text)
        vendor = {"claude": "anthropic.", "titan-": "amazon."}.get(text[:6])
        made["starts"] += [vendor + text] if vendor else []
    elif name.startswith(text) or text not in name:
        made["starts"].append(text)
    else:
        made["is"].append(name)


def unfolded(pattern):
    """Without what may be there and need not: `(A)?B` is `AB`, and `B`."""
    maybe = re.search(r"\(([^()|]*)\)\?", pattern)
    if not maybe:
        return [pattern]
    before, after = pattern[:maybe.start()], pattern[maybe.end():]
    return unfolded(before + maybe[1] + after) + unfolded(before + after)


def by_pattern(pattern, made):
    """The few forms that the set's patterns have: a name, one with a date, one that goes on with a digit."""
    whole = pattern.endswith("$")
    form = re.fullmatch(r"\^((?:[\w/=-]|\\[.\[\]])+?)(-\\d.*|\[-@\]\\d.*)?", pattern.removesuffix("$"))
    if not form:
        sys.exit(f"this pattern is not known: {pattern}")
    name, rest = re.sub(r"\\(.)", r"\1", form[1]).lower(), form[2]
    if rest is None and whole:
        made["is"].append(name)
    elif rest in DATES and whole:
        made["dated"].append(name)
    elif rest == r"-\d" and not whole:
        made["starts"] += [f"{name}-{digit}" for digit in range(10)]
    else:
        sys.exit(f"this pattern is not known: {pattern}")


DATES = (r"-\d{8}", r"[-@]\d{8}", r"-\d{4}-\d{2}-\d{2}")


def usd(price):
    """USD for a million tokens, to the nano-USD."""
    price = Decimal(str(price)).quantize(Decimal("1e-9"), ROUND_HALF_EVEN).normalize()
    if price < 0:
        sys.exit(f"a price below zero: {price}")
    return int(price) if price == price.to_integral_value() else float(price)


PRICED = {"input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read",
          "cache_write_mtok": "cache_write", "cache_write_1h_mtok": "cache_write_hour",
          "output_reasoning_mtok": "reasoning"}


def conditional(model):
    return model.prices if isinstance(model.prices, list) else []


def in_force(model, today, t):
    """The prices of the day."""
    if not isinstance(model.prices, list):
        return model.prices
    prices = model.prices[0].prices
    for each in model.prices:
        if each.constraint is None:
            prices = each.prices
        elif isinstance(each.constraint, t.StartDateConstraint) and each.constraint.start_date <= today:
            prices = each.prices
    return prices


def minute(time):
    """Of the day, in UTC."""
    if time.utcoffset() or time.second or time.microsecond:
        sys.exit(f"this time of day is not known: {time}")
    return 60 * time.hour + time.minute


def by_hour(model, t):
    """What it costs at some hours, the last that holds being meant."""
    made = []
    for each in conditional(model):
        if isinstance(each.constraint, t.TimeOfDateConstraint):
            prices = {ours: usd(getattr(each.prices, key)) for key, ours in PRICED.items()
                      if getattr(each.prices, key, None) is not None}
            made.append({"from": minute(each.constraint.start_time), "until": minute(each.constraint.end_time), **prices})
        elif made:
            sys.exit(f"a price that holds over those of hours: {model.id}")
    return made


def priced(provider, model, today, t):
    """A model of the book; none where tokens are not all that it is paid by: a call does not say how often it searched."""
    prices = {key: value for key, value in in_force(model, today, t).__dict__.items() if value is not None}
    if "input_mtok" not in prices or "requests_kcount" in prices or model.id in LEFT_OUT.get(provider, ()):
        return None
    made, tiers = {"id": model.id, **told(provider, model)}, {}
    for key, ours in PRICED.items():
        price = prices.get(key)
        if isinstance(price, t.TieredPrices):
            for tier in price.tiers:
                tiers.setdefault(tier.start, {})[ours] = usd(tier.price)
            price = price.base
        if price is not None:
            made[ours] = usd(price)
    if not tiers and provider in LONG_CLAUDE and re.search(r"claude-(sonnet-4(?!-[6-9])|4-sonnet)", model.id):
        tiers[200_000] = {ours: usd(Decimal(str(made[ours])) * times) for ours, times in LONGER.items() if ours in made}
    if re.search(r"claude-(?!2|v1|instant)", model.id):
        for part in (made, *tiers.values()):
            written(part)
    hours = by_hour(model, t)
    if hours:
        made["hours"] = hours
    if tiers:
        made["tiers"] = [{"above": start, **tiers[start]} for start in sorted(tiers)]
    return made


# All of a call that puts in more than 200,000 tokens costs so many times as much, by Anthropic's own list; the set has it
# for some of those who sell it.
LONG_CLAUDE = ("anthropic", "aws", "google")
LONGER = {"input": 2, "output": Decimal("1.5"), "cache_read": 2, "cache_write": 2}


def written(part):
    """Anthropic's own rule where the set has no price: a write to the cache costs a quarter more than input, and twice
    as much where it is kept for an hour."""
    if "input" in part:
        part.setdefault("cache_write", usd(Decimal(str(part["input"])) * Decimal("1.25")))
        part.setdefault("cache_write_hour", usd(Decimal(str(part["input"])) * 2))


def book(folder, version, date):
    providers, t = load(folder)
    today = datetime.date.fromisoformat(date)
    made = []
    for provider in providers:
        models = [priced(provider.id, model, today, t) for model in provider.models]
        models = [model for model in models if model]
        models = [{"id": name} for name in IN_DOUBT.get(provider.id, ())] + models
        ids = [model.id for model in provider.models]
        # One that has no price is found before another seller's of the name.
        models += [{"id": name} for name in LEFT_OUT.get(provider.id, ()) if name not in ids]
        one = {"id": provider.id, "models": models}
        if provider.fallback_model_providers:
            out = FALLBACK_LEFT_OUT.get(provider.id, ())
            one["fallback"] = [other for other in provider.fallback_model_providers if other not in out]
        made.append(one)
    return {"source": "genai-prices", "version": version, "date": date, "license": "MIT", "providers": made}


def sample(folder, version):
    """The second source's prices for the calls that are listed: a provider, an address, a model, and its own name."""
    file = folder / "litellm" / "model_prices_and_context_window_backup.json"
    known, made = json.loads(file.read_text()), []
    for line in SAMPLE:
        provider, address, model, name = line.split()
        one = {"provider": provider, "address": address, "model": model}
        one = {key: value for key, value in one.items() if value != "-"}
        for ours, key in SAMPLED.items():
            # Where it says that a write costs nothing, it means nothing more than the tokens.
            if known[name].get(key):
                one[ours] = usd(Decimal(str(known[name][key])) * 1_000_000)
        made.append(one)
    return {"source": "litellm", "version": version, "calls": made}


SAMPLED = {"input": "input_cost_per_token", "output": "output_cost_per_token",
           "cache_read": "cache_read_input_token_cost", "cache_write": "cache_creation_input_token_cost",
           "cache_write_hour": "cache_creation_input_token_cost_above_1hr"}


def lines(document, member):
    """JSON with one provider, or one model, a line: a refresh reads as a difference."""
    head = {key: value for key, value in document.items() if key != member}
    text = json.dumps(head, separators=(",", ":"))[:-1] + f',"{member}":[\n'
    rows = []
    for row in document[member]:
        if "models" in row:
            models = ",\n  ".join(json.dumps(model, separators=(",", ":")) for model in row["models"])
            rest = {key: value for key, value in row.items() if key != "models"}
            rows.append(json.dumps(rest, separators=(",", ":"))[:-1] + f',"models":[\n  {models}\n]}}')
        else:
            rows.append(json.dumps(row, separators=(",", ":")))
    return text + ",\n".join(rows) + "\n]}\n"


def main():
    folder, first, date, second, book_file, sample_file = sys.argv[1:]
    folder = pathlib.Path(folder)
    pathlib.Path(book_file).write_text(lines(book(folder, first, date), "providers"))
    pathlib.Path(sample_file).write_text(lines(sample(folder, second), "calls"))


if __name__ == "__main__":
    main()
