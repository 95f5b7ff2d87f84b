"""From lines to cells: which delimiter, how quoted, how wide the data are.

Belongs here: the shape of the table. Does not: what a cell means. Whole columns are cut by
vectorised kernels; only lines with escaped quotes go through the csv module one by one.
"""

import csv
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from . import refusals
from .arrays import UNIT, arrow, has_byte, index, pick, spread
from .refusals import Line

DELIMITERS = ("\t", ";", "|", ",")  # the rarer inside a cell first
SAMPLE_LINES = 30
SAMPLE_ROWS = 10
AROUND = " \t\u00a0\u202f\ufeff'"  # a cell
AROUND_BYTES = sorted({character.encode()[:1] for character in AROUND})
BLANK = ' \t,;|"\u00a0\ufeff'
MAX_COLUMNS = 200
MAX_ESCAPED_LINES = 2_000
FIT_SHARE = 0.5  # of the lines must have the same number of cells
MIN_SHORT, SHORT_SHARE = 3, 0.05  # lines of one length that lack the same cells
_ENDS = "".join(DELIMITERS)
_ZERO = pa.scalar(0, pa.int32())
_ESCAPED = '""[^%s"]|[^%s"]""|"""'  # quotes inside a cell, not an empty cell


@dataclass(frozen=True)
class LastCell:
    """The last cell of a file without a line end; `torn`: with an open quote, or cells missing."""

    line: int
    column: int
    torn: bool


