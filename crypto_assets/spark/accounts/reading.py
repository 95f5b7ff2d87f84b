"""Reading a drop of customers or accounts: which of the two a file is, and its rows as text.

Pure Python and pyarrow, so that it runs anywhere. Belongs here: cutting rows into cells, saying
which rows are malformed, counting. Does not: what a value means, which is silver's matter.
"""

from __future__ import annotations

import csv
import functools
import itertools
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from crypto_assets.spark.accounts.header import (
    COLUMNS,
    Header,
    cells_of,
    cut,
    fits_by_position,
    kind_by_names,
    read_header,
)
from crypto_assets.spark.accounts.lines import UTF16_BOMS, Lines
from crypto_assets.spark.exports.lookup import HEADER_WORDS, TREND_TIME_WORDS, plain
from crypto_assets.spark.exports.numbers import MISSING
from crypto_assets.spark.exports.table import BLANK, DELIMITERS
from crypto_assets.spark.problems import ReadError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


CHUNK_ROWS = 8_192  # as quick as any number up to 65,536, in less memory
CHUNK_BLOCKS = 4  # of the file, where its rows are long
_ABSENT = pa.array(["", *MISSING.split(",")])
_NAMES = ("first_name", "last_name")
_ABSENT_NAMES = pa.array(["", "null", "NULL"])  # people are called Null, Na and Nan


def schema(kind: str) -> pa.Schema:
    """The columns that `Drop.batches` gives, which are bronze's but for `facts` and `snapshot`."""
    text = ((name, pa.string()) for name in (*COLUMNS[kind], "problem"))
    return pa.schema([("line", pa.int32()), *text])


def kind_of(head: bytes, name: str) -> str | None:
    """Which kind of drop a file is that begins with `head` and was called `name`; None: neither.

    Its header tells; where that has no name that is known here, the file's name and the number of
    columns do.
    """
    text = head.decode("utf-16" if head.startswith(UTF16_BOMS) else "utf-8-sig", "replace")
    lines = (found[0] for found in re.finditer(r"[^\r\n]+", text))  # not all: a head is long
    line = next((line for line in lines if line.strip(BLANK)), "")
    if "\0" in line:
        return None
    kind, certain = _kind_by_header(line)
    if certain:
        return kind
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    fitting = [each for each in COLUMNS if each in words and fits_by_position(line, each)]
    return fitting[0] if len(fitting) == 1 else None


@functools.lru_cache(maxsize=64)  # thousands of exports have the same header
def _kind_by_header(line: str) -> tuple[str | None, bool]:
    """The kind by a file's first line, and whether no more has to be looked at."""
    kind, known = kind_by_names(line)
    return kind, known or _is_export(line)


def _is_export(line: str) -> bool:
    """Whether the line is the header or a row of a price history or a trend."""
    for delimiter in DELIMITERS:
        cells = cells_of(line, delimiter)
        roles = {role for cell in cells for role, _ in HEADER_WORDS.get(plain(cell), ())}
        times = any(plain(cell) in TREND_TIME_WORDS for cell in cells[:1])
        numbers = sum(bool(re.fullmatch(r"-?\d+([.,]\d+)+", cell)) for cell in cells)
        if roles & {"date", "time", "unix", "close"} or times or numbers > 1:
            return True
    return False


@dataclass
class _Chunk:
    """Some rows: the line each begins on, how many cells it has, and the cells of all of them.

    One list of all cells, since a list for each row costs more in garbage collection than cutting.
    """

    starts: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    blank: int = 0

    def row(self, index: int, width: int) -> list[str]:
        """The cells of one row, where all have this many."""
        return self.cells[index * width : (index + 1) * width]

    def even(self, width: int) -> dict[int, str]:
        """Makes all rows this wide: others become empty, or go if they are blank.

        Gives what is wrong with each row that became empty.
        """
        problems: dict[int, str] = {}
        if self.lengths.count(width) == len(self.lengths):
            return problems
        starts: list[int] = []
        cells: list[str] = []
        end = 0
        for start, length in zip(self.starts, self.lengths, strict=True):
            row = self.cells[end : end + length]
            end += length
            if length != width and not "".join(row).strip():
                self.blank += 1
                continue
            if length != width:
                problems[len(starts)] = f"{length} cells where the header has {width}"
                row = [""] * width
            starts.append(start)
            cells += row
        self.starts, self.cells = starts, cells
        return problems


