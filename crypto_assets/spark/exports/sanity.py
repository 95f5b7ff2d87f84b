"""Do the prices make sense: low <= close <= high, stated changes, which column is the close.

Belongs here: tests of columns against each other. Does not: what a cell or a header means, the
order of the dates (order.py), steps from one price to the next (steps.py).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from . import order, refusals, steps
from .arrays import count_true, false_if_null, floats, spread
from .model import Options
from .refusals import Reason, counted, quoted
from .series import Series
from .values import Values

OUTSIDE = 1.005  # rounding of low and high
FAR_OUTSIDE = 2.0  # a close this far outside low..high is wrong by itself
OUTSIDE_SHARE = 0.01
CONTRADICTED_SHARE = 0.4
LEAST_ALLOWED = 0.1  # percent that a stated change may be off
MIN_ROWS = 20  # for shares to mean something
CLOSE_GAP = 0.25  # an open is this much nearer to the close before than high is to low
MAX_SPREAD = 0.3  # of a day; more than that are not the prices of one thing


@dataclass(frozen=True)
class Ohlc:
    """Per dated row: its line (0-based), its cell, the price (null unless > 0), low and high."""

    lines: Any
    cells: Any
    price: Any
    low: Any | None
    high: Any | None
    changes: list[Callable[[], Any]]  # the stated percents, as read one way or another


def flag(values: Values, lines: Any, cells: Any, mask: Any | None, why: Reason) -> None:
    """Make the rows where `mask` is true bad lines."""
    if mask is not None and count_true(mask):
        rows = pc.indices_nonzero(false_if_null(mask)).to_pylist()
        flag_rows(values, lines, cells, rows, why)


def flag_rows(values: Values, lines: Any, cells: Any, rows: Iterable[int], why: Reason) -> None:
    """Make these rows bad lines, unless they are so already."""
    for row in rows:
        reason = why.text(cell=quoted(cells[row].as_py()))
        values.problems.setdefault(lines[row].as_py(), reason)


def check(values: Values, rows: Ohlc, options: Options) -> None:
    """Add bad lines and notes to `values`. Raises `ReadError` if the file as a whole is wrong."""
    days: NDArray[np.int32] = values.series.days.to_numpy()
    by_date = np.argsort(days, kind="stable")
    price = floats(rows.price)[by_date]
    course = steps.course(by_date, rows.lines, rows.cells, days[by_date], price)
    order.check(values, rows.lines, course)
    _check_within(values, rows, options)
    steps.check(values, course, options)
    _check_change(values, rows, by_date, price)


def _check_within(values: Values, rows: Ohlc, options: Options) -> None:
    """The close must lie within low..high."""
    if rows.low is None or rows.high is None:
        return
    price, low, high = map(floats, (rows.price, rows.low, rows.high))
    with np.errstate(all="ignore"):
        above, below = price / high, low / price
    if not ((above > OUTSIDE) | (below > OUTSIDE)).any():
        return
    _refuse_crossed(values, rows, low, high)
    ratio = np.where((low > 0) & (high >= low), np.maximum(above, below), np.nan)
    outside = ratio > OUTSIDE
    count = int(outside.sum())
    if not count:
        return
    first = rows.lines[int(outside.argmax())].as_py()
    if count > max(2, OUTSIDE_SHARE * len(rows.price)):
        raise refusals.OUTSIDE.refused(values.show(first), count=count)
    if not options.accept_outliers:
        far = np.flatnonzero(ratio > FAR_OUTSIDE).tolist()
        flag_rows(values, rows.lines, rows.cells, far, refusals.FAR_OUTSIDE)
    lines = counted(count, "line")
    values.notes.append(f"the price is outside low..high on {lines}, first line {first + 1}")


def _refuse_crossed(
    values: Values, rows: Ohlc, low: NDArray[np.float64], high: NDArray[np.float64]
) -> None:
    """A column of lows that often lies above that of the highs holds something else."""
    crossed = (low > high * OUTSIDE) & (high > 0)
    count = int(crossed.sum())
    if count > max(2, OUTSIDE_SHARE * len(low)):
        first = rows.lines[int(crossed.argmax())].as_py()
        raise refusals.CROSSED.refused(values.show(first), count=count)


def _check_change(
    values: Values, rows: Ohlc, by_date: NDArray[np.int64], price: NDArray[np.float64]
) -> None:
    """The stated change must be the move from the row before, give or take rounding."""
    if not rows.changes or len(price) < MIN_ROWS:
        return
    before, here = price[:-1], price[1:]
    move = (here / before - 1.0) * 100.0
    wrong = known = 0
    for read in rows.changes:
        distance = abs(move - floats(read())[by_date][1:])
        known = int(np.count_nonzero(~np.isnan(distance)))
        few = CONTRADICTED_SHARE * known
        # Most files pass with the least that is allowed, so the rest of it need not be known.
        if known < MIN_ROWS or np.count_nonzero(distance > LEAST_ALLOWED) <= few:
            return
        rounding = 100.0 * _resolution(rows.cells) / np.minimum(here, before)
        wrong = int(np.count_nonzero(distance > LEAST_ALLOWED + abs(move) * 0.02 + rounding))
        if wrong <= few:
            return
    first = rows.lines[int(by_date[1])].as_py()
    raise refusals.CONTRADICTED.refused(values.show(first), count=wrong, known=known)


def _resolution(cells: Any) -> float:
    """The last decimal place the prices are written with, judged by a spread sample."""
    sample = spread(cells, 20)
    places = [len(cell) - 1 - max(cell.rfind("."), cell.rfind(",")) for cell in sample]
    written = [p for p, cell in zip(places, sample, strict=True) if p < len(cell)]
    return float(10.0 ** -max(written, default=0))


def close_by_evidence(columns: list[tuple[int, Any | None]], series: Series) -> int | None:
    """The closing price among the first four columns of numbers, or None if that is not certain.

    High and low are the columns that bound the others; a day's open is near the close before.
    """
    found = [(i, values) for i, values in columns[:5] if values is not None][:4]
    if len(found) < 4 or len(series.days) < MIN_ROWS:  # noqa: PLR2004
        return None
    by_date = pc.sort_indices(series.days)
    taken = {i: values.take(by_date) for i, values in found}
    tops = [i for i in taken if all(_bounds(taken[i], taken[j]) for j in taken if j != i)]
    bottoms = [i for i in taken if all(_bounds(taken[j], taken[i]) for j in taken if j != i)]
    if len(tops) != 1 or len(bottoms) != 1:
        return None
    top, bottom = taken[tops[0]], taken[bottoms[0]]
    spread = _mean_finite(pc.subtract(pc.divide(top, bottom), 1.0))
    one, two = (i for i in taken if i not in (tops[0], bottoms[0]))
    one_closes, two_closes = _gap(taken[one], taken[two]), _gap(taken[two], taken[one])
    best, other = sorted((one_closes, two_closes))
    if spread > MAX_SPREAD or best > CLOSE_GAP * spread or best > CLOSE_GAP * 2 * other:
        return None
    return one if one_closes < two_closes else two


def _bounds(upper: Any, lower: Any) -> bool:
    fits = pc.mean(pc.greater_equal(upper, pc.multiply(lower, 0.999)).cast(pa.float64())).as_py()
    return (fits or 0.0) > 1 - OUTSIDE_SHARE


def _gap(close: Any, opening: Any) -> float:
    """Mean relative distance of an open from the close before it."""
    before, after = close.slice(0, len(close) - 1), opening.slice(1)
    return _mean_finite(pc.abs(pc.subtract(pc.divide(after, before), 1.0)))


def _mean_finite(values: Any) -> float:
    return float(pc.mean(values.filter(pc.is_finite(values))).as_py() or 0.0)
