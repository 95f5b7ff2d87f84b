"""From lines to cells: which delimiter, how quoted, how wide the data are.

Belongs here: the shape of the table. Does not: what a cell means. Whole columns are cut by
vectorised kernels; only lines with escaped quotes go through the csv module one by one.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from crypto_assets.spark.problems import ReadError

from .arrays import UNIT, has_byte, index, pick

DELIMITERS = ("\t", ";", "|", ",")  # the rarer inside a cell first
SAMPLE_LINES = 30
SAMPLE_ROWS = 10
AROUND = " \t\u00a0\u202f\ufeff'"  # a cell
AROUND_BYTES = sorted({character.encode()[:1] for character in AROUND})
BLANK = ' \t,;|"\u00a0\ufeff'
MAX_COLUMNS = 200
MAX_ESCAPED_LINES = 2_000
FIT_SHARE = 0.5  # of the lines must have the same number of cells
_ZERO = pa.scalar(0, pa.int32())
_ESCAPED = '""[^%s"]|[^%s"]""|"""'  # quotes inside a cell, not an empty cell


@dataclass(frozen=True)
class Table:
    """The cells of every line (`cells`, list<string>) and those lines that have `width` of them.

    `body` holds the line indices (int32) with exactly `width` cells; `column(i)` is one value per
    body line, trimmed. `blank` marks the lines without any content.
    """

    cells: Any
    delimiter: str
    width: int
    body: Any
    blank: Any

    @cached_property
    def _starts(self) -> Any:
        """Where the cells of each body line begin among the cells of all lines."""
        starts = self.cells.offsets
        whole = len(self.body) == len(self.cells)
        return starts.slice(0, len(self.body)) if whole else starts.take(self.body)

    @cached_property
    def _columns(self) -> dict[int, Any]:
        return {}

    def sample(self) -> list[list[str]]:
        """The trimmed cells of a few body lines, spread over the file."""
        step = max(1, len(self.body) // SAMPLE_ROWS)
        lines = self.cells.take(self.body[step // 2 :: step]).to_pylist()
        return [[cell.strip(AROUND) for cell in cells] for cells in lines]

    def column(self, index: int) -> Any:
        """The trimmed cells of column `index` (0-based) over the body lines."""
        if index not in self._columns:
            cells = self.cells.values.take(pc.add(self._starts, pa.scalar(index, pa.int32())))
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


def read_table(lines: Any) -> Table:
    """Cut `lines` (string array) into cells. Raises `ReadError` if they form no table."""
    delimiter = _delimiter(lines)
    cells = _cut(lines, delimiter)
    if pc.max(pc.list_value_length(cells)).as_py() == 1:
        lines = _unwrapped(lines)
        delimiter = _delimiter(lines)
        cells = _cut(lines, delimiter)
    blank = pc.equal(pc.binary_length(pc.utf8_ltrim(lines, characters=BLANK)), _ZERO)
    lengths = pc.list_value_length(cells)
    if blank.true_count:
        lengths = pc.if_else(blank, _ZERO, lengths)
    width = _width(lengths)
    fits = pc.equal(lengths, pa.scalar(width, pa.int32()))
    all_fit = fits.true_count == len(fits)
    body = index(len(fits)) if all_fit else pc.indices_nonzero(fits).cast(pa.int32())
    return Table(cells, delimiter, width, body, blank)


def _width(lengths: Any) -> int:
    values, times = pc.value_counts(lengths).flatten()
    counts = dict(zip(values.to_pylist(), times.to_pylist(), strict=True))
    widest = max(counts)
    if widest > MAX_COLUMNS:
        line = pc.index(lengths, widest).as_py() + 1
        raise ReadError(
            f"line {line} has {widest:,} columns: no price history or trend is that wide"
        )
    tables = {width: count for width, count in counts.items() if width > 1}
    if not tables:
        raise ReadError(
            "not a table: no line has two cells separated by a comma, semicolon, tab or |"
        )
    return int(max(tables, key=lambda width: (tables[width], width)))


def _delimiter(lines: Any) -> str:
    """The delimiter that gives most sampled lines the same number of cells."""
    step = max(1, len(lines) // SAMPLE_LINES)
    sample = [line for line in lines[::step].to_pylist() if line.strip(BLANK)]
    if not sample:
        raise ReadError("the file is empty")
    best, best_share = ",", 0.0
    seen = "".join(sample)
    for delimiter in filter(seen.__contains__, DELIMITERS):
        widths: Counter[int] = Counter()
        for line in sample:
            width = len(_cut_one(line, delimiter))
            widths[width] += 1
            if width > 1 and widths[width] >= FIT_SHARE * len(sample):
                return delimiter
        share = max((n / len(sample) for width, n in widths.items() if width > 1), default=0.0)
        if share > best_share:
            best, best_share = delimiter, share
    return best


def _unwrapped(lines: Any) -> Any:
    """Lines that were quoted as a whole, inner quotes doubled, when saved again."""
    inner = pc.replace_substring_regex(lines, r'^\s*"(.*)"[\s,;]*$', r"\1")
    return pc.replace_substring(inner, '""', '"')


def _cut_one(line: str, delimiter: str) -> list[str]:
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
        raise ReadError(f"line {special[0] + 1}: quotes do not match there nor in many more lines")
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
            lines[i].as_py() if odd[i].as_py() else UNIT.join(_cut_one(lines[i].as_py(), delimiter))
            for i in special
        ]
        mask = pc.or_(escaped, odd)
        joined = pc.replace_with_mask(joined, mask, pa.array(cut, pa.string()))
    return pc.split_pattern(joined, UNIT)
