"""Which lines are header, preamble, data, footer or bad, and what the header's words mean.

Belongs here: everything about the lines around the data. Does not: the numbers in them.
"""

import re
from dataclasses import dataclass, field

import pyarrow.compute as pc

from crypto_assets.spark.problems import ReadError

from .dates import Reading, month_number
from .lookup import HEADER_WORDS, TREND_TIME_WORDS, plain
from .table import Table

BLANK, DATA, HEADER, PREAMBLE, FOOTER, BAD = range(6)
ROLES = ("blank", "data", "header", "preamble", "footer", "bad")
MAX_ROW_DIGITS = 5  # of a row number; Excel days and Unix times have as many or more
MAX_AROUND = 200  # lines before or after the data
NUMBER = re.compile(r"^[-+<$€£]?\s*\d[\d.,\s]*\s*[%KMBkmb]?$")
WORD = re.compile(r"[^\W\d_]+")


@dataclass
class Layout:
    """Line indices (0-based) around the data, and the header's cells ([] if there is none)."""

    first: int
    last: int
    header_line: int | None = None
    header: list[str] = field(default_factory=list)
    preamble: list[int] = field(default_factory=list)
    footer: list[int] = field(default_factory=list)
    bad: dict[int, str] = field(default_factory=dict)
    preamble_text: str = ""

    def special(self) -> dict[int, int]:
        """Line -> index in `ROLES` for header, preamble and footer."""
        codes = dict.fromkeys(self.preamble, PREAMBLE) | dict.fromkeys(self.footer, FOOTER)
        if self.header_line is not None:
            codes[self.header_line] = HEADER
        return codes

    def repeats_header(self, table: Table, line: int) -> bool:
        """Whether `line` is the header once more, as where two downloads were joined."""
        return self.header_line is not None and table.line_cells(line) == self.header

    def name(self, column: int) -> str | None:
        """The header of a column, or None."""
        return self.header[column] if column < len(self.header) else None

    def roles(self) -> list[str | None]:
        """Per header cell what it stands for (a key of `words.HEADERS`), or None."""
        found: list[str | None] = []
        for cell in self.header:
            known = HEADER_WORDS.get(plain(cell))
            found.append(known[0][0] if known else None)
        return found

    def language(self) -> str | None:
        """The language most header words belong to; None without a header or known words."""
        votes: dict[str, int] = {}
        for cell in self.header:
            known = HEADER_WORDS.get(plain(cell), []) + TREND_TIME_WORDS.get(plain(cell), [])
            for language in {language for _, language in known}:
                votes[language] = votes.get(language, 0) + 1
        best = max(votes.values(), default=0)
        winners = [language for language, count in votes.items() if count == best]
        return "en" if "en" in winners else (winners[0] if winners else None)


def _sort_before(result: Layout, table: Table) -> None:
    """Header, preamble and broken lines among those before the data."""
    named: list[tuple[int, int, list[str]]] = []
    for line in range(result.first):
        if table.blank[line].as_py():
            continue
        cells = table.line_cells(line)
        if _like_data(cells, table.width):
            result.bad[line] = "no readable date"
            continue
        result.preamble.append(line)
        result.preamble_text += " ".join(cells) + "\n"
        if len(cells) > 1:
            named.append((count_roles(cells), line, cells))
    if named:
        # yfinance writes three header lines; the one with the most known words has the names.
        _, result.header_line, result.header = max(named)
        result.preamble.remove(result.header_line)


def count_roles(cells: list[str]) -> int:
    """How many different roles the words in `cells` name."""
    known = (HEADER_WORDS.get(plain(cell)) for cell in cells)
    return len({found[0][0] for found in known if found})


def layout_of(table: Table, reading: Reading) -> Layout:
    """Sort the lines around those where `reading` has dates."""
    rows = pc.indices_nonzero(reading.matched)
    first, last = (table.body[rows[i].as_py()].as_py() for i in (0, -1))
    result = Layout(first, last)
    if first > MAX_AROUND or len(table.cells) - last > MAX_AROUND + 1:
        _refuse_if_not_blank(table, first, last)
    _sort_before(result, table)
    if result.header:
        result.header = _aligned(result.header, table, first)
    for line in range(last + 1, len(table.cells)):
        if table.blank[line].as_py():
            continue
        cells = table.line_cells(line)
        if _like_data(cells, table.width) or month_number((WORD.findall(cells[0]) or [""])[0]):
            result.bad[line] = "no readable date"
        else:
            result.footer.append(line)
    return result


def _aligned(header: list[str], table: Table, first: int) -> list[str]:
    """The header with one name per column of the data; R leaves out that of the row numbers."""
    names, cells = _filled(header), _filled(table.line_cells(first))
    numbered = cells[0].isdigit() and len(cells[0]) < MAX_ROW_DIGITS and names[:1] != [""]
    if numbered and len(names) == len(cells) - 1:
        return ["", *names]
    if len(names) < len(cells) or len(names) > table.width:
        raise ReadError(
            f"the header has {len(names)} names, but line {first + 1} has {len(cells)} cells: "
            "which is which is not certain"
        )
    return header


def _filled(cells: list[str]) -> list[str]:
    """Without the empty cells at the end."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def _like_data(cells: list[str], width: int) -> bool:
    """A line that should have been data: it begins with a digit or has a number in its place."""
    numbers = sum(bool(NUMBER.match(cell)) for cell in cells)
    return cells[0].lstrip("\"'")[:1].isdigit() or (
        len(cells) == width and 2 * numbers >= len(cells) - 1
    )


def _refuse_if_not_blank(table: Table, first: int, last: int) -> None:
    before = pc.sum(pc.invert(table.blank.slice(0, first))).as_py() or 0
    after = pc.sum(pc.invert(table.blank.slice(last + 1))).as_py() or 0
    if before > MAX_AROUND:
        raise ReadError(
            f"lines 1 to {first} hold no readable date: {before:,} lines before the data"
        )
    if after > MAX_AROUND:
        raise ReadError(f"{after:,} lines after line {last + 1} hold no readable date")
