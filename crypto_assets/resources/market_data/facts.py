"""What a warehouse knows of each currency beside its rows: `LAST_VERDICTS`, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.outcomes import Layer, Outcomes
from crypto_assets.resources.market_data.registry import coin_name
from crypto_assets.spark.market_data.data_set import MARKET_DATA

LONGEST = 1000  # bytes of a text: less than the column of any warehouse holds


def facts(
    entries: Mapping[str, Entry], outcomes: Outcomes, loaded_at: str | None = None
) -> dict[str, dict[str, Any]]:
    """The rows of these currencies; those with which they are loaded at that time, if one is given.

    Whether they are is known, and recorded, only afterwards.
    """
    layers = list(MARKET_DATA.layers)
    known = outcomes.layers(MARKET_DATA.name, entries, {"bronze": "", "silver": ""})
    if loaded_at:
        known = {
            name: each | {layers[-1]: Layer(made_at=loaded_at)} for name, each in known.items()
        }
    return {
        ticker: {"ticker": ticker, **_of_entry(entry), **_of_layers(layers, known[ticker])}
        for ticker, entry in entries.items()
    }


def _of_entry(entry: Entry) -> dict[str, Any]:
    """What is known of the currency and of its files."""
    history, trend = entry.files.get("history"), entry.files.get("trend")
    quote = history.facts.get("quote", "") if history else ""
    return {
        "name": _short(coin_name(entry)),
        "quote_currency": _short(quote.upper()),
        "history_file": _short(history.name) if history else None,
        "trend_file": _short(trend.name) if trend else None,
    }


def _of_layers(layers: list[str], known: Mapping[str, Layer]) -> dict[str, Any]:
    """What the last attempt made of it, and what was read in the last one that passed."""
    bronze, silver = (known.get(layer, Layer()).measures for layer in ("bronze", "silver"))
    notes = (bronze.get(f"{kind}/notes") for kind in ("history", "trend"))
    made = {
        "source": _short(bronze.get("history/source")),
        "filled": silver.get("history/filled"),
        "remarks": _short("; ".join(filter(None, notes))),
    }
    for layer in layers:
        if (found := known.get(layer)) and found.problem:
            failed = {"verdict": "failed", "failed_at": layer, "problem": _short(found.problem)}
            return {**made, **failed, "attempted_at": _time(found.seen_at)}
    last = known.get(layers[-1], Layer())
    if last.made_at:
        made |= {"verdict": "passed", "attempted_at": _time(last.made_at)}
    return made


def _time(text: str | None) -> str | None:
    """The time without its zone, which is UTC."""
    return text.removesuffix("+00:00") if text else None


def _short(text: str | None) -> str | None:
    """The text as far as it fits into `LONGEST` bytes; null instead of an empty one."""
    if not text:
        return None
    content = text.encode(errors="replace")
    if len(content) <= LONGEST:
        return content.decode()
    return content[: LONGEST - len("…".encode())].decode(errors="ignore") + "…"
