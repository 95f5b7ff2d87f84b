"""The result: one row per line of the file, and the facts about it.

Belongs here: putting together what the other modules decided. Does not: any decision on a value.
"""

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .arrays import index, scatter
from .layout import BAD, BLANK, DATA, HEADER, ROLES, Layout
from .model import Columns, Export, Refused
from .series import Series, iso
from .table import Table
from .text import Text
from .values import Values

MAX_BAD_SHARE = 0.2  # beyond it the file as a whole is not what it seems
MAX_BAD_ALWAYS = 10
SHOWN = 40  # characters of a cell in a message
SCHEMA = pa.schema(
    [
        ("line", pa.int32()),
        ("role", pa.string()),
        ("cells", pa.list_(pa.string())),
        ("date", pa.string()),
        ("value", pa.string()),
        ("problem", pa.string()),
    ]
)


def assemble(
    text: Text, table: Table, layout: Layout, series: Series, column: int, values: Values
) -> Export:
    """The `Export`. Raises `Refused` if too many lines are bad or none is good."""
    count = len(table.cells)
    lines = table.body.take(series.rows)
    dates = scatter(series.days.cast(pa.date32()).cast(pa.string()), lines, count)
    texts = scatter(values.text, lines, count)
    codes = pc.if_else(pc.is_valid(dates), DATA, pc.if_else(table.blank, BLANK, BAD))
    problems = layout.bad | values.problems
    special = layout.special() | dict.fromkeys(problems, BAD)
    unexplained = pc.equal(codes, BAD)
    if unexplained.true_count > len(special):
        for line in pc.indices_nonzero(unexplained).to_pylist():
            if line in special:
                continue
            if layout.repeats_header(table, line):
                special[line] = HEADER
            else:
                special[line] = BAD
                problems[line] = _problem(table, series, line, column)
    _refuse_if_too_many(problems, count)
    if special:
        order = sorted(special)
        new = scatter(
            pa.array([special[line] for line in order], codes.type), pa.array(order), count
        )
        codes = pc.coalesce(new, codes)
        good = pc.equal(codes, DATA)
        dates, texts = pc.if_else(good, dates, None), pc.if_else(good, texts, None)
    order = sorted(problems)
    reasons = pa.array([problems[line] for line in order], pa.string())
    rows = count - dates.null_count
    if not rows:
        raise Refused("no line can be read: " + next(iter(problems.values()), "no data"))
    ends = pc.min_max(dates).as_py()
    return Export(
        kind=values.kind,
        lines=pa.table(
            [
                index(count, 1),
                pc.take(pa.array(ROLES), codes),
                table.cells,
                dates,
                texts,
                scatter(reasons, pa.array(order, pa.int64()), count),
            ],
            schema=SCHEMA,
        ),
        source=values.source,
        language=layout.language(),
        encoding=text.encoding,
        delimiter=table.delimiter,
        date_format=series.reading.name,
        decimal=values.decimal,
        columns=Columns(column, values.column, layout.name(column), layout.name(values.column)),
        granularity=values.granularity,
        first_date=date.fromisoformat(ends["min"]),
        last_date=date.fromisoformat(ends["max"]),
        rows=rows,
        term=values.term,
        notes=tuple(values.notes),
    )


def _refuse_if_too_many(problems: dict[int, str], count: int) -> None:
    if len(problems) > max(MAX_BAD_ALWAYS, MAX_BAD_SHARE * count):
        first = min(problems)
        raise Refused(
            f"{len(problems):,} of {count:,} lines cannot be read, the first is line {first + 1}: "
            f"{problems[first]}"
        )


def _problem(table: Table, series: Series, line: int, column: int) -> str:
    """Why a line among the data has no valid date."""
    cells = table.line_cells(line)
    if len(cells) != table.width:
        return f"{len(cells)} cells where the other lines have {table.width}"
    if not cells[column]:
        return "no date"
    day: Any = series.reading.days[pc.index(table.body, line).as_py()].as_py()
    if day is not None:
        return f"the date {iso(day)} is in the future"
    return f"no such date: {cells[column][:SHOWN]!r}"
