"""Which reading of the dates is the true one, and what kind of series the days form.

Belongs here: order, steps and granularity of the days. Does not: prices (history.py, trend.py).
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from . import refusals
from .arrays import index, pick
from .dates import Reading
from .model import DateOrder, Granularity
from .refusals import Line

REGULAR_SHARE = 0.5  # of the steps must be one day (week, month) long; gaps are normal
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
WEEK = 7
MONTH_DAYS = (28, 31)
STEPS: dict[Granularity, tuple[int, int]] = {
    "day": (1, 1),
    "week": (WEEK, WEEK),
    "month": MONTH_DAYS,
}
SHOWN = 5  # gaps in a message
NAMES = {"day": "daily", "week": "weekly", "month": "monthly"}


@dataclass(frozen=True)
class Series:
    """A reading and what its days look like, over the rows where they are valid."""

    reading: Reading
    rows: Any  # body positions with a valid date, ascending
    days: Any  # their days since 1970, int32
    invalid: int  # written as a date, but there is no such day or it is in the future
    descending: bool
    backwards: int  # steps against the prevailing direction
    irregular: int  # steps that are not one day, week or month long, whichever is usual
    same_day: int  # steps of no length
    granularity: Granularity | None
    typical_step: int

    @property
    def written(self) -> Any:
        """The days as ISO text."""
        if self.reading.written is not None:
            return pick(self.reading.written, self.rows)
        return self.days.cast(pa.date32()).cast(pa.string())

    @property
    def span(self) -> str:
        """First and last day in file order, for messages."""
        return f"{iso(self.days[0].as_py())} .. {iso(self.days[-1].as_py())}"

    @property
    def pace(self) -> str:
        """The usual step in words."""
        if self.granularity and len(self.days) > 1:
            return NAMES[self.granularity]
        return f"a row about every {self.typical_step} days" if len(self.days) > 1 else "one row"

    def gaps(self) -> str:
        """Where the dates do not step as usual: the days around the first few such places.

        "" if there are none; rows of one day do not count.
        """
        days = self.days.take(pc.sort_indices(self.days))
        low, high = STEPS[self.granularity or "day"]
        steps = pc.subtract(days.slice(1), days.slice(0, len(days) - 1))
        usual = pc.and_(pc.greater_equal(steps, low), pc.less_equal(steps, high))
        rows = pc.indices_nonzero(pc.invert(pc.or_(usual, pc.equal(steps, 0)))).to_pylist()
        return between(days.to_pylist(), rows)


def between(days: list[int], rows: list[int]) -> str:
    """The days of some rows and of those after them, for messages; the first few."""
    pairs = (f"{iso(days[row])} and {iso(days[row + 1])}" for row in rows[:SHOWN])
    return ", ".join(pairs) + (f", and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")


def iso(day: int) -> str:
    """`day` since 1970 as YYYY-MM-DD."""
    return date.fromordinal(day + EPOCH_ORDINAL).isoformat()


def today() -> int:
    """The latest day that has begun anywhere, in days since 1970."""
    return datetime.now(UTC).date().toordinal() - EPOCH_ORDINAL + 1


def describe(reading: Reading, *, months_begin: bool = False) -> Series:
    """Measure the steps of a reading. `months_begin`: monthly rows can only be on a 1st."""
    return _measured(reading, *_valid(reading), months_begin)


def with_days(series: Series, rows: Any, days: Any) -> Series:
    """The series of these rows and days instead, measured anew but for its granularity."""
    written = series.reading.written if days.equals(series.reading.days.take(rows)) else None
    measured = _measured(replace(series.reading, written=written), rows, days, months_begin=False)
    return replace(measured, granularity=series.granularity, typical_step=series.typical_step)


def _measured(reading: Reading, rows: Any, days: Any, months_begin: bool) -> Series:
    invalid = reading.matched.true_count - len(rows)
    if len(days) < 2:  # noqa: PLR2004 - a step needs two
        only: Granularity = "month" if reading.monthly else "day"
        return Series(reading, rows, days, invalid, False, 0, 0, 0, only, 0)
    steps: NDArray[np.int32] = np.diff(days.to_numpy())
    times = _times(steps)
    up, down = sum(times[s] for s in times if s > 0), sum(times[s] for s in times if s < 0)
    daily = 0 if reading.monthly else times[1] + times[-1]
    counts: dict[Granularity, int] = {"day": daily}
    if 2 * daily < up + down:
        counts["week"] = times[WEEK] + times[-WEEK]
        counts["month"] = _count_months(times, days, begin=months_begin)
    granularity: Granularity = max(counts, key=lambda name: counts[name])
    moved = up + down
    fits = moved > 0 and counts[granularity] >= REGULAR_SHARE * moved
    return Series(
        reading=reading,
        rows=rows,
        days=days,
        invalid=invalid,
        descending=down > up,
        backwards=min(up, down),
        irregular=moved - counts[granularity],
        same_day=len(steps) - moved,
        granularity=granularity if fits else None,
        typical_step=0 if fits else int(np.median(abs(steps))),
    )


def _valid(reading: Reading) -> tuple[Any, Any]:
    days = reading.days
    if not len(days):
        return index(0), days
    limit = today()
    skip = 0 if days[0].is_valid else 1  # the header
    if days.null_count == skip:
        dated = days.slice(skip)
        if not len(dated) or dated.to_numpy().max() <= limit:
            return index(len(dated), skip), dated
    future = pc.greater(days, limit)
    rows = pc.indices_nonzero(pc.and_not(pc.is_valid(days), pc.fill_null(future, fill_value=True)))
    rows = rows.cast(pa.int32())
    return rows, days.take(rows)


def _times(steps: NDArray[np.int32]) -> Counter[int]:
    """How often each step occurs; in most files all are the same."""
    if (steps == steps[0]).all():
        return Counter({int(steps[0]): len(steps)})
    values, counts = np.unique(steps, return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def _count_months(times: Counter[int], days: Any, *, begin: bool) -> int:
    low, high = MONTH_DAYS
    months = sum(times[step] + times[-step] for step in range(low, high + 1))
    if not months:
        return 0
    ends = pc.min_max(pc.day(days.cast(pa.date32()))).as_py()
    same = ends["min"] == ends["max"] or ends["min"] >= low  # the last day of each month
    return months if same and (ends["min"] == 1 or not begin) else 0


def choose(candidates: list[Series], wanted: DateOrder | None, at: Line) -> Series:
    """The one reading that fits. Raises `ReadError` naming those that fit if several do.

    Valid dates come first, then an unbroken order with regular steps; `wanted` settles a tie. `at`
    is a line to show.
    """
    candidates = [series for series in candidates if len(series.days)]
    if not candidates:
        raise refusals.ALL_FUTURE.refused(at)
    fewest = min(series.invalid for series in candidates)
    candidates = [series for series in candidates if series.invalid == fewest]
    best = min(candidates, key=_disorder)
    rivals = [s for s in candidates if s is not best and _disorder(s) <= 2 * _disorder(best)]
    rivals = [s for s in rivals if not s.days.equals(best.days)]
    if not rivals:
        return best
    fitting = sorted((best, *rivals), key=lambda series: series.reading.order)
    for series in fitting:
        if series.reading.order == wanted:
            return series
    listed = "; ".join(
        f"--dates {series.reading.order} is {series.reading.name}, {series.span}, {series.pace}"
        for series in fitting
    )
    raise refusals.DATE_ORDER.refused(at, readings=listed)


def _disorder(series: Series) -> int:
    return series.irregular + series.backwards + (0 if series.granularity else len(series.days))
