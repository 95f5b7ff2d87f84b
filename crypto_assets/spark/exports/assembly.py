"""The result: one row per line of the file, and the facts about it.

Belongs here: putting together what the other modules decided. Does not: any decision on a value.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from . import refusals
from .arrays import index, pick, scatter
from .layout import BAD, BLANK, DATA, HEADER, LEFT_OUT, ROLES, Layout
from .model import Columns, Export
from .series import Series, iso
from .table import Table
from .text import Text
from .values import Values

_ROLES = pa.array(ROLES)
MAX_BAD_SHARE = 0.2  # beyond it the file as a whole is not what it seems
MAX_BAD_ALWAYS = 10
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


def assemble(text: Text, table: Table, layout: Layout, column: int, values: Values) -> Export:
    """The `Export`. Raises `ReadError` if too many lines are bad or none is good."""
    count, series = len(table.cells), values.series
    lines = pick(table.body, series.rows)
    codes = _codes(count, lines, table)
    special, problems = _special(codes, table, layout, column, values)
    _refuse_if_too_many(problems, table)
    dates, texts = (scatter(each, lines, count) for each in (series.written, values.text))
    undated = any(codes[line] == DATA for line in special)
    for line, code in special.items():
        codes[line] = code
    roles = pa.Array.from_buffers(pa.int8(), count, [None, pa.py_buffer(codes)])
    if undated:
        good = pc.equal(roles, DATA)
        dates, texts = pc.if_else(good, dates, None), pc.if_else(good, texts, None)
    rows = count - dates.null_count
    reasons = values.left_out | problems
    if not rows:
        line = min(reasons)
        raise refusals.NO_LINE.refused(table.line(line), reason=reasons[line])
    first, last = _ends(series, dates if undated else None)
    columns = [index(count, 1), _ROLES.take(roles), table.cells, dates, texts]
    return Export(
        kind=values.kind,
        lines=pa.table([*columns, _reasons(reasons, count)], schema=SCHEMA),
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
        steps=tuple(values.steps),
    )


def _special(
    codes: bytearray, table: Table, layout: Layout, column: int, values: Values
) -> tuple[dict[int, int], dict[int, str]]:
    """The roles of the lines that are no plain data, and the problems of the bad ones."""
    special = layout.special() | dict.fromkeys(layout.bad, BAD)
    special |= dict.fromkeys(values.left_out, LEFT_OUT) | dict.fromkeys(values.problems, BAD)
    reasons = layout.bad | values.left_out | values.problems
    problems = {line: reasons[line] for line, code in special.items() if code == BAD}
    for line in _others(codes, special):
        if layout.repeats_header(table, line):
            special[line] = HEADER
        else:
            special[line] = BAD
            problems[line] = _problem(table, values.series, line, column)
    return special, problems


def _others(codes: bytearray, known: dict[int, int]) -> Iterator[int]:
    """The lines without a date of which nothing is known yet."""
    line = codes.find(BAD)
    while line >= 0:
        if line not in known:
            yield line
        line = codes.find(BAD, line + 1)


def _ends(series: Series, dates: Any | None) -> tuple[date, date]:
    """The first and the last day of a series, or of those of its rows that have ISO `dates`."""
    if dates is not None:
        found = pc.min_max(dates).as_py()
        ends = found["min"], found["max"]
    else:
        days = series.days.to_numpy()
        ends = iso(int(days.min())), iso(int(days.max()))
    return date.fromisoformat(ends[0]), date.fromisoformat(ends[1])


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


def _refuse_if_too_many(problems: dict[int, str], table: Table) -> None:
    lines = len(table.cells)
    if len(problems) > max(MAX_BAD_ALWAYS, MAX_BAD_SHARE * lines):
        first = min(problems)
        raise refusals.BAD_LINES.refused(
            table.line(first), count=len(problems), lines=lines, problem=problems[first]
        )


def _problem(table: Table, series: Series, line: int, column: int) -> str:
    """Why a line among the data has no valid date."""
    cells = table.line_cells(line)
    if len(cells) != table.width:
        return refusals.CELLS.text(count=refusals.counted(len(cells), "cell"), width=table.width)
    if not cells[column]:
        return refusals.NO_DATE.text()
    day: Any = series.reading.days[pc.index(table.body, line).as_py()].as_py()
    if day is not None:
        return refusals.FUTURE.text(day=iso(day))
    return refusals.NO_SUCH_DATE.text(cell=refusals.quoted(cells[column]))
