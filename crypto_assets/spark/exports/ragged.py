"""Lines that lack cells at their end: whether it is certain which cells they lack.

Belongs here: that one question. Does not: which lines are completed (`Table.completed`).
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from . import refusals
from .arrays import pick
from .columns import Beside
from .values import Values

VERIFIED_SHARE = 0.99


def check_short(beside: Beside, values: Values, price: Any, low: Any, high: Any) -> None:
    """Hold the prices of lines that lack cells against what else those lines say.

    A price that lies within its line's low and high is in its place. So is one right after the
    dates, if many lines lack the same cells. Other lines are bad, or the file is refused.
    """
    table, rows = beside.table, beside.series.rows
    lines = pick(table.body, rows)
    if table.ragged is None:
        return
    counts = pick(table.ragged, rows)
    verified = pa.nulls(len(lines), pa.bool_())
    if low is not None and high is not None:
        verified = pc.and_(pc.less_equal(low, price), pc.less_equal(price, high))
    doubtful = pc.and_(pc.less(counts, table.width), pc.invert(pc.fill_null(verified, False)))
    doubtful = [lines[row].as_py() for row in pc.indices_nonzero(doubtful).to_pylist()]
    many = [line for line in doubtful if line not in table.short]
    lacking = pc.less(counts, table.width).true_count
    if values.column == beside.date_column + 1 or len(many) <= (1 - VERIFIED_SHARE) * lacking:
        doubtful = [line for line in doubtful if line in table.short]
    elif many:
        at = table.line(many[0])
        raise refusals.LACKING_CELLS.refused(at, count=len(many), names=table.width)
    for line in doubtful:
        count = refusals.counted(len(table.cells[line]), "cell")
        values.problems[line] = refusals.CELLS.text(count=count, width=table.width)
