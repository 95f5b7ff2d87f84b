"""Dates of one width throughout, as nearly every site writes them: read as bytes, column-wise.

The characters at one place of all cells are a strided slice of the column's buffer; put in ISO
order they are cast at once. Whatever is not so regular is left to the patterns of dates.py.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from .arrays import strings

WIDTH = 10  # of a day in ISO form
_ISO = {"y": range(4), "m": range(5, 7), "d": range(8, 10)}  # where each part is in it
_FIRST_DAY = 9131  # 1995-01-01
_END_DAY = 47847  # 2101-01-01
MONTHS_TENS = b"01"


def uniform(cells: Any) -> tuple[bytes, int] | None:
    """The bytes of all cells and the width of each; None if the widths differ or are no date's.

    After the first `WIDTH` characters (the day) all cells must be the same.
    """
    if not len(cells) or cells.null_count:
        return None
    _, offsets, content = cells.buffers()
    begins = np.frombuffer(offsets, np.int32)[cells.offset :][: len(cells) + 1]
    start, width = int(begins[0]), int(begins[1] - begins[0])
    if width < WIDTH or (np.diff(begins) != width).any():
        return None
    data = bytes(content[start : start + width * len(cells)])
    if any(_differ(data, place, width) for place in range(WIDTH, width)):
        return None
    return data, width


def _differ(data: bytes, place: int, width: int) -> bool:
    return bool(data[place::width].strip(data[place : place + 1]))


def iso_text(data: bytes, width: int, slots: dict[str, tuple[int, int]]) -> Any | None:
    """The days as ISO text, existing or not; None if a month is 20 or more.

    `slots` says where year, month and day (y, m, d) begin and end in a cell; between them every
    cell must have the same characters.
    """
    month = slots["m"][0]
    if data[month::width].translate(None, MONTHS_TENS):
        return None
    between = set(range(WIDTH)).difference(*(range(*slot) for slot in slots.values()))
    if any(_differ(data, place, width) for place in between):
        return None
    text = bytearray(b"0000-00-00" * (len(data) // width))
    for part, places in _ISO.items():
        for to, place in zip(places, range(*slots[part]), strict=True):
            text[to::WIDTH] = data[place::width]
    return strings(np.arange(0, len(text) + 1, WIDTH, dtype=np.int32), text)


def days_of(text: Any) -> Any | None:
    """ISO text as days since 1970 (int32); None unless all are days of 1995 to 2100."""
    try:
        days = text.cast(pa.date32()).view(pa.int32())
    except pa.ArrowInvalid:
        return None
    numbers = days.to_numpy()
    return days if numbers.min() >= _FIRST_DAY and numbers.max() < _END_DAY else None
