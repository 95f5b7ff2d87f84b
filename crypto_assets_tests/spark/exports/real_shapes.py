"""Windows of a few rows in the shapes people really have, with what is true of each row; no tests.

Only the shapes are real: the markets are made up. Damage to a window is in mutations.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from zlib import crc32

from .dialects import DATES, Day, market

FIRST = date(2021, 11, 20)
LONG = 700  # days of the market that windows are taken from
SHORTEST, LONGEST = 8, 120  # rows of a window
INTEREST = 3  # of a market that begins with 120
Cells = list[str]
Write = Callable[[Decimal], str]


@dataclass(frozen=True)
class Shape:
    """How a site writes: a header, and the cells of a day; `value` is the column that counts."""

    name: str
    head: tuple[str, ...]
    cells: Callable[[Day], Cells]
    value: int
    start: str = "43210.5"  # what the market begins with, and its decimals
    places: int = 1
    delimiter: str = ","
    quoted: bool = False
    newest_first: bool = False
    ended: bool = True
    day: Callable[[Day], date] = lambda day: day.day
    true: Callable[[Day], float] = lambda day: float(day.close)
    rows: int = LONG


@dataclass
class Row:
    """A line of data, and the day it is of (ISO)."""

    cells: Cells
    day: str


@dataclass
class Window:
    """A file: its lines in order, and the true value of each day."""

    shape: Shape
    rows: list[Row]
    truth: dict[str, float] = field(default_factory=dict)

    def content(self) -> bytes:
        """The bytes of the file."""
        shape = self.shape
        lines = [*shape.head, *(self._line(row.cells) for row in self.rows)]
        return ("\n".join(lines) + ("\n" if shape.ended else "")).encode()

    def _line(self, cells: Cells) -> str:
        delimiter = self.shape.delimiter
        if self.shape.quoted:
            return delimiter.join(f'"{cell}"' for cell in cells)
        return delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in cells)


def dot(value: Decimal) -> str:
    return f"{value:f}"


def grouped(value: Decimal) -> str:
    return f"{value:,f}"


def comma(value: Decimal) -> str:
    return f"{value:f}".replace(".", ",")


def comma_grouped(value: Decimal) -> str:
    return f"{value:,f}".translate(str.maketrans(",.", ".,"))


def _investing(dates: str, write: Write, plain: Write = dot) -> Callable[[Day], Cells]:
    def cells(day: Day) -> Cells:
        volume = plain((Decimal(day.volume) / 1000).quantize(Decimal("0.01"))) + "K"
        prices = [write(price) for price in (day.close, day.open, day.high, day.low)]
        return [DATES[dates](day.day), *prices, volume, plain(day.change) + "%"]

    return cells


def _prices(day: Day, write: Write = dot) -> Cells:
    return [write(price) for price in (day.open, day.high, day.low, day.close)]


def _seconds(day: Day) -> int:
    return (day.day.toordinal() - 719163) * 86400


def _in_berlin(day: Day) -> str:
    """Midnight there, in UTC; the windows begin after one change of clocks and end at another."""
    summer = date(day.day.year, 3, 28) <= day.day <= date(day.day.year, 10, 29)
    moment = datetime(day.day.year, day.day.month, day.day.day, tzinfo=UTC)
    return f"{moment - timedelta(hours=2 if summer else 1):%Y-%m-%d %H:%M:%S+00:00}"


def _week(day: Day) -> date:
    return date(2009, 1, 4) + 7 * (day.day - FIRST)


def _month(day: Day) -> date:
    months = (day.day - FIRST).days
    return date(2004 + months // 12, months % 12 + 1, 1)


def _interest(day: Day) -> str:
    """0 to 100, from a market that begins with 120."""
    return f"{_true_interest(day):g}" if day.close >= INTEREST else "<1"


def _true_interest(day: Day) -> float:
    return min(100.0, float(day.close // INTEREST)) or 0.5


US = '"Date","Price","Open","High","Low","Vol.","Change %"'
BR = '"Data","Último","Abertura","Máxima","Mínima","Vol.","Var%"'
CMC = "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp"
GOOGLE = ("Category: All categories", "")
INVESTING = {"quoted": True, "newest_first": True, "ended": False}

SHAPES = (
    Shape("investing", (US,), _investing("mdy/", grouped), 1, **INVESTING),
    Shape("investing cents", (US,), _investing("mdy/", grouped), 1, "133.290", 3, **INVESTING),
    Shape("investing unit", (US,), _investing("Mon d, y", grouped), 1, "1.605", 3, **INVESTING),
    Shape("investing small", (US,), _investing("mdy/", grouped), 1, "0.00001585", 8, **INVESTING),
    Shape("investing India", (US,), _investing("dmy-", grouped), 1, "2710.25", 2, **INVESTING),
    Shape("investing Brazil", (BR,), _investing("dmy.", comma_grouped, comma), 1, **INVESTING),
    Shape(
        "investing Brazil unit",
        (BR,),
        _investing("dmy.", comma_grouped, comma),
        1,
        "150.800",
        3,
        **INVESTING,
    ),
    Shape("saved again", (US.replace('"', ""),), _investing("d-Mon-yy", grouped), 1),
    Shape(
        "semicolons",
        ("Datum;Eröffn.;Hoch;Tief;Schluss",),
        lambda day: [DATES["dmy."](day.day), *_prices(day, comma)],
        4,
        "912.25",
        2,
        ";",
        newest_first=True,
    ),
    Shape(
        "yahoo",
        ("Date,Open,High,Low,Close,Adj Close,Volume",),
        lambda day: [day.day.isoformat(), *_prices(day), dot(day.close), str(day.volume)],
        4,
        "43210.500000",
        6,
        ended=False,
    ),
    Shape(
        "coingecko",
        ("snapped_at,price,market_cap,total_volume",),
        lambda day: [f"{day.day} 00:00:00 UTC", dot(day.close), f"{day.close * 19}", "1.5"],
        1,
        "0.52340000001",
        11,
    ),
    Shape(
        "coinmarketcap",
        (CMC,),
        lambda day: [
            f"{day.day}T00:00:00.000Z",
            f"{day.day}T23:59:59.999Z",
            f"{day.day}T11:00:00.000Z",
            f"{day.day}T01:00:00.000Z",
            "2781",
            *_prices(day),
            str(day.volume),
            "9.9",
            f"{day.day}T23:59:59.999Z",
        ],
        8,
        "96.25100",
        5,
        ";",
        newest_first=True,
        ended=False,
    ),
    Shape(
        "cryptodatadownload",
        ("unix,date,symbol,open,high,low,close,Volume BTC,Volume USD",),
        lambda day: [
            str(_seconds(day)),
            f"{day.day} 00:00:00",
            "BTC/USD",
            *_prices(day),
            "22.7",
            str(day.volume),
        ],
        6,
        newest_first=True,
    ),
    Shape("kraken", (), lambda day: [str(_seconds(day)), *_prices(day), "30.5", "145"], 4),
    Shape(
        "binance",
        (),
        lambda day: [
            f"{_seconds(day)}000",
            *_prices(day),
            str(day.volume),
            f"{_seconds(day)}000",
            *("1.5", "131", "2.7", "7.8", "0"),
        ],
        4,
    ),
    Shape("two", ("timestamp,price",), lambda day: [day.day.isoformat(), dot(day.close)], 1),
    Shape(
        "two, no end",
        ("Date,Close",),
        lambda day: [day.day.isoformat(), dot(day.close)],
        1,
        "61.1136",
        4,
        ended=False,
    ),
    Shape(
        "two, comma",
        ("Date;Close",),
        lambda day: [DATES["dmy."](day.day), comma(day.close)],
        1,
        "0.5234",
        4,
        ";",
    ),
    Shape(
        "Berlin in UTC",
        ("Date,Close",),
        lambda day: [_in_berlin(day), dot(day.close)],
        1,
        "107.2664",
        4,
    ),
    Shape(
        "trend, weeks",
        (*GOOGLE, "Week,bitcoin: (Worldwide)"),
        lambda day: [_week(day).isoformat(), _interest(day)],
        1,
        "120.0",
        day=_week,
        true=_true_interest,
    ),
    Shape(
        "trend, months",
        (*GOOGLE, "Month,bitcoin: (Worldwide)"),
        lambda day: [f"{_month(day):%Y-%m}", _interest(day)],
        1,
        "120.0",
        day=_month,
        true=_true_interest,
        rows=240,
    ),
    Shape(
        "trend, by hand",
        ("date,bitcoin",),
        lambda day: [_week(day).isoformat(), _interest(day)],
        1,
        "120.0",
        day=_week,
        true=_true_interest,
        ended=False,
    ),
    Shape(
        "trend, days",
        ("date,bitcoin,isPartial",),
        lambda day: [day.day.isoformat(), _interest(day), "False"],
        1,
        "120.0",
        true=_true_interest,
    ),
)


@cache
def _market(shape: Shape) -> list[Day]:
    return market(FIRST, shape.rows, shape.start, shape.places, crc32(shape.name.encode()))


def window(chance: Random) -> Window:
    """A window of one of the shapes, without damage."""
    shape = chance.choice(SHAPES)
    count = chance.randint(SHORTEST, LONGEST)
    first = chance.randrange(shape.rows - count)
    days = _market(shape)[first : first + count]
    rows = [Row(shape.cells(day), shape.day(day).isoformat()) for day in days]
    if shape.newest_first:
        rows.reverse()
    return Window(shape, rows, {shape.day(day).isoformat(): shape.true(day) for day in days})
