"""The result: one row per line of the file, and the facts about it.

Belongs here: putting together what the other modules decided. Does not: any decision on a value.
"""

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from crypto_assets.spark.problems import ReadError

from .arrays import index, pick, scatter
from .layout import BAD, BLANK, DATA, HEADER, ROLES, Layout
from .model import Columns, Export
from .series import Series, iso
from .table import Table
from .text import Text
from .values import Values

_ROLES = pa.array(ROLES)
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
    """The `Export`. Raises `ReadError` if too many lines are bad or none is good."""
    count = len(table.cells)
    lines = pick(table.body, series.rows)
    codes = _codes(count, lines, table)
    problems = layout.bad | values.problems
    special = layout.special() | dict.fromkeys(problems, BAD)
    line = codes.find(BAD)
    while line >= 0:
        if line not in special:
            if layout.repeats_header(table, line):
                special[line] = HEADER
            else:
                special[line] = BAD
                problems[line] = _problem(table, series, line, column)
        line = codes.find(BAD, line + 1)
    _refuse_if_too_many(problems, count)
    dates = scatter(series.written, lines, count)
    texts = scatter(values.text, lines, count)
    undated = any(codes[line] == DATA for line in special)
    for line, code in special.items():
        codes[line] = code
    roles = pa.Array.from_buffers(pa.int8(), count, [None, pa.py_buffer(codes)])
    if undated:
        good = pc.equal(roles, DATA)
        dates, texts = pc.if_else(good, dates, None), pc.if_else(good, texts, None)
    rows = count - dates.null_count
    if not rows:
        raise ReadError("no line can be read: " + next(iter(problems.values()), "no data"))
    ends = pc.min_max(dates if undated else series.days).as_py()
    first, last = (
        date.fromisoformat(ends[end] if undated else iso(ends[end])) for end in ("min", "max")
    )
    return Export(
        kind=values.kind,
        lines=pa.table(
            [
                index(count, 1),
                _ROLES.take(roles),
                table.cells,
                dates,
                texts,
                _reasons(problems, count),
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
        first_date=first,
        last_date=last,
        rows=rows,
        term=values.term,
        notes=tuple(values.notes),
    )


def _codes(count: int, lines: Any, table: Table) -> bytearray:
    """Per line `DATA` where it has a date, `BLANK` where it is empty, else `BAD`."""
    codes = bytearray([BAD]) * count
    for blank in pc.indices_nonzero(table.blank).to_pylist():
        codes[blank] = BLANK
    first, last = lines[0].as_py(), lines[-1].as_py()
    if last - first + 1 == len(lines):
        codes[first : last + 1] = bytes([DATA]) * len(lines)
    else:
        for line in lines.to_pylist():
            codes[line] = DATA
    return codes


def _reasons(problems: dict[int, str], count: int) -> Any:
    if not problems:
        return pa.nulls(count, pa.string())
    order = sorted(problems)
    reasons = pa.array([problems[line] for line in order], pa.string())
    return scatter(reasons, pa.array(order, pa.int64()), count)


def _refuse_if_too_many(problems: dict[int, str], count: int) -> None:
    if len(problems) > max(MAX_BAD_ALWAYS, MAX_BAD_SHARE * count):
        first = min(problems)
        raise ReadError(
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
