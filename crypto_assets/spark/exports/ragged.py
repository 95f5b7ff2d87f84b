"""Lines that lack cells at their end: whether it is certain which cells they lack.

Belongs here: that one question. Does not: which lines are completed (`Table.completed`).
"""

from typing import Any

import pyarrow.compute as pc

from . import numbers, refusals
from .arrays import false_if_null, pick
from .columns import Beside
from .values import Values

VERIFIED_SHARE = 0.99
ONE_VALUE = 2  # cells of a line: its date, its only value
NEAR = 2.0  # times another price of the same coin, at most


def check_short(beside: Beside, values: Values, price: Any, low: Any, high: Any) -> None:
    """Hold the prices of lines that lack cells against what else those lines say.

    A price that lies within its line's low and high is in its place. So is one right after the
    dates, if many lines lack the same cells and it is the only one or like those of the other
    lines. Other lines are bad, or the file is refused.
    """
    table = beside.table
    if table.ragged is None:
        return
    lines = pick(table.body, beside.series.rows)
    counts = pick(table.ragged, beside.series.rows)
    lacks = pc.less(counts, table.width)
    bounded = low is not None and high is not None
    doubtful = lacks
    if bounded:
        within = pc.and_(pc.less_equal(low, price), pc.less_equal(price, high))
        in_place = pc.and_(false_if_null(within), _near_adjusted(beside, values, price))
        doubtful = pc.and_(lacks, pc.invert(in_place))
    unsure = [lines[row].as_py() for row in pc.indices_nonzero(doubtful).to_pylist()]
    many = [line for line in unsure if line not in table.short]
    alike = pc.max(counts).as_py() == ONE_VALUE or _are_alike(lacks, price)
    placed = not bounded and values.column == beside.date_column + 1 and alike
    if placed or len(many) <= (1 - VERIFIED_SHARE) * lacks.true_count:
        unsure = [line for line in unsure if line in table.short]
    elif many:
        at = table.line(many[0])
        raise refusals.LACKING_CELLS.refused(at, count=len(many), names=table.width)
    for line in unsure:
        count = refusals.counted(len(table.cells[line]), "cell")
        values.problems[line] = refusals.CELLS.text(count=count, width=table.width)


def _near_adjusted(beside: Beside, values: Values, price: Any) -> Any:
    """Per row, whether the adjusted close is near the price; true where there is none."""
    if "adjusted" not in beside.roles:
        return pc.is_valid(price)
    adjusted = numbers.quick(beside.cells(beside.roles.index("adjusted")), values.decimal)
    return pc.less_equal(pc.fill_null(_times(adjusted, price), 1.0), NEAR)


def _are_alike(lacks: Any, price: Any) -> bool:
    """Whether the price stays the same where lines that lack cells stand beside whole ones."""
    beside = pc.xor(lacks.slice(1), lacks.slice(0, len(lacks) - 1))
    times = _times(price.slice(1), price.slice(0, len(price) - 1))
    leaps = pc.and_(beside, pc.greater(times, NEAR)).true_count
    return bool(2 * leaps < beside.true_count)


def _times(one: Any, other: Any) -> Any:
    """How many times one is the other, or the other way round."""
    return pc.divide(
        pc.max_element_wise(one, other, skip_nulls=False), pc.min_element_wise(one, other)
    )