@dataclass(frozen=True)
class Table:
    """The cells of every line (`cells`, list<string>) and those lines that have `width` of them.

    `lines` are the lines as uploaded, `body` the indices (int32) of those that fit; `column(i)` is
    one value per body line, trimmed. `blank` marks the lines without any content. `lengths` counts
    the cells of each line, `widths` the lines per count. `short` are lines of the body that lack
    cells as few others do, `cut` is the file's last cell if it may be cut.
    """

    lines: Any
    cells: Any
    lengths: Any
    widths: dict[int, int]
    delimiter: str
    width: int
    body: Any
    blank: Any
    short: frozenset[int] = frozenset()
    cut: LastCell | None = None

    @cached_property
    def _starts(self) -> NDArray[np.int32]:
        """Where the cells of each body line begin among the cells of all lines."""
        starts: NDArray[np.int32] = self.cells.offsets.to_numpy()
        whole = len(self.body) == len(self.cells)
        return starts[:-1] if whole else starts[self.body.to_numpy()]

    @cached_property
    def ragged(self) -> Any | None:
        """The cells of each body line counted, if some have fewer than `width`."""
        whole = self.widths.get(self.width, 0) >= len(self.body)
        return None if whole else pick(self.lengths, self.body)

    @cached_property
    def _columns(self) -> dict[int, Any]:
        return {}

    def sample(self) -> list[list[str]]:
        """The trimmed cells of a few body lines, spread over the file."""
        step = max(1, len(self.body) // SAMPLE_ROWS)
        lines = (self.body[row].as_py() for row in range(step // 2, len(self.body), step))
        missing = [""] * self.width
        return [(self.line_cells(line) + missing)[: self.width] for line in lines]

    def column(self, index: int) -> Any:
        """The trimmed cells of column `index` (0-based) over the body lines; "" where missing."""
        if index not in self._columns:
            places = arrow(self._starts + index)
            if self.ragged is not None:
                places = pc.if_else(pc.greater(self.ragged, index), places, None)
            cells = self.cells.values.take(places)
            if cells.null_count:
                cells = pc.fill_null(cells, "")
            if has_byte(cells, *AROUND_BYTES):
                cells = pc.utf8_trim(cells, characters=AROUND)
            self._columns[index] = cells
        return self._columns[index]

    def at(self, index: int, rows: Any) -> Any:
        """The column at some body positions (ascending), as where there are dates."""
        return pick(self.column(index), rows)

    def line_cells(self, line: int) -> list[str]:
        """The cells of one line (0-based index)."""
        return [c.strip(AROUND) for c in self.cells[line].as_py()]

    def line(self, index: int) -> Line:
        """One line (0-based index) for a message."""
        return Line(index + 1, self.lines[index].as_py())

    def completed(self, names: int) -> "Table":
        """The table with the lines that lack cells at their end, where the header has `names`.

        Lines of one length are taken for whole if they are many: a cell is hardly lost so often.
        """
        fewer = {width: count for width, count in self.widths.items() if 1 < width < names}
        if not fewer or names < self.width:
            return self
        least = max(MIN_SHORT, SHORT_SHARE * len(self.lengths))
        few = [width for width, count in fewer.items() if count < least]
        lacking = pc.is_in(self.lengths, value_set=pa.array(few, pa.int32()))
        short = frozenset(pc.indices_nonzero(lacking).to_pylist())
        fits = pc.is_in(self.lengths, value_set=pa.array([*fewer, names], pa.int32()))
        body = pc.indices_nonzero(fits).cast(pa.int32())
        return replace(self, width=names, body=body, short=short)


def read_table(lines: Any) -> Table:
    """Cut `lines` (string array) into cells. Raises `ReadError` if they form no table."""
    uploaded = lines
    sample = spread(lines, SAMPLE_LINES)
    delimiter = _delimiter(sample)
    lines = _without_trailing(lines, sample, delimiter)
    cells = _cut(lines, delimiter)
    lengths = pc.list_value_length(cells)
    if has_byte(lines, b'"') and pc.min(lengths).as_py() == 1:
        delimiter, lines = _unwrapped(lines, lengths, delimiter)
        cells = _cut(lines, delimiter)
        lengths = pc.list_value_length(cells)
    blank = pc.equal(pc.binary_length(pc.utf8_ltrim(lines, characters=BLANK)), _ZERO)
    if blank.true_count:
        lengths = pc.if_else(blank, _ZERO, lengths)
    widths = _widths(lengths, uploaded)
    tables = {width: count for width, count in widths.items() if width > 1}
    width = max(tables, key=lambda width: (tables[width], width))
    if tables[width] == len(cells):
        body = index(len(cells))
    else:
        fits = pc.equal(lengths, pa.scalar(width, pa.int32()))
        if max(tables) > width:
            fits = pc.or_(fits, _longer_by_nothing(cells, lengths, width))
        body = pc.indices_nonzero(fits).cast(pa.int32())
    return Table(uploaded, cells, lengths, widths, delimiter, width, body, blank)


def _longer_by_nothing(cells: Any, lengths: Any, width: int) -> Any:
    """Which lines have more than `width` cells, all of those empty: a delimiter at their end."""
    longer = pc.greater(lengths, width)
    if not pc.equal(pc.list_element(cells.filter(longer), width), "").true_count:
        return pa.scalar(False)
    empty = [not any(map(str.strip, line[width:])) for line in cells.filter(longer).to_pylist()]
    return pc.replace_with_mask(longer, longer, pa.array(empty))


def _widths(lengths: Any, lines: Any) -> dict[int, int]:
    """How many lines have how many cells; blank lines have 0."""
    times = np.bincount(lengths.to_numpy()).tolist()
    counts = {width: count for width, count in enumerate(times) if count}
    widest = max(counts)
    if widest > MAX_COLUMNS:
        line = pc.index(lengths, widest).as_py()
        raise refusals.TOO_WIDE.refused(Line(line + 1, lines[line].as_py()), count=widest)
    if widest < 2:  # noqa: PLR2004 - a date and a value
        line = pc.index(lengths, 1).as_py()
        raise refusals.NO_TABLE.refused(Line(line + 1, lines[line].as_py()))
    return counts


def _delimiter(sample: list[str]) -> str:
    """The delimiter that gives most sampled lines the same number of cells."""
    sample = [line for line in sample if line.strip(BLANK)]
    if not sample:
        raise refusals.EMPTY.refused()
    best, best_share = ",", 0.0
    trailing = not {line[-1] for line in sample}.isdisjoint(DELIMITERS)  # a spreadsheet adds them
    inside = "".join([line.rstrip(_ENDS) for line in sample] if trailing else sample)
    for delimiter in [each for each in DELIMITERS if each in inside] or DELIMITERS:
        widths: Counter[int] = Counter()
        for line in sample:
            width = len(cut_one(line, delimiter))
            widths[width] += 1
            if width > 1 and widths[width] >= FIT_SHARE * len(sample):
                return delimiter
        share = max((n / len(sample) for width, n in widths.items() if width > 1), default=0.0)
        if share > best_share:
            best, best_share = delimiter, share
    return best


def _without_trailing(lines: Any, sample: list[str], delimiter: str) -> Any:
    """Without the delimiters of another kind that a spreadsheet put at the ends of lines."""
    others = _ENDS.replace(delimiter, "")
    if {line[-1:] for line in sample}.isdisjoint(others + " "):
        return lines
    return pc.utf8_rtrim(lines, characters=others + " ")


def _unwrapped(lines: Any, lengths: Any, delimiter: str) -> tuple[str, Any]:
    """Lines that were quoted as a whole, inner quotes doubled, when saved again; the delimiter.

    Where others were not, only those that give as many cells as the others have.
    """
    whole = pc.and_(pc.equal(lengths, 1), pc.starts_with(lines, '"'))
    if not whole.true_count:
        return delimiter, lines
    inner = pc.replace_substring_regex(lines, r'^\s*"(.*)"[\s,;]*$', r"\1")
    inner = pc.if_else(whole, pc.replace_substring(inner, '""', '"'), lines)
    if pc.max(lengths).as_py() == 1:
        return _delimiter(spread(inner, SAMPLE_LINES)), inner
    usual = pc.mode(lengths.filter(pc.greater(lengths, 1)))[0]["mode"]
    fits = pc.equal(pc.list_value_length(_cut(inner, delimiter)), usual)
    return delimiter, pc.if_else(fits, inner, lines)


def cut_one(line: str, delimiter: str) -> list[str]:
    """The cells of one line; the line as one cell if its quotes do not match."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [""])
    except csv.Error:
        return [line]


def _cut(lines: Any, delimiter: str) -> Any:
    if not has_byte(lines, b'"'):
        return pc.split_pattern(lines, delimiter)
    if all(ends(lines, '"').true_count == len(lines) for ends in (pc.starts_with, pc.ends_with)):
        # Every cell is quoted if taking the quotes at the ends and between cells leaves none.
        cells = pc.split_pattern(pc.utf8_slice_codeunits(lines, 1, -1), f'"{delimiter}"')
        if not has_byte(cells.values, b'"') or _counts_of_quotes_fit(lines, delimiter):
            return cells
    return _cut_mixed(lines, pc.count_substring(lines, '"'), delimiter)


def _counts_of_quotes_fit(lines: Any, delimiter: str) -> bool:
    """Whether there are two quotes per cell and no others."""
    content = bytes(lines.buffers()[2])
    between = content.count(f'"{delimiter}"'.encode())
    return content.count(b'"') == 2 * (between + len(lines))


def _cut_mixed(lines: Any, quotes: Any, delimiter: str) -> Any:
    """Lines quoted in part: what stands between the 1st and 2nd quote, 3rd and 4th… is inside."""
    escaped = pc.match_substring_regex(lines, _ESCAPED % (delimiter, delimiter))
    odd = pc.equal(pc.bit_wise_and(quotes, 1), 1)
    special = pc.indices_nonzero(pc.or_(escaped, odd)).to_pylist()
    if len(special) > MAX_ESCAPED_LINES:
        raise refusals.OPEN_QUOTES.refused(Line(special[0] + 1, lines[special[0]].as_py()))
    pieces = pc.split_pattern(lines, '"')
    starts = pc.take(pieces.offsets, pc.list_parent_indices(pieces))
    nth = pc.subtract(index(len(pieces.values)), starts)
    outside = pc.equal(pc.bit_wise_and(nth, 1), 0)
    marked = pc.if_else(
        outside, pc.replace_substring(pieces.values, delimiter, UNIT), pieces.values
    )
    joined = pc.binary_join(pa.ListArray.from_arrays(pieces.offsets, marked), "")
    if special:
        # A line with an odd number of quotes was cut short: it stays whole, so it cannot be data.
        cut = [
            lines[i].as_py() if odd[i].as_py() else UNIT.join(cut_one(lines[i].as_py(), delimiter))
            for i in special
        ]
        mask = pc.or_(escaped, odd)
        joined = pc.replace_with_mask(joined, mask, pa.array(cut, pa.string()))
    return pc.split_pattern(joined, UNIT)
