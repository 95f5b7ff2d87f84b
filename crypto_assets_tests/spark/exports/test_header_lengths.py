"""A header that lost a name or a delimiter never gives a price another column's numbers."""

import io
from collections.abc import Iterator
from decimal import Decimal

import pytest

from crypto_assets.spark.exports import read_export
from crypto_assets.spark.problems import ReadError

from .dialects import Day, market
from .helpers import pairs

DAYS = market(days=60, price="200", places=2)
NAMES = ["Date", "Open", "High", "Low", "Close", "Volume"]
INVESTING = ["Datum", "Zuletzt", "Eröffn.", "Hoch", "Tief", "Vol."]
INDEXES = {"none": None, "pandas": "", "named": "id", "R": "R"}
LASTS = {"filled": 0, "empty": len(DAYS), "empty at first": 3}  # lines whose last cell is empty


def _row(names: list[str], day: Day) -> list[str]:
    prices = (day.open, day.high, day.low, day.close)
    if names is INVESTING:
        prices = (day.close, day.open, day.high, day.low)
    return [day.day.isoformat(), *map(str, prices)]


def _headers(names: list[str]) -> Iterator[list[str]]:
    """The names with one missing, or with two that became one."""
    for i in range(len(names)):
        yield names[:i] + names[i + 1 :]
    for i in range(len(names) - 1):
        for glue in ("", '"', " "):
            yield [*names[:i], names[i] + glue + names[i + 1], *names[i + 2 :]]


def _close(header: list[str], names: list[str], index: str, last: str) -> list[Decimal] | None:
    """The prices that are read; None for a refused file."""
    numbered = INDEXES[index] is not None
    lines = [",".join(header)]
    for i, day in enumerate(DAYS):
        cells = [*_row(names, day), "" if i < LASTS[last] else "5.5K"]
        lines.append(",".join([str(i), *cells] if numbered else cells))
    try:
        export = read_export(io.BytesIO("\n".join(lines).encode()))
    except ReadError:
        return None
    return [Decimal(value) for _, value in pairs(export)]


@pytest.mark.parametrize("last", LASTS)
@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize("names", [NAMES, INVESTING], ids=["bars", "investing"])
def test_a_name_that_is_lost_moves_no_column(names: list[str], index: str, last: str) -> None:
    own = [] if INDEXES[index] in (None, "R") else [INDEXES[index]]
    whole = [*own, *names]
    right = [day.close for day in DAYS]
    assert _close(whole, names, index, last) == right
    damaged = [*_headers(whole)]
    if last == "filled":
        damaged += [[*header, ""] for header in damaged]
    for header in damaged:
        assert _close(header, names, index, last) in (right, None), header
