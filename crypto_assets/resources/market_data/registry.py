"""The registered currencies, and what their owners chose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.errors import UsageError
from crypto_assets.spark.market_data.coins import terms_of
from crypto_assets.spark.market_data.currency import Choices

_TICKER = re.compile(r"[A-Z0-9]{1,20}")
_RESERVED = {"PRICES", "CURRENCIES", "DAILY"}  # tables of the product, beside the views


def checked_ticker(text: str) -> str:
    """The ticker in capitals; it becomes a path and a view. Raises `UsageError` if it is none."""
    ticker = text.strip().upper()
    if not _TICKER.fullmatch(ticker):
        raise UsageError(f"{text!r} is no ticker: use 1 to 20 letters and digits, such as BTC")
    return ticker


def new_ticker(text: str) -> str:
    """A ticker that a currency may get: its view has no table's name. Raises `UsageError`."""
    ticker = checked_ticker(text)
    if ticker in _RESERVED:
        raise UsageError(
            f"{ticker} is the name of a table of the warehouse: choose another ticker, such as "
            f"{ticker}1"
        )
    return ticker


def choices_of(entry: Entry | None) -> Choices:
    """What the owner of a currency chose; the defaults where nobody did."""
    return Choices.from_json(entry.facts.get("choices", {})) if entry else Choices()


def coin_name(entry: Entry) -> str | None:
    """What the currency's coin is called, in small letters: by our table, else by its owner."""
    _, *names = terms_of(entry.partition, choices_of(entry).names)
    return next(filter(None, names), None)


def with_choices(choices: Choices) -> dict[str, Any]:
    """The facts of an entry that hold these choices."""
    return {"choices": {**vars(choices)}}


class CurrencyRegistry(Registry):
    """The currencies; each entry keeps its owner's choices."""

    def shaping(self, entry: Entry) -> str:
        return _shaping(json.dumps(entry.facts.get("choices", {})))

    def choose(self, chosen: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
        """Changes these choices of registered currencies; yields the tickers that have changed."""
        with self.changing():
            entries, _ = self.find(chosen)
            changed = []
            for ticker, entry in entries.items():
                before = choices_of(entry)
                after = replace(before, **chosen[ticker])
                if after != before:
                    changed.append(replace(entry, facts={**entry.facts, **with_choices(after)}))
            yield from self.put_all(changed)


@lru_cache  # most currencies have the same choices
def _shaping(choices: str) -> str:
    return repr(Choices.from_json(json.loads(choices)).shaping())
