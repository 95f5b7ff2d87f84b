"""Making the report: known facts and published series in, one file out.

How a currency's series are read, packed and shown is in the modules beside this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from crypto_assets.resources.progress import progress
from crypto_assets.resources.report.known import KnownAccounts, KnownCurrency
from crypto_assets.resources.report.packing import Thinning, packed, sparkline, thinning_for
from crypto_assets.resources.report.page import page
from crypto_assets.resources.report.series import Series, read_series
from crypto_assets.resources.storage.lake import Lake
from crypto_assets.spark.printable import printable
from crypto_assets.spark.problems import ReadError
from crypto_assets.spark.replacing import SHARED, replacing

TITLE = "Market report"
SERIES_BYTES = 10_500_000  # of the page; with scripts and table it stays below 15 MB
_AT_ONCE = 100  # currencies between two reports of progress
_EPOCH = date(1970, 1, 1)
_ISO_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


@dataclass(frozen=True)
class Report:
    """What was written: where, its bytes, how many currencies are in which state, the thinning."""

    path: Path
    size: int
    states: dict[str, int]
    thinning: Thinning | None


def write_report(
    path: Path,
    lake: Lake,
    currencies: Sequence[KnownCurrency],
    accounts: KnownAccounts | None,
    now: datetime | None = None,
) -> Report:
    """Writes the report on these currencies, and on the accounts if there are any."""
    now = (now or datetime.now(UTC)).astimezone(UTC)
    rows = sum(currency.rows for currency in currencies)
    thinning = thinning_for(len(currencies), rows, SERIES_BYTES)
    lines, series = [], []
    for line, text in _each(lake, currencies, thinning, now.date()):
        lines.append(line)
        series.append(text)
    facts = {
        "made": now.isoformat(timespec="minutes"),
        "columns": {name: [line[name] for line in lines] for name in lines[0]} if lines else {},
        "thinning": vars(thinning) if thinning else None,
        "accounts": _accounts(accounts) if accounts else None,
    }
    content = page(TITLE, facts, series).encode()
    with replacing(path, mode=SHARED) as stream:
        stream.write(content)
    states = [currency.state for currency in currencies]
    counts = {state: states.count(state) for state in sorted(set(states))}
    return Report(path, len(content), counts, thinning)


def _each(
    lake: Lake, currencies: Sequence[KnownCurrency], thinning: Thinning | None, today: date
) -> Iterator[tuple[dict[str, Any], str | None]]:
    """The line of each currency in the table, and its packed series."""

    def made(currency: KnownCurrency) -> tuple[dict[str, Any], str | None]:
        problems = list(currency.problems)
        series = None
        try:
            series = read_series(lake.objects, currency.ticker)
        except ReadError as error:
            problems.append(str(error))
        line = _known(currency, problems) | _counted(series, today)
        line["marked"] = _days_named(currency.history_remarks, series)
        return line, packed(series, thinning) if series else None

    for start in range(0, len(currencies), _AT_ONCE):
        batch = currencies[start : start + _AT_ONCE]
        yield from lake.objects.for_each(made, batch)
        progress("report", len(batch), len(currencies))


def _known(currency: KnownCurrency, problems: Sequence[str]) -> dict[str, Any]:
    remarks = [currency.history_remarks, *currency.remarks]
    return {
        "ticker": currency.ticker,
        "state": currency.state,
        "problems": list(map(printable, problems)),
        "remarks": [printable(remark) for remark in remarks if remark],
        "files": list(map(printable, currency.files)),
        "sources": list(map(printable, currency.sources)),
        "published": currency.published_at,
    }


def _counted(series: Series | None, today: date) -> dict[str, Any]:
    """What is counted on a currency's series; days are counted since 1970."""
    if series is None or not len(series.priced):
        names = ("first", "last", "days", "trendDays", "gaps", "gapDays", "filled", "price", "age")
        return {**dict.fromkeys(names), "spark": ""}
    last = series.last
    return {
        "first": int(series.priced[0]),
        "last": last,
        "days": len(series.priced),
        "trendDays": int(np.isfinite(series.trend).sum()),
        "gaps": len(series.gaps[0]),
        "gapDays": series.gap_days,
        "filled": None if series.filled is None else len(series.filled),
        "price": float(series.price[series.days == last][0]),
        "age": (today - _EPOCH).days - last,
        "spark": sparkline(series),
    }


def _days_named(remarks: str, series: Series | None) -> list[int]:
    """The days that remarks name, as far as the currency has a price on them."""
    if series is None:
        return []
    named = set()
    for text in _ISO_DATE.findall(remarks):
        try:
            named.add((date.fromisoformat(text) - _EPOCH).days)
        except ValueError:  # the remark quotes a cell
            continue
    return sorted(named.intersection(series.priced.tolist()))


def _accounts(accounts: KnownAccounts) -> dict[str, Any]:
    return {
        "snapshot": printable(accounts.snapshot),
        "state": accounts.state,
        "problems": list(map(printable, accounts.problems)),
        "counts": dict(accounts.counts),
    }
