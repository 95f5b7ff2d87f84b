"""What is in a file of Excel's, without Excel: the cells of its sheet, by the standard library."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

_NAMES = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def cells(path: Path) -> list[list[tuple[str, str]]]:
    """The rows of the first sheet: for each cell its type (`text`, `number`) and what it holds."""
    with zipfile.ZipFile(path) as book:
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own
    return [[_cell(cell) for cell in row] for row in sheet.iterfind("s:sheetData/s:row", _NAMES)]


def _cell(cell: ET.Element) -> tuple[str, str]:
    inline = cell.find("s:is/s:t", _NAMES)
    if inline is not None:
        return "text", inline.text or ""
    assert cell.find("s:f", _NAMES) is None  # a formula
    return "number", cell.findtext("s:v", "", _NAMES)
