"""Damage to a window of rows, and what was read of it held against the truth; no tests here.

Every kind of damage is a function on the window; `damaged` applies one to three of them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from crypto_assets.spark.exports import Export, read_export
from crypto_assets.spark.problems import ReadError

from .real_shapes import Row, Window

FACTOR = 10.0
ROUNDING = 1e-6
MOST = 3  # damages of a window
CHARACTERS = "0123456789.,-;:$€% '\"ex/"
SCALES = (-4, -3, -2, -1, 1, 2, 3, 4)


def damaged(window: Window, chance: Random) -> tuple[bytes, list[str]]:
    """The bytes of the window, damaged in one to three places, and what was done."""
    window = replace(window, rows=[Row(list(row.cells), row.day) for row in window.rows])
    done = []
    for _ in range(chance.choice((1, 1, 2, MOST))):
        kind = chance.choice(DAMAGES)
        kind(window, chance)
        done.append(kind.__name__.strip("_"))
    content = window.content()
    if chance.random() < 0.1:
        done.append("cut file")
        content = content[: -chance.randint(1, max(2, len(content) // (len(window.rows) + 1)))]
    return content, done


def _row(window: Window, chance: Random) -> int:
    """A row; the first and the last more often than others."""
    last = len(window.rows) - 1
    return chance.choice((0, last, *(chance.randint(0, last) for _ in range(4))))


def _column(window: Window, chance: Random) -> int:
    """A column; that of the dates and that of the values more often than others."""
    width = len(window.rows[0].cells)
    return chance.choice((0, *(window.shape.value,) * 3, chance.randrange(width)))


def _cut_cell(window: Window, chance: Random) -> None:
    cells, column = window.rows[_row(window, chance)].cells, _column(window, chance)
    cells[column] = cells[column][: chance.randint(0, max(0, len(cells[column]) - 1))]


def _scaled_cell(window: Window, chance: Random) -> None:
    cells = window.rows[_row(window, chance)].cells
    cells[window.shape.value] = _scaled(cells[window.shape.value], chance.choice(SCALES))


def _scaled_run(window: Window, chance: Random) -> None:
    """Two to four rows next to each other, by the same factor."""
    first, scale = _row(window, chance), chance.choice(SCALES)
    for row in window.rows[first : first + chance.randint(2, 4)]:
        row.cells[window.shape.value] = _scaled(row.cells[window.shape.value], scale)


def _scaled(cell: str, scale: int) -> str:
    """The decimal mark moved by some places; a mark for thousands stays where it is."""
    mark = max(cell.rfind("."), cell.rfind(","))
    whole, part = (cell[:mark], cell[mark + 1 :]) if mark >= 0 else (cell, "")
    sign = cell[mark] if mark >= 0 else "."
    if scale > 0:
        part = part.ljust(scale, "0")
        return whole + part[:scale] + (sign + part[scale:] if part[scale:] else "")
    digits = whole.rjust(1 - scale, "0")
    return f"{digits[:scale]}{sign}{digits[scale:]}{part}"


def _lost_mark(window: Window, chance: Random) -> None:
    cells, column = window.rows[_row(window, chance)].cells, _column(window, chance)
    cells[column] = cells[column].replace(chance.choice(".,"), "")


def _other_mark(window: Window, chance: Random) -> None:
    cells, column = window.rows[_row(window, chance)].cells, _column(window, chance)
    cells[column] = cells[column].translate(str.maketrans(".,", ",."))


def _other_character(window: Window, chance: Random) -> None:
    cells, column = window.rows[_row(window, chance)].cells, _column(window, chance)
    at = chance.randint(0, len(cells[column]))
    lost = chance.choice((0, 1, 1))
    new = chance.choice(("", chance.choice(CHARACTERS)))
    cells[column] = cells[column][:at] + new + cells[column][at + lost :]


def _swapped_characters(window: Window, chance: Random) -> None:
    cells, column = window.rows[_row(window, chance)].cells, _column(window, chance)
    at = chance.randint(0, max(0, len(cells[column]) - 2))
    cell = cells[column]
    cells[column] = cell[:at] + cell[at : at + 2][::-1] + cell[at + 2 :]


def _swapped_cells(window: Window, chance: Random) -> None:
    """Two cells of one row."""
    cells = window.rows[_row(window, chance)].cells
    one, other = _column(window, chance), chance.randrange(len(cells))
    cells[one], cells[other] = cells[other], cells[one]


def _swapped_rows(window: Window, chance: Random) -> None:
    """One cell of two rows, mostly next to each other."""
    one, column = _row(window, chance), _column(window, chance)
    near = min(one + 1, len(window.rows) - 1)
    first, second = (
        window.rows[at].cells for at in (one, chance.choice((near, _row(window, chance))))
    )
    first[column], second[column] = second[column], first[column]


def _moved_line(window: Window, chance: Random) -> None:
    window.rows.insert(_row(window, chance), window.rows.pop(_row(window, chance)))


def _doubled_line(window: Window, chance: Random) -> None:
    row = window.rows[_row(window, chance)]
    window.rows.insert(_row(window, chance), Row(list(row.cells), row.day))


def _lost_line(window: Window, chance: Random) -> None:
    del window.rows[_row(window, chance)]


def _mixed_lines(window: Window, chance: Random) -> None:
    """A line that begins as one row and ends as another, as where text between them is lost."""
    first, at = _row(window, chance), _column(window, chance)
    second = window.rows[min(first + 1, len(window.rows) - 1)]
    row = window.rows[first]
    row.cells[at:] = second.cells[at:]


DAMAGES = (
    _cut_cell,
    _scaled_cell,
    _scaled_run,
    _lost_mark,
    _other_mark,
    _other_character,
    _other_character,
    _swapped_characters,
    _swapped_cells,
    _swapped_rows,
    _moved_line,
    _doubled_line,
    _lost_line,
    _mixed_lines,
)


@dataclass(frozen=True)
class Wrong:
    """A row that is not as it should be: by a `factor`, or of another day (`factor` 0)."""

    day: str
    read: float
    true: float | None
    factor: float


def read(content: bytes) -> Export | None:
    """What is read, if the file would be accepted: not refused, and without a bad line."""
    try:
        export = read_export(io.BytesIO(content))
    except ReadError:
        return None
    return None if "bad" in export.lines["role"].to_pylist() else export


def wrong_rows(export: Export, truth: dict[str, float]) -> Iterator[Wrong]:
    """The rows that differ from the truth and that no note names by their date."""
    notes = " ".join(export.notes)
    ranges = re.findall(r"from (\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)", notes)
    lines = export.lines
    columns = (lines[name].to_pylist() for name in ("role", "date", "value"))
    for role, day, text in zip(*columns, strict=True):
        if role != "data" or day in notes or any(low <= day <= high for low, high in ranges):
            continue
        value = 0.5 if text == "<1" else _number(text)
        if value is None or (value in (0.0, -1.0) and export.kind == "history"):
            continue
        true = truth.get(day)
        if true is None:
            yield Wrong(day, value, None, 0.0)
        elif abs(value - true) > ROUNDING * true:
            low, high = sorted((max(value, 1e-12), max(true, 1e-12)))
            yield Wrong(day, value, true, high / low)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