class Drop:
    """A file of this kind that is being read: `batches` gives its rows, then `facts` the counts.

    Rows of the customers `forgotten` and blank rows are left out and counted.
    """

    def __init__(self, stream: IO[bytes], kind: str, forgotten: Collection[int] = ()) -> None:
        self.kind = kind
        self.lines = Lines(stream)
        self._forgotten = pa.array(list(map(str, forgotten)), pa.string())
        self._counts = dict.fromkeys(
            ("header", "rows", "blank", "forgotten", "continued", "line_sum"), 0
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in the file's order, in batches of `schema(kind)` with `CHUNK_ROWS` at most.

        Raises `ReadError` where it turns out that the file cannot be read; the rows given until
        then mean nothing.
        """
        lines = iter(self.lines)
        number, first = first_line(lines)
        self._header = read_header(first, number, self.kind)
        self._counts["blank"] = number - 1
        self._counts["header"] = 0 if self._header.is_data else 1
        if self._header.is_data:
            lines = itertools.chain([first], lines)
            number -= 1
        self.lines.row.clear()
        for chunk in self._chunks(lines, number):
            batch = self._batch(chunk)
            if len(batch):
                self._counts["rows"] += len(batch)
                self._counts["line_sum"] += pc.sum(batch["line"]).as_py()
                yield batch

    def facts(self) -> dict[str, Any]:
        """What was counted, once all was read.

        Every line of the file is in one of header, rows, blank, forgotten and continued (a further
        line of a row); `line_sum` adds up the lines of the rows.
        """
        return {
            "lines": self.lines.count,
            **self._counts,
            "delimiter": self._header.delimiter,
            "notes": list(self._header.notes),
        }

    def _chunks(self, lines: Iterator[str], before: int) -> Iterator[_Chunk]:
        """The rows in chunks; `before` lines came first."""
        reader = cut(lines, self._header.delimiter)
        pending = self.lines.row
        chunk = _Chunk()
        start = before + 1
        until = CHUNK_BLOCKS
        try:
            for row in reader:
                chunk.starts.append(start)
                chunk.lengths.append(len(row))
                chunk.cells.extend(row)
                start = before + reader.line_num + 1
                pending.clear()
                if len(chunk.starts) == CHUNK_ROWS or self.lines.blocks > until:
                    self._counts["continued"] -= len(chunk.starts)
                    yield chunk
                    chunk = _Chunk()
                    until = self.lines.blocks + CHUNK_BLOCKS
        except csv.Error as error:
            raise _broken(start, pending, self._header.delimiter, error) from None
        self._counts["continued"] += reader.line_num - len(chunk.starts)
        yield chunk

    def _batch(self, chunk: _Chunk) -> pa.RecordBatch:
        """The rows but for those to leave out; one that is malformed has a problem and no cells."""
        width = self._header.width
        problems = chunk.even(width)
        columns = [
            pa.array(chunk.cells[place::width], pa.string()) for place in self._header.places
        ]
        for column in columns:
            problems |= _swallowed(column, self._header)
        values = list(map(_value, columns, COLUMNS[self.kind]))
        reasons = pa.nulls(len(chunk.starts), pa.string())
        if problems:
            every = range(len(chunk.starts))
            reasons = pa.array(map(problems.get, every), pa.string(), size=len(every))
            values = [pc.if_else(pc.is_null(reasons), value, None) for value in values]
        starts = pa.array(chunk.starts, pa.int32())
        batch = pa.RecordBatch.from_arrays([starts, *values, reasons], schema=schema(self.kind))
        return self._without_forgotten(self._without_blank(batch, chunk))

    def _without_blank(self, batch: pa.RecordBatch, chunk: _Chunk) -> pa.RecordBatch:
        nulls = [pc.is_null(column) for column in batch.columns[1:]]
        empty = pc.indices_nonzero(functools.reduce(pc.and_, nulls)).to_pylist()
        blank = [row for row in empty if not "".join(chunk.row(row, self._header.width)).strip()]
        self._counts["blank"] += chunk.blank + len(blank)
        if not blank:
            return batch
        kept = set(range(len(batch))).difference(blank)
        return batch.take(pa.array(sorted(kept), pa.int32()))

    def _without_forgotten(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if not len(self._forgotten):
            return batch
        number = pc.replace_substring_regex(batch["customer_id"], r"^(-?)\+?0*(\d)", r"\1\2")
        kept = batch.filter(pc.invert(pc.is_in(number, self._forgotten)))
        self._counts["forgotten"] += len(batch) - len(kept)
        return kept


def first_line(lines: Iterator[str]) -> tuple[int, str]:
    """The number of the first line with text, and the line. Raises `ReadError` if there is none."""
    for number, line in enumerate(lines, 1):
        if line.strip(BLANK + "\r\n"):
            return number, line
    raise ReadError("the file is empty")


def _value(column: pa.Array, name: str) -> pa.Array:
    """The cells without white space around them; null where there is nothing or a word for it."""
    cells = pc.utf8_trim_whitespace(column)
    absent = _ABSENT_NAMES if name in _NAMES else _ABSENT
    return pc.if_else(pc.is_in(cells, absent), None, cells)


def _swallowed(column: pa.Array, header: Header) -> dict[int, str]:
    """Which rows have a cell that seems to hold other rows, as one does that is closed too late.

    A row that begins and ends in the cell leaves a line end and all its delimiters but the cell's
    own there, and the row around it as wide as any.
    """
    found = {}
    for index in pc.indices_nonzero(pc.match_substring_regex(column, "[\r\n]")).to_pylist():
        cell = column[index].as_py()
        ends = len(re.findall("\r\n|\r|\n", cell))
        if cell.count(header.delimiter) >= ends * (header.width - 1):
            found[index] = "a quoted cell holds whole rows: close its quotes where it ends"
    return found


def _broken(start: int, row: list[str], delimiter: str, error: csv.Error) -> ReadError:
    """Why the row that begins on line `start` cannot be cut, and on which line the quote is."""
    text = "".join(row)
    around = f"[^{re.escape(delimiter)}\r\n]"
    for quoted in re.finditer(f'(?<!{around}) *"(?:[^"]|"")*("?)({around})?', text):
        if not quoted[1] or quoted[2]:
            line = start + len(re.findall("\r\n|\r|\n", text[: quoted.start()]))
            return ReadError(
                f"line {line}: a quote opens a cell and is not closed as it should be: close it at "
                "the cell's end, and write a quote inside a cell twice"
            )
    return ReadError(f"line {start}: {error}: no cell of a {delimiter!r}-separated file is so long")
