"""The order of the dates of prices: rows out of it, days and months swapped, gaps.

Belongs here: days held against days. Does not: the price itself (steps.py, sanity.py).
"""

from itertools import pairwise
from typing import Any

import numpy as np

from crypto_assets.spark.problems import ReadError

from . import refusals
from .gregorian import swap_day_and_month
from .refusals import counted
from .series import between, iso
from .steps import Course
from .values import Values

MIN_ROWS = 20  # for shares to mean something
SMOOTHER = 0.6  # the swapped dates must make the series this much smoother
MAX_BREAKS_SHARE = 0.05


def check(values: Values, lines: Any, course: Course) -> None:
    """Make rows out of order bad lines. Raises `ReadError` if the dates as a whole are in none."""
    as_read, swapped = _roughness(course)
    if swapped < SMOOTHER * as_read:
        raise refusals.SWAPPED_DATES.refused(values.show(course.line(0)))
    if values.series.backwards:
        rows = _Rows(values, lines)
        breaks = _flag_strays(values, rows)
        smooth = as_read < SMOOTHER * swapped
        if breaks and (len(breaks) > MAX_BREAKS_SHARE * len(rows.days) or not smooth):
            raise _no_order(values, rows, breaks)
        if breaks:
            times, where = counted(len(breaks), "time"), between(rows.days, breaks)
            values.notes.append(f"the order of dates is broken {times}, between {where}")
    if values.series.irregular and (gaps := values.series.gaps()):
        values.notes.append(f"no rows between {gaps}")


def check_strictly(values: Values, lines: Any) -> None:
    """Raises `ReadError` if any row is out of order."""
    if values.series.backwards:
        rows = _Rows(values, lines)
        if breaks := rows.breaks():
            raise _no_order(values, rows, breaks)


class _Rows:
    """The days and lines of the rows in the file's order, without those that an option chose.

    Of several rows of a day, the one that is kept may stand anywhere.
    """

    def __init__(self, values: Values, lines: Any) -> None:
        series = values.series
        every = zip(series.days.to_pylist(), lines.to_pylist(), strict=True)
        rows = [(day, line) for day, line in every if line not in values.chosen]
        self.days: list[int] = [day for day, _ in rows]
        self.lines: list[int] = [line for _, line in rows]
        self._sign = -1 if series.descending else 1
        self._present = set(self.days)
        self._ends = (min(self.days), max(self.days)) if rows else (0, 0)

    def breaks(self) -> list[int]:
        """The rows after which the order is broken."""
        pairs = enumerate(pairwise(self.days))
        return [row for row, (day, after) in pairs if self._sign * after < self._sign * day]

    def is_stray(self, at: int) -> bool:
        """Whether the others are in order without this row, and lack no row of its date.

        A row elsewhere whose date is the one that lacks among the others was moved.
        """
        inside = 0 < at < len(self.days) - 1
        if inside and self._sign * self.days[at + 1] < self._sign * self.days[at - 1]:
            return False
        day, (first, last) = self.days[at], self._ends
        before = day == first or day - 1 in self._present
        return not (before and (day == last or day + 1 in self._present))


def _flag_strays(values: Values, rows: _Rows) -> list[int]:
    """Make rows bad whose date does not fit where they stand; the other breaks of the order."""
    rest = []
    for row in rows.breaks():
        strays = [at for at in (row, row + 1) if rows.is_stray(at)]
        for at in strays:
            around = [iso(rows.days[i]) for i in (at - 1, at + 1) if 0 <= i < len(rows.days)]
            values.problems[rows.lines[at]] = refusals.STRAY_DATE.text(
                day=iso(rows.days[at]), around=" and ".join(around)
            )
        if not strays:
            rest.append(row)
    return rest


def _no_order(values: Values, rows: _Rows, breaks: list[int]) -> ReadError:
    at = values.show(rows.lines[breaks[0] + 1])
    return refusals.NO_ORDER.refused(at, count=len(breaks))


def _roughness(course: Course) -> tuple[float, float]:
    """Mean size of the daily log moves: with the dates as read, and with day and month swapped."""
    swapped, moved = swap_day_and_month(course.days)
    if len(course.days) < MIN_ROWS or moved < MIN_ROWS / 4:
        return 0.0, 0.0
    steps = np.diff(course.logs[np.argsort(swapped, kind="stable")])
    return float(abs(course.steps).mean()), float(abs(steps).mean())
