"""A drop of customers or accounts without the rows of one customer, all else byte for byte.

Pure Python. When and where it is used is the matter of `resources/forgetting`.
"""

from __future__ import annotations

import csv
import io
import re
from itertools import chain
from typing import TYPE_CHECKING

from crypto_assets.spark.accounts.header import cut, read_header
from crypto_assets.spark.accounts.lines import UTF8_BOM, Lines
from crypto_assets.spark.accounts.reading import first_line
from crypto_assets.spark.problems import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator


def without_customer(content: bytes, kind: str, customer_id: int) -> tuple[bytes, int]:
    """The file without this customer's rows, and how many there were.

    A file that cannot be read as rows is of no use to anybody: if the id is anywhere in it, nothing
    of it is kept.
    """
    try:
        return _without(content, kind, customer_id)
    except (ReadError, csv.Error):
        named = re.search(rb"(?<![0-9])%d(?![0-9])" % abs(customer_id), content)
        return (b"", 1) if named else (content, 0)


def _without(content: bytes, kind: str, customer_id: int) -> tuple[bytes, int]:
    lines = Lines(io.BytesIO(content))
    each: Iterator[str] = iter(lines)
    number, first = first_line(each)
    header = read_header(first, number, kind)
    kept = lines.row[:]
    lines.row.clear()
    if header.is_data:
        lines.row.append(kept.pop())
        each = chain([first], each)
    place, rows = header.places[0], 0
    for row in cut(each, header.delimiter):
        if len(row) > place and _id(row[place]) == customer_id:
            rows += 1
        else:
            kept += lines.row
        lines.row.clear()
    bom = UTF8_BOM if content.startswith(UTF8_BOM) else b""
    return (bom + "".join(kept).encode() if rows else content), rows


def _id(cell: str) -> int | None:
    cell = cell.strip()
    return int(cell) if re.fullmatch(r"[+-]?[0-9]{1,20}", cell) else None
