"""Which column of a drop is which: from its first line, by name or else by position.

Here are the columns of the two kinds of files and the one decision about delimiter and columns.
Reading the rows below is `reading`; what a value means is silver's matter.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crypto_assets.spark.accounts.tables import ACCOUNT_TEXTS, CUSTOMER_TEXTS
from crypto_assets.spark.exports.table import DELIMITERS, MAX_COLUMNS
from crypto_assets.spark.printable import printable
from crypto_assets.spark.problems import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS: dict[str, tuple[str, ...]] = {
    "customers": tuple(column.name for column in CUSTOMER_TEXTS),
    "accounts": tuple(column.name for column in ACCOUNT_TEXTS),
}
# One of these says which kind it is, or, of the second set, any beside a customer's id.
SURE: dict[str, set[str]] = {
    "customers": set(),
    "accounts": {"account_number", "type_of_account"},
}
SHOWN_NAMES = 8
SHOWN_LETTERS = 40


@dataclass(frozen=True)
class Header:
    """What the first line told: `places` says which cell is which of the kind's columns.

    `width` is the number of cells, `is_data` whether the line is a row itself, `notes` are what a
    person may want to know.
    """

    delimiter: str
    places: tuple[int, ...]
    width: int
    is_data: bool = False
    notes: tuple[str, ...] = ()


def column_name(cell: str) -> str:
    """A header cell as a column is called here: `First Name` and `firstname` are `first_name`."""
    letters = re.sub(r"[\W_]+", "", cell.lower())
    return _NAMES.get(letters, letters)


_NAMES = {name.replace("_", ""): name for columns in COLUMNS.values() for name in columns}


def cut(lines: Iterable[str], delimiter: str) -> Any:
    """A `csv.reader` over the lines. It raises `csv.Error` where quotes do not match."""
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)


def cells_of(line: str, delimiter: str) -> list[str]:
    """The trimmed cells of a line; none if its quotes do not match."""
    try:
        row: list[str] = next(cut([line], delimiter), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in row]


def kind_by_names(line: str) -> tuple[str | None, bool]:
    """Which kind the header names, and whether any cell of it is a name known here."""
    best: Counter[str] = Counter()
    known = False
    for delimiter in DELIMITERS:
        names = {column_name(cell) for cell in cells_of(line, delimiter)}
        for kind, columns in COLUMNS.items():
            found = names.intersection(columns)
            known = known or bool(found)
            own = found - {"customer_id"}
            if own and ("customer_id" in found or own & SURE[kind]):
                best[kind] = max(best[kind], len(own))
    ranked = best.most_common()
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None, known
    return ranked[0][0], known


def fits_by_position(line: str, kind: str) -> bool:
    """Whether a line in which no name is known has this kind's number of columns."""
    return any(len(cells_of(line, each)) == len(COLUMNS[kind]) for each in DELIMITERS)


def read_header(line: str, number: int, kind: str) -> Header:
    """What the first line with text, which has this number, says about the columns.

    Raises `ReadError` if it names a column twice or leaves open which column is which.
    """
    columns = COLUMNS[kind]
    named, _ = kind_by_names(line)
    if named not in (kind, None):
        raise ReadError(f"line {number}: this is a file of {named}, one of {kind} is wanted")
    delimiter, cells = _best_cut(line, columns)
    if len(cells) > MAX_COLUMNS:
        raise ReadError(f"line {number} has {len(cells):,} columns: no {kind} file is that wide")
    names = [column_name(cell) for cell in cells]
    found = {name: names.index(name) for name in columns if name in names}
    if not found and line.count('"') % 2:
        raise ReadError(
            f"line {number}: a quote is not closed where the header is wanted: close it"
        )
    if not found:
        return _by_position(cells, delimiter, number, kind)
    for name in found:
        if names.count(name) > 1:
            raise ReadError(f"line {number}: column {name} stands there twice: keep one of them")
    absent = [name for name in columns if name not in found]
    if not absent:
        extra = [cell for cell, name in zip(cells, names, strict=True) if name not in found]
        notes = (f"columns left out: {_listed(extra)}",) if extra else ()
        return Header(delimiter, tuple(found.values()), len(cells), notes=notes)
    in_place = all(columns[place : place + 1] == (name,) for name, place in found.items())
    if len(cells) != len(columns) or not in_place:
        raise ReadError(
            f"line {number}: the header has no column {' and no '.join(absent)}: a {kind} file has "
            f"{', '.join(columns)}"
        )
    given = _listed([cells[columns.index(name)] for name in absent])
    note = f"taken by position as {', '.join(absent)}: {given}"
    return Header(delimiter, tuple(range(len(columns))), len(cells), notes=(note,))


def _best_cut(line: str, columns: tuple[str, ...]) -> tuple[str, list[str]]:
    """The delimiter with which most names are known, or else the number of cells is right."""

    def merit(cut: tuple[str, list[str]]) -> tuple[int, bool, int]:
        names = {column_name(cell) for cell in cut[1]}
        return len(names.intersection(columns)), len(cut[1]) == len(columns), len(cut[1])

    cuts = [(delimiter, cells_of(line, delimiter)) for delimiter in reversed(DELIMITERS)]
    return max(cuts, key=merit)


def _by_position(cells: list[str], delimiter: str, number: int, kind: str) -> Header:
    """No name is known: a header in other words, or the first row of a file without one.

    A first cell that is a number is a customer's id, so the line is data; a header names every
    column, so that a line which leaves one open is neither.
    """
    columns = COLUMNS[kind]
    is_data = bool(cells and re.fullmatch(r"[+-]?\d+", cells[0]))
    if len(cells) != len(columns) or not (is_data or all(cells)):
        raise ReadError(
            f"line {number}: its {len(cells)} columns are not known: name them in the first line "
            f"{', '.join(columns)}"
        )
    note = "no header" if is_data else f"a header in other words ({_listed(cells)})"
    places = tuple(range(len(columns)))
    return Header(delimiter, places, len(cells), is_data, (f"{note}: columns by position",))


def _listed(names: list[str]) -> str:
    """Some names as people may read them, whatever is in them."""
    shown = [printable(name)[:SHOWN_LETTERS] or "''" for name in names[:SHOWN_NAMES]]
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(shown) + more
