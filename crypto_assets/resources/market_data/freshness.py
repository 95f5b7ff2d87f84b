"""How fresh currencies are: the days since their last observed price, against an allowance.

The last price is what a run measured; a price that a rule filled in is none. A currency that was
never made has no last price and is not late: its status says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from crypto_assets.resources.market_data.overrides import Overrides

LATE_AFTER_DAYS = 7  # unless `currencies.toml` says another number
MEASURED = "silver"  # the layer whose measures say which price is the last


class Late(NamedTuple):
    """A currency whose last price is older than `allowed_days`: `days` old."""

    ticker: str
    last_price: date
    days: int
    allowed_days: int


def last_price(measures: Mapping[str, Any]) -> date | None:
    """The day of the last observed price, by the measures of the layer `MEASURED`, if it was made.

    What an earlier version measured has the last row's day alone.
    """
    text = measures.get("history/last_observed") or measures.get("history/last_date")
    return date.fromisoformat(text) if text else None


def late(
    measures: Mapping[str, Mapping[str, Any]], overrides: Overrides, today: date
) -> list[Late]:
    """The late ones of these currencies, whose measures are given; the most overdue first."""
    found = []
    for ticker, measured in measures.items():
        if not (last := last_price(measured)):
            continue
        allowed = overrides.late_after_days(ticker) or LATE_AFTER_DAYS
        if (days := (today - last).days) > allowed:
            found.append(Late(ticker, last, days, allowed))
    return sorted(found, key=lambda each: (each.allowed_days - each.days, each.ticker))
