"""A file that was cut: its very last cell, where there is no line end behind it.

Belongs here: whether that cell is cut, and the row left out if it is the date or the value. Does
not: lines that lack cells elsewhere. A cut value is a number like any other, only smaller.
"""

import re
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from . import refusals
from .columns import Beside
from .series import with_days
from .table import BLANK, LastCell, Table, cut_one, read_table
from .text import Text

_DECIMALS = re.compile(r"\d[.,](\d*)")


def whole_lines(text: Text, table: Table) -> Table:
    """The table with the quote of its last cell closed and the cells missing after it empty.

    Only where the file does not end with a line end; `cut` then says which cell is the last.
    """
    last = len(text.lines) - 1
    line = text.lines[last].as_py()
    if text.ended or text.truncated or not line.strip(BLANK):
        return table
    quote = '"' * (line.count('"') % 2)
    cells = cut_one(line + quote, table.delimiter)
    if not any(map(str.isdigit, cells[0])):  # words below the table
        return table
    missing = max(0, table.width - len(cells))
    if quote or missing:
        whole = pa.array([line + quote + missing * table.delimiter])
        lines = pa.concat_arrays([text.lines.slice(0, last), whole])
        table = replace(read_table(lines), lines=text.lines)
    return replace(table, cut=LastCell(last, len(cells) - 1, bool(quote or missing)))


def leave_out(beside: Beside, column: int) -> tuple[Beside, dict[int, str]]:
    """The rows without the file's last line, and why, if its date or value may be cut.

    Raises `ReadError` if no other line has a date.
    """
    table, layout, series = beside.table, beside.layout, beside.series
    last = table.cut
    if last is None or last.column > max(beside.date_column, column):
        return beside, {}
    reason = {last.line: refusals.CUT.text()}
    if table.body[series.rows[-1].as_py()].as_py() != last.line:
        named = (layout.header_line, *layout.preamble, *layout.footer)
        return beside, reason if last.torn and last.line not in named else {}
    cells = beside.cells(last.column)
    lost = last.column == column and _fewer_decimals(cells.to_pylist())
    if not (last.torn or lost or _is_shortest(cells)):
        return beside, {}
    count = len(series.rows) - 1
    if not count:
        raise refusals.ONLY_CUT.refused(table.line(last.line))
    kept = with_days(series, series.rows.slice(0, count), series.days.slice(0, count))
    return beside.following(kept), reason


def _is_shortest(cells: Any) -> bool:
    """Whether the last of these cells is shorter than every other one."""
    lengths = pc.utf8_length(cells)
    others = lengths.slice(0, len(lengths) - 1)
    return len(others) > 0 and bool(lengths[-1].as_py() < pc.min(others).as_py())


def _fewer_decimals(cells: list[str]) -> bool:
    """Whether the last of these values has fewer decimals than every other one."""
    *others, last = cells
    least = _decimals(last)
    known = [cell for cell in others if any(map(str.isdigit, cell))]
    return bool(known) and all(_decimals(cell) > least for cell in known)


def _decimals(cell: str) -> int:
    found = _DECIMALS.search(cell)
    return len(found[1]) if found else 0
