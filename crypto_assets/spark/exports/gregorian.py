"""Days since 1970-01-01 from years, months and days, column-wise, by look-up in a table of months.

Belongs here: the calendar. Does not: how dates are written (dates.py).
"""

import calendar
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

FIRST_YEAR, LAST_YEAR = 1995, 2100
CENTURY = 100
MONTHS_PER_YEAR = 12


def _calendar() -> tuple[Any, Any]:
    """First day (since 1970-01-01) and length of each month from FIRST_YEAR on."""
    firsts, lengths, day = [], [], (FIRST_YEAR - 1970) * 365 + (FIRST_YEAR - 1969) // 4
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        for month in range(1, 13):
            length = calendar.monthrange(year, month)[1]
            firsts.append(day)
            lengths.append(length)
            day += length
    return pa.array(firsts, pa.int32()), pa.array(lengths, pa.int32())


_FIRSTS, _LENGTHS = _calendar()


def to_days(year: Any, month: Any, day: Any | None) -> Any:
    """Days since 1970; null where there is no such day. Two-digit years are 20yy."""
    if _ends(year)[0] < CENTURY:
        year = pc.if_else(pc.less(year, CENTURY), pc.add(year, 2000), year)
    year = _inside(year, FIRST_YEAR, LAST_YEAR)
    first = _month_slot(year, _inside(month, 1, MONTHS_PER_YEAR))
    if day is None:
        return pc.take(_FIRSTS, first)
    exists = pc.and_(pc.greater_equal(day, 1), pc.less_equal(day, pc.take(_LENGTHS, first)))
    days = pc.subtract(pc.add(pc.take(_FIRSTS, first), day), 1)
    days = days if exists.true_count == len(days) else pc.if_else(exists, days, None)
    return days.cast(pa.int32())


def _swapped() -> Any:
    """For each day from FIRST_YEAR on the one with day and month swapped; itself if there is none.

    A day above 12 is no month, so it stays.
    """
    days = pa.array(
        range(_FIRSTS[0].as_py(), _FIRSTS[-1].as_py() + _LENGTHS[-1].as_py()), pa.int32()
    )
    dates = days.cast(pa.date32())
    year, month, day = (part(dates).cast(pa.int32()) for part in (pc.year, pc.month, pc.day))
    movable = pc.less_equal(day, MONTHS_PER_YEAR)
    slot = _month_slot(year, pc.if_else(movable, day, 1))
    return pc.if_else(movable, pc.subtract(pc.add(pc.take(_FIRSTS, slot), month), 1), days)


def swap_day_and_month(days: NDArray[np.int32]) -> tuple[NDArray[np.int32], int]:
    """Days since 1970 with day and month swapped where both are 12 or less; how many moved."""
    swapped = _SWAPPED[days - _FIRSTS[0].as_py()]
    return swapped, int(np.count_nonzero(swapped != days))


def _month_slot(year: Any, month: Any) -> Any:
    return pc.subtract(pc.add(pc.multiply(year, 12), month), FIRST_YEAR * 12 + 1)


_SWAPPED: NDArray[np.int32] = _swapped().to_numpy()


def _ends(numbers: Any) -> tuple[int, int]:
    ends = pc.min_max(numbers).as_py()
    return ends["min"] or 0, ends["max"] or 0


def _inside(numbers: Any, low: int, high: int) -> Any:
    """The numbers, with null for those outside low..high; mostly there are none."""
    least, most = _ends(numbers)
    if low <= least and most <= high:
        return numbers
    fits = pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, high))
    return pc.if_else(fits, numbers, None)
