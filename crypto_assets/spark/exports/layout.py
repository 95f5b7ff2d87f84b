"""Which lines are header, preamble, data, footer or bad, and what the header's words mean.

Belongs here: everything about the lines around the data. Does not: the numbers in them.
"""

import re
from dataclasses import dataclass, field

import pyarrow.compute as pc

from . import refusals
from .arrays import count_true
from .dates import Reading, month_number
from .lookup import HEADER_WORDS, TREND_TIME_WORDS, plain
from .table import AROUND, DELIMITERS, Table

BLANK, DATA, HEADER, PREAMBLE, FOOTER, BAD, LEFT_OUT = range(7)
DATE_ROLES = ("date", "time", "unix")
ROLES = ("blank", "data", "header", "preamble", "footer", "bad", "left_out")
MAX_ROW_DIGITS = 5  # of a row number; Excel days and Unix times have as many or more
DATE_AND_VALUE = 2  # names
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
    tickers: list[str] = field(default_factory=list)  # what yfinance names each column's coin

    def special(self) -> dict[int, int]:
        """Line -> index in `ROLES` for header, preamble and footer."""
        codes = dict.fromkeys(self.preamble, PREAMBLE) | dict.fromkeys(self.footer, FOOTER)
        if self.header_line is not None:
            codes[self.header_line] = HEADER
        return codes

    def repeats_header(self, table: Table, line: int) -> bool:
        """Whether `line` is the header once more, as where two downloads were joined."""
        return self.header_line is not None and table.line_cells(line) == self.header

    @property
    def names(self) -> int:
        """How many names the header has; empty cells at its end do not count."""
        return len(_filled(self.header))

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
        """The language most header words belong to; None without a header or known words.

        Of several, English, else the one that comes first in the tables.
        """
        votes: dict[str, int] = {}
        for cell in self.header:
            known = HEADER_WORDS.get(plain(cell), []) + TREND_TIME_WORDS.get(plain(cell), [])
            for language in dict.fromkeys(language for _, language in known):
                votes[language] = votes.get(language, 0) + 1
        best = max(votes.values(), default=0)
        winners = [language for language, count in votes.items() if count == best]
        return "en" if "en" in winners else (winners[0] if winners else None)


def _sort_before(result: Layout, table: Table) -> None:
    """Header, preamble and broken lines among those before the data."""
    lines = {i: _names(table, i) for i in range(result.first) if not table.blank[i].as_py()}
    like_data = {i for i, cells in lines.items() if _like_data(cells, table.width)}
    tickers = {i for i, cells in lines.items() if _names_tickers(cells, table.width)}
    named = [
        (count_roles(cells), min(len(_filled(cells)), table.width), i)
        for i, cells in lines.items()
        if len(cells) > 1 and i not in like_data | tickers
    ]
    if named:
        # yfinance writes three header lines; the one with the most known words has the names.
        *_, result.header_line = max(named)
        result.header = lines[result.header_line]
    for i, cells in lines.items():
        above = result.header_line is not None and i < result.header_line
        # A number above the header, as in `Time Period,12M`, is no data.
        if i in like_data and not (above and not _begins_with_digit(cells)):
            result.bad[i] = refusals.UNREADABLE_DATE.text()
        elif i != result.header_line:
            result.preamble.append(i)
        if i in tickers:
            result.tickers = ["", *cells[1:]]
        result.preamble_text += " ".join(cells) + "\n" if i not in result.bad else ""


def _names_tickers(cells: list[str], width: int) -> bool:
    """Whether a line below the header says which coin each column is of."""
    return len(cells) == width and cells[0].casefold() == "ticker" and count_roles(cells) == 1


def _names(table: Table, line: int) -> list[str]:
    """The cells of a line that may be the header, also if it is one cell: `"Date,Open,Close"`."""
    cells = table.line_cells(line)
    if len(cells) > 1:
        return cells
    for delimiter in DELIMITERS:
        names = [name.strip(AROUND + '"') for name in cells[0].split(delimiter)]
        if count_roles(names) > (0 if len(names) == table.width else 1):
            return names
    return cells


def count_roles(cells: list[str]) -> int:
    """How many different roles the words in `cells` name."""
    return len(set(map(_role, cells)) - {None})


