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

SAMPLE = pathlib.Path(__file__).with_name("sample.txt").read_text().split()


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


def clause(it):
    """A rule by which a name is told, as the data set has it."""
    name = type(it).__name__
    if name in ("ClauseOr", "ClauseAnd"):
        word = "or" if name == "ClauseOr" else "and"
        return {word: [clause(part) for part in getattr(it, word + "_")]}
    word = {"ClauseStartsWith": "starts_with", "ClauseEndsWith": "ends_with", "ClauseContains": "contains",
            "ClauseEquals": "equals", "ClauseRegex": "regex"}[name]
    text = getattr(it, word)
    if word != "regex":
        return {word: text.lower()}
    return without_look(text)


def without_look(pattern):
    """Our patterns look neither ahead nor behind. `^(?!A)B` is not `^A`, and `^B`; no other form is known."""
    if not re.search(r"\(\?<?[=!]", pattern):
        return {"regex": pattern}
    if not pattern.startswith("^(?!"):
        sys.exit(f"this pattern looks ahead or behind: {pattern}")
    depth, at = 1, 4
    while depth:
        if pattern[at] == "\\":
            at += 1
        depth += {"(": 1, ")": -1}.get(pattern[at], 0)
        at += 1
    refused = {"not": {"regex": "^" + pattern[4:at - 1]}}
    rest = pattern[at:]
    return {"and": [refused, without_look("^" + rest)]} if rest else refused


def per_million(usd):
    """Micro-USD for a million tokens, from USD for a million."""
    return int((Decimal(str(usd)) * 1_000_000).to_integral_value(ROUND_HALF_EVEN))


PRICED = {"input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read",
          "output_reasoning_mtok": "reasoning"}


def in_force(model, today, t):
    """The prices of the day. What holds for some hours of the day only is left out: the book is one for all hours."""
    if not isinstance(model.prices, list):
        return model.prices
    prices = model.prices[0].prices
    for conditional in model.prices:
        if conditional.constraint is None:
            prices = conditional.prices
        elif isinstance(conditional.constraint, t.StartDateConstraint) and conditional.constraint.start_date <= today:
            prices = conditional.prices
    return prices


def priced(model, today, t):
    """A model of the book; none where tokens are not what it is paid by."""
    prices = {key: value for key, value in in_force(model, today, t).__dict__.items() if value is not None}
    if "input_mtok" not in prices:
        return None
    made, tiers = {"id": model.id, "match": clause(model.match)}, {}
    for key, ours in PRICED.items():
        price = prices.get(key)
        if isinstance(price, t.TieredPrices):
            for tier in price.tiers:
                tiers.setdefault(tier.start, {})[ours] = per_million(tier.price)
            price = price.base
        if price is not None:
            made[ours] = per_million(price)
    if "requests_kcount" in prices:
        price = prices["requests_kcount"]
        price = price.base if isinstance(price, t.TieredPrices) else price
        made["request"] = int(Decimal(str(price)) * 1_000)
    if tiers:
        made["tiers"] = [{"above": start, **tiers[start]} for start in sorted(tiers)]
    return made


def book(folder, version, date):
    providers, t = load(folder)
    today = datetime.date.fromisoformat(date)
    made = []
    for provider in providers:
        models = [model for model in (priced(model, today, t) for model in provider.models) if model]
        one = {"id": provider.id, "models": models}
        if provider.provider_match:
            one["match"] = clause(provider.provider_match)
        if provider.model_match:
            one["model_match"] = clause(provider.model_match)
        if provider.fallback_model_providers:
            one["fallback"] = provider.fallback_model_providers
        made.append(one)
    return {"source": "genai-prices", "version": version, "date": date, "license": "MIT", "providers": made}


def sample(folder, version):
    file = folder / "litellm" / "model_prices_and_context_window_backup.json"
    known, made = json.loads(file.read_text()), []
    for name in SAMPLE:
        entry = known[name]
        usd = lambda key: None if entry.get(key) is None else per_million(Decimal(str(entry[key])) * 1_000_000)
        made.append({
            "provider": entry["litellm_provider"], "model": name,
            "input": usd("input_cost_per_token"), "output": usd("output_cost_per_token"),
            "cache_read": usd("cache_read_input_token_cost"),
        })
    return {"source": "litellm", "version": version, "models": made}


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
    pathlib.Path(sample_file).write_text(lines(sample(folder, second), "models"))


if __name__ == "__main__":
    main()
