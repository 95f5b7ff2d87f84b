"""The time of day that stands beside a date: minutes after midnight, minutes east of UTC.

Belongs here: reading what is written. Does not: which day a time belongs to (days.py). Most files
write no time, or midnight throughout; that is found out by a test or two on the whole column.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .arrays import has_byte
from .dates import SECONDS_PER_DAY, Notation, excel_days, unix_seconds

HOUR = 60
NOON = 12 * HOUR
DAY = 24 * HOUR
SECONDS_PER_MINUTE = 60.0
_TIME = re.compile(
    r"\D*?(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::\d{2})?(?:[.,]\d+)?"
    r"\s*(?:(?P<half>[AaPp])\.?[Mm]\.?)?\s*(?:Z|[A-Z]{3,4})?"
    r"(?:(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?)?",
    re.ASCII,
)
_ALONE = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?\s*(?:[AaPp]\.?[Mm]\.?)?$", re.ASCII)


@dataclass(frozen=True)
class Clock:
    """Per row the minutes after midnight, as written, and the minutes that the cell says it is
    east of UTC; `east` is None if no cell says so.
    """

    minutes: list[int]
    east: list[int] | None


def read_clock(cells: Any, notation: Notation) -> Clock | None:
    """The times in cells that hold dates in `notation`; None if all are midnight or none has one.

    Seconds are left out. Whatever the zone, midnight as written is midnight.
    """
    if not len(cells):
        return None
    if notation.name == "Unix time":
        seconds, _ = unix_seconds(cells)
        return _clock(pc.subtract(seconds, _whole(seconds, SECONDS_PER_DAY)), pc.floor)
    if notation.name == "Excel day":
        if not has_byte(cells, b".", b","):
            return None
        days = excel_days(cells)
        # 23:00 is .958333, a bit less than it; but no time is rounded into the next day.
        seconds = pc.multiply(pc.subtract(days, pc.floor(days)), SECONDS_PER_DAY)
        return _clock(pc.min_element_wise(seconds, SECONDS_PER_DAY - SECONDS_PER_MINUTE), pc.round)
    return _read_text(cells, notation) if has_byte(cells, b":", b"T") else None


def read_times(cells: Any) -> Clock | None:
    """The times in cells that hold nothing else, as hh:mm; None if all are midnight or some not."""
    distinct = pc.unique(cells).to_pylist()
    if not all(map(_ALONE.match, distinct)) or not any(_time(cell)[0] for cell in distinct):
        return None
    return Clock([_time(cell)[0] for cell in cells.to_pylist()], None)


def _whole(numbers: Any, unit: float) -> Any:
    return pc.multiply(pc.floor(pc.divide(numbers, unit)), unit)


def _clock(seconds: Any, rounded: Any) -> Clock | None:
    minutes = rounded(pc.divide(seconds, SECONDS_PER_MINUTE)).cast(pa.int32())
    return Clock(minutes.to_pylist(), None) if pc.max(minutes).as_py() else None


def _read_text(cells: Any, notation: Notation) -> Clock | None:
    first = cells[0].as_py()
    start = re.match(notation.pattern, first, re.ASCII)
    tail = first[start.end() :] if start else ""
    if tail and pc.ends_with(cells, tail).true_count == len(cells):
        if not _time(tail)[0]:
            return None
        tails = [tail] * len(cells)
    else:
        tails = pc.replace_substring_regex(cells, f"^{notation.pattern}", "").to_pylist()
    times = [_time(tail) for tail in tails]
    if not any(minutes for minutes, _ in times):
        return None
    says = any(east is not None for _, east in times)
    return Clock([minutes for minutes, _ in times], [e or 0 for _, e in times] if says else None)


@lru_cache(maxsize=4096)
def _time(tail: str) -> tuple[int, int | None]:
    """Minutes after midnight, and east of UTC, of what stands behind a day."""
    found = _TIME.match(tail)
    if not found:
        return 0, None
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if found["half"]:
        hour = hour % 12 + (12 if found["half"] in "Pp" else 0)
    east = None
    if found["sign"]:
        east = int(found["hours"]) * HOUR + int(found["minutes"] or 0)
        east = -east if found["sign"] == "-" else east
    return hour * HOUR + minute, east


def hhmm(minutes: int) -> str:
    """Minutes as hh:mm."""
    return f"{minutes // HOUR:02}:{minutes % HOUR:02}"