def _role(name: str) -> str | None:
    """What a name stands for, be it of a history or of a trend."""
    known = HEADER_WORDS.get(plain(name)) or TREND_TIME_WORDS.get(plain(name))
    return known[0][0] if known else None


def layout_of(table: Table, reading: Reading) -> Layout:
    """Sort the lines around those where `reading` has dates."""
    rows = pc.indices_nonzero(reading.matched)
    first, last = (table.body[rows[i].as_py()].as_py() for i in (0, -1))
    result = Layout(first, last)
    if first > MAX_AROUND or len(table.cells) - last > MAX_AROUND + 1:
        _refuse_if_not_blank(table, first, last)
    _sort_before(result, table)
    for line in range(last + 1, len(table.cells)):
        if table.blank[line].as_py():
            continue
        cells = table.line_cells(line)
        if _like_data(cells, table.width) or month_number((WORD.findall(cells[0]) or [""])[0]):
            result.bad[line] = refusals.UNREADABLE_DATE.text()
        else:
            result.footer.append(line)
    return result


def align(layout: Layout, table: Table, date_column: int) -> None:
    """Give the header one name per column of the data; R leaves out that of the row numbers.

    Raises `ReadError` if it has more or fewer names, or if it is not certain which name belongs to
    which column.
    """
    names, cells = _filled(layout.header), _filled(table.line_cells(layout.first))
    if not names:
        return
    numbered = cells[0].isdigit() and len(cells[0]) < MAX_ROW_DIGITS and names[:1] != [""]
    shifted = numbered and len(names) == table.width - 1
    if shifted:
        layout.header = ["", *names]
    sure = _names_dates(layout, date_column) or not (shifted or _all_lack_a_cell(table))
    fits = len(cells) <= len(names) + shifted <= table.width
    if not sure or not fits or _may_lack_a_name(layout, table):
        at, width = table.line(layout.first), max(len(cells), table.width)
        raise refusals.HEADER_LENGTH.refused(at, names=len(names), cells=width)


def _all_lack_a_cell(table: Table) -> bool:
    """Whether all lines, or all but one, have fewer cells than the header has names."""
    if table.ragged is None:
        return False
    return count_true(pc.less(table.ragged, table.width)) >= len(table.body) - 1


def _names_dates(layout: Layout, date_column: int) -> bool:
    """Whether the header calls the dates so, and not the column after them."""
    roles = [_role(cell) for cell in layout.header]
    here, after = [*roles, None, None][date_column : date_column + 2]
    return here in DATE_ROLES and after not in DATE_ROLES


def _may_lack_a_name(layout: Layout, table: Table) -> bool:
    """Whether the header is shorter than the data, for another reason than their empty end.

    Lines may end in a delimiter that the header has not. If a name was lost instead, the names
    behind it are those of other columns. Two names that became one are a name nobody knows; that
    none is missing is proven by a high and a low, which must bound the price, or by there being
    one value only.
    """
    names = [_role(name) for name in layout.header if name]
    width = len(layout.header)
    if width >= table.width:
        return False
    if any(pc.any(pc.not_equal(table.column(i), "")).as_py() for i in range(width, table.width)):
        return True
    return None in names[:-1] or not (len(names) <= DATE_AND_VALUE or {"high", "low"} <= {*names})


def _filled(cells: list[str]) -> list[str]:
    """Without the empty cells at the end."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    return cells


def _like_data(cells: list[str], width: int) -> bool:
    """A line that should have been data: it begins with a digit or has a number in its place."""
    if cells == ["", *map(str, range(len(cells) - 1))]:
        return False  # how pandas heads columns without names
    numbers = sum(bool(NUMBER.match(cell)) for cell in cells)
    return _begins_with_digit(cells) or (len(cells) == width and 2 * numbers >= len(cells) - 1)


def _begins_with_digit(cells: list[str]) -> bool:
    return cells[0].lstrip("\"'")[:1].isdigit()


def _refuse_if_not_blank(table: Table, first: int, last: int) -> None:
    before = pc.sum(pc.invert(table.blank.slice(0, first))).as_py() or 0
    after = pc.sum(pc.invert(table.blank.slice(last + 1))).as_py() or 0
    for count, where, line in ((before, "before", 0), (after, "after", last + 1)):
        if count > MAX_AROUND:
            raise refusals.MANY_LINES_AROUND.refused(table.line(line), count=count, where=where)
