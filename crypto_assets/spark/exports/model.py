"""What goes in and what comes out of reading an export: `Options` and `Export`.

Only the public data types live here; how a file is read is in the modules that `reading.py` calls.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

DateOrder = Literal["dmy", "mdy", "ymd"]
DecimalMark = Literal["dot", "comma"]
Kind = Literal["history", "trend"]
Granularity = Literal["day", "week", "month"]
WhichDay = Literal["stated", "next"]
WhichRow = Literal["first", "last"]


@dataclass(frozen=True)
class Options:
    """What a person may settle where the file itself leaves a choice.

    `kind` decides whether the file is a history or a trend; without it the content does. `dates`
    and `decimal` pick among readings that all fit; they never override what the file shows.
    `price` (of a history) and `term` (of a trend) name the column of values by its header or its
    1-based number. `terms` are the lower-case names of the currency, `others` those of all other
    coins: a column that names another coin is never taken. `file` is the file's name: it can only
    say that a lone column of numbers is something else than a price.
    """

    kind: str | None = None
    dates: DateOrder | None = None
    decimal: DecimalMark | None = None
    price: str | None = None
    term: str | None = None
    accept_outliers: bool = False
    day: WhichDay | None = None
    duplicates: WhichRow | None = None
    terms: tuple[str, ...] = ()
    others: frozenset[str] = frozenset()
    file: str = ""


@dataclass(frozen=True)
class Columns:
    """Where the date and the value stand (0-based) and what their headers say, if there are any."""

    date: int
    value: int
    date_name: str | None
    value_name: str | None


@dataclass(frozen=True)
class Export:
    """An export that was understood: one row of `lines` per line of the file, in file order.

    `lines` has the columns line int32 (1-based), role string (data, header, preamble, footer,
    blank, bad, left_out), cells list<string> (as uploaded, unquoted), date string (ISO, data lines
    only), value string (plain decimal or the missing word as uploaded, data lines only) and problem
    string (why a line is bad or left out).
    """

    kind: Kind
    lines: Any  # pyarrow.Table
    source: str
    language: str | None
    encoding: str
    delimiter: str
    date_format: str
    decimal: DecimalMark
    columns: Columns
    granularity: Granularity
    first_date: date
    last_date: date
    rows: int
    term: str | None
    notes: tuple[str, ...]
    steps: tuple[str, ...]
