"""Do the prices make sense: duplicates, order, outliers, low <= close <= high, stated changes.

Belongs here: tests of numbers against numbers. Does not: what a cell or a header means.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from crypto_assets.spark.problems import ReadError

from .arrays import count_true, false_if_null
from .dates import swap_day_and_month
from .model import Options
from .series import Series, iso
from .values import Values

OUTLIER = 50.0  # a price this many times both its neighbours (or this part of them)
JUMP = 5.0  # from one row to the next, up and down again: a decimal mark comes and goes
MIN_JUMPS = 2  # in both directions
NEAR_DAYS = 7  # neighbours further apart tell nothing
OUTSIDE = 1.005  # rounding of low and high
FAR_OUTSIDE = 2.0  # a close this far outside low..high is wrong by itself
OUTSIDE_SHARE = 0.01
CONTRADICTED_SHARE = 0.4
LEAST_ALLOWED = 0.1  # percent that a stated change may be off
MIN_ROWS = 20  # for shares to mean something
SMOOTHER = 0.6  # the swapped dates must make the series this much smoother
MAX_BREAKS_SHARE = 0.05
MAX_TWICE_SHARE = 0.05
MAX_TWICE = 5
CLOSE_GAP = 0.25  # an open is this much nearer to the close before than high is to low
MAX_SPREAD = 0.3  # of a day; more than that are not the prices of one thing
SHOWN = 40


@dataclass(frozen=True)
class Ohlc:
    """Per dated row: its line (0-based), cell, price as read (`raw`) and > 0 (`price`), others."""

    lines: Any
    cells: Any
    raw: Any
    price: Any
    low: Any | None
    high: Any | None
    changes: list[Callable[[], Any]]  # the stated percents, as read one way or another


@dataclass(frozen=True)
class _Course:
    """The rows with a price in the order of their dates."""

    rows: Any
    days: Any
    price: Any
    logs: Any
    moves: Any  # the size of each step of `logs`


def flag(values: Values, lines: Any, cells: Any, mask: Any | None, what: str) -> None:
    """Make the rows where `mask` is true bad lines."""
    if mask is not None and count_true(mask):
        for row in pc.indices_nonzero(false_if_null(mask)).to_pylist():
            cell = cells[row].as_py()[:SHOWN]
            values.problems.setdefault(lines[row].as_py(), f"{what}: {cell!r}")


def check(values: Values, rows: Ohlc, series: Series, options: Options) -> None:
    """Add bad lines and notes to `values`. Raises `ReadError` if the file as a whole is wrong."""
    _check_twice(values, rows, series)
    by_date = pc.sort_indices(series.days)
    price = rows.price.take(by_date)
    course = _course(by_date, series.days.take(by_date), price)
    _check_order(values, series, course)
    _check_within(values, rows, options)
    if not options.accept_outliers:
        _flag_outliers(values, rows, course)
    _check_change(rows, by_date, price)


def count_jumps(price: Any) -> int:
    """Steps (in file order) to a price `JUMP` times higher or lower."""
    kept = price.filter(pc.greater(price, 0))
    if len(kept) < 2:  # noqa: PLR2004
        return 0
    return int(pc.greater(pc.abs(_log_steps(kept)), math.log(JUMP)).true_count)


def _log_steps(price: Any) -> Any:
    return _steps(pc.ln(price))


def _steps(numbers: Any) -> Any:
    return pc.subtract(numbers.slice(1), numbers.slice(0, len(numbers) - 1))


def _course(rows: Any, days: Any, price: Any) -> _Course:
    if price.null_count:
        valid = price.is_valid()
        rows, days, price = rows.filter(valid), days.filter(valid), price.filter(valid)
    logs = pc.ln(price)
    return _Course(rows, days, price, logs, pc.abs(_steps(logs)))


def _check_twice(values: Values, rows: Ohlc, series: Series) -> None:
    if not (series.backwards or series.same_day):
        return
    counts = pc.value_counts(series.days)
    if len(counts) == len(series.days):
        return
    days, times = counts.flatten()
    twice = days.filter(pc.greater(times, 1)).to_pylist()
    if len(twice) > max(MAX_TWICE, MAX_TWICE_SHARE * len(series.days)):
        raise ReadError(
            f"{len(twice):,} dates occur more than once, {iso(twice[0])} for one: are several "
            "series or downloads in one file?"
        )
    for day in twice:
        where = pc.indices_nonzero(pc.equal(series.days, day)).to_pylist()
        if len({rows.raw[row].as_py() for row in where}) > 1:
            lines = " and ".join(str(rows.lines[row].as_py() + 1) for row in where)
            for row in where:
                reason = f"{iso(day)} has different prices on lines {lines}"
                values.problems[rows.lines[row].as_py()] = reason
    values.notes.append(f"{len(twice)} dates occur more than once")


def _check_order(values: Values, series: Series, course: _Course) -> None:
    """Refuse dates whose day and month were swapped where both are 12 or less."""
    as_read, swapped = _roughness(course)
    if swapped < SMOOTHER * as_read:
        raise ReadError(
            "day and month are swapped in the dates with a day up to 12 (a spreadsheet or script "
            "took them in the other order): prices run smoothly only if they are swapped back; "
            "download again"
        )
    if not series.backwards:
        return
    smooth = as_read < SMOOTHER * swapped
    if series.backwards > MAX_BREAKS_SHARE * len(series.days) or not smooth:
        raise ReadError(
            f"the dates neither ascend nor descend: {series.backwards} rows go the other way; sort "
            "by date or download again"
        )
    values.notes.append(f"the order of dates is broken {series.backwards} times")


def _roughness(course: _Course) -> tuple[float, float]:
    """Mean size of the daily log moves: with the dates as read, and with day and month swapped."""
    swapped, moved = swap_day_and_month(course.days)
    if len(course.days) < MIN_ROWS or moved < MIN_ROWS / 4:
        return 0.0, 0.0
    moves = pc.abs(_steps(course.logs.take(pc.sort_indices(swapped))))
    return float(pc.mean(course.moves).as_py()), float(pc.mean(moves).as_py())


def _check_within(values: Values, rows: Ohlc, options: Options) -> None:
    """The close must lie within low..high."""
    if rows.low is None or rows.high is None:
        return
    above, below = pc.divide(rows.price, rows.high), pc.divide(rows.low, rows.price)
    if all((pc.max(ratio).as_py() or 0.0) <= OUTSIDE for ratio in (above, below)):
        return
    usable = pc.and_(pc.greater(rows.low, 0), pc.greater_equal(rows.high, rows.low))
    ratio = pc.max_element_wise(above, below, skip_nulls=False)
    ratio = pc.if_else(usable, ratio, None)
    outside = pc.greater(ratio, OUTSIDE)
    count = count_true(outside)
    if not count:
        return
    first = rows.lines[pc.index(outside, True).as_py()].as_py() + 1
    if count > max(2, OUTSIDE_SHARE * len(rows.price)):
        raise ReadError(
            f"the price lies outside low..high on {count} lines, first line {first}: decimal marks "
            "lost in a spreadsheet, or columns mixed up"
        )
    if not options.accept_outliers:
        far = pc.greater(ratio, FAR_OUTSIDE)
        flag(values, rows.lines, rows.cells, far, "the price is far outside low..high")
    values.notes.append(f"the price is outside low..high on {count} lines, first line {first}")


def _flag_outliers(values: Values, rows: Ohlc, course: _Course) -> None:
    kept, day = course.price, course.days
    count = len(kept) - 2
    if count < 1 or (pc.max(course.moves).as_py() or 0.0) <= math.log(JUMP):
        return
    before, here, after = kept.slice(0, count), kept.slice(1, count), kept.slice(2)
    near = pc.less_equal(pc.subtract(day.slice(2), day.slice(0, count)), 2 * NEAR_DAYS)
    high = pc.greater(here, pc.multiply(pc.max_element_wise(before, after), OUTLIER))
    low = pc.less(pc.multiply(here, OUTLIER), pc.min_element_wise(before, after))
    single = pc.and_(near, pc.or_(high, low))
    for position in pc.indices_nonzero(single).to_pylist():
        row = course.rows[position + 1].as_py()
        values.problems[rows.lines[row].as_py()] = (
            f"the price {rows.cells[row].as_py()} is more than {OUTLIER:.0f} times off both its "
            "neighbours: correct it, or accept it with --accept-outliers"
        )
    rest = pc.invert(pa.concat_arrays([pa.array([False]), single, pa.array([False])]))
    _refuse_jumps(kept.filter(rest), day.filter(rest))


def _refuse_jumps(price: Any, days: Any) -> None:
    steps = _log_steps(price)
    near = pc.less_equal(pc.subtract(days.slice(1), days.slice(0, len(days) - 1)), NEAR_DAYS)
    limit = math.log(JUMP)
    up = pc.and_(near, pc.greater(steps, limit))
    down = pc.and_(near, pc.less(steps, -limit))
    if min(up.true_count, down.true_count) >= MIN_JUMPS:
        first = pc.index(pc.or_(up, down), True).as_py() + 1
        raise ReadError(
            f"the price jumps {JUMP:.0f}-fold or more {up.true_count} times up and "
            f"{down.true_count} times down, first on {iso(days[first].as_py())}: decimal marks "
            "lost in a spreadsheet? Download again (--accept-outliers if this is real)"
        )


def _check_change(rows: Ohlc, by_date: Any, price: Any) -> None:
    """The stated change must be the move from the row before, give or take rounding."""
    if not rows.changes or len(price) < MIN_ROWS:
        return
    before, here = price.slice(0, len(price) - 1), price.slice(1)
    move = pc.multiply(pc.subtract(pc.divide(here, before), 1.0), 100.0)
    wrong = known = 0
    for read in rows.changes:
        distance = pc.abs(pc.subtract(move, read().take(by_date).slice(1)))
        known = len(distance) - distance.null_count
        few = CONTRADICTED_SHARE * known
        # Most files pass with the least that is allowed, so the rest of it need not be known.
        if known < MIN_ROWS or pc.greater(distance, LEAST_ALLOWED).true_count <= few:
            return
        rounding = pc.divide(100.0 * _resolution(rows.cells), pc.min_element_wise(here, before))
        allowed = pc.add(pc.add(LEAST_ALLOWED, pc.multiply(pc.abs(move), 0.02)), rounding)
        wrong = pc.greater(distance, allowed).true_count
        if wrong <= few:
            return
    raise ReadError(
        f"the stated change contradicts the prices on {wrong} of {known} lines: dates or prices "
        "were altered; download again"
    )


def _resolution(cells: Any) -> float:
    """The last decimal place the prices are written with, judged by a spread sample."""
    sample = cells[:: max(1, len(cells) // 20)].to_pylist()
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
