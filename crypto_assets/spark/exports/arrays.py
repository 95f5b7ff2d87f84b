"""Small helpers over pyarrow arrays that several modules need. No knowledge of files."""

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MAX_LINES = (
    100_000  # more lines than any daily file has; text.py takes only the head of longer ones
)
UNIT = "\x1f"  # a character no file may have: stands for a delimiter outside quotes
_LINE_END = ord("\n")
_SHARED = 1 << 14  # as many numbers as most daily files have cells


def index(count: int, first: int = 0) -> Any:
    """int32 array first, first + 1, …; a view on a shared array as long as one reaches."""
    end = first + count
    if not 0 <= first <= end <= MAX_LINES * 20:
        return _range(first, end)
    return _shared(max(_SHARED, 1 << (end - 1).bit_length())).slice(first, count)


@cache
def _shared(count: int) -> Any:
    return _range(0, count)


def _range(first: int, end: int) -> Any:
    return arrow(np.arange(first, end, dtype=np.int32))


def arrow(numbers: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> Any:
    """As `pa.array(numbers)`, which takes longer and imports pandas; null unless `valid`."""
    content, mask = pa.py_buffer(np.ascontiguousarray(numbers)), None
    if valid is not None and not valid.all():
        mask = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(numbers.dtype), len(numbers), [mask, content])


def count_line_ends(text: str) -> int:
    """How many line feeds a text has; `str.count` takes five times as long."""
    return int(np.count_nonzero(_line_ends(text.encode())))


def lines_of(text: str) -> Any:
    """The lines of a text, between which line feeds stand, as a string array."""
    data = text.encode()
    ends = np.flatnonzero(_line_ends(data))
    offsets = np.zeros(len(ends) + 2, np.int32)
    offsets[1:-1] = ends - np.arange(len(ends))
    offsets[-1] = len(data) - len(ends)
    return strings(offsets, data.replace(b"\n", b""))


def _line_ends(data: bytes) -> NDArray[np.bool_]:
    ends: NDArray[np.bool_] = np.frombuffer(data, np.uint8) == _LINE_END
    return ends


def strings(offsets: NDArray[np.int32], data: bytes | bytearray) -> Any:
    """The string array whose values begin at these places of its data, and end at the last one."""
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)


def floats(numbers: Any) -> NDArray[np.float64]:
    """A numeric array for numpy, whose calls cost a tenth of Arrow's; NaN in place of null."""
    found: NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False)
    return found


def count_true(mask: Any) -> int:
    """How many are true; nulls are not."""
    return int(mask.true_count)


def scatter(values: Any, lines: Any, count: int) -> Any:
    """An array of length `count` with `values` at `lines` (ascending int) and null elsewhere."""
    if not len(lines):
        return pa.nulls(count, values.type)
    first, last = lines[0].as_py(), lines[-1].as_py()
    if last - first + 1 == len(lines):
        head, tail = pa.nulls(first, values.type), pa.nulls(count - 1 - last, values.type)
        return pa.concat_arrays([head, values, tail])
    mask = pc.is_in(index(count), value_set=lines.cast(pa.int32()))
    return pc.replace_with_mask(pa.nulls(count, values.type), mask, values)


def pick(values: Any, rows: Any) -> Any:
    """The values at `rows` (ascending ints); a view on them if the rows are one stretch."""
    count = len(rows)
    if count and rows[-1].as_py() - rows[0].as_py() + 1 == count:
        return values.slice(rows[0].as_py(), count)
    return values.take(rows)


def spread(values: Any, most: int) -> list[Any]:
    """Some values as Python has them, `most` of them or a few more, evenly from the first on.

    A slice with a step takes four times as long.
    """
    return [values[row].as_py() for row in range(0, len(values), max(1, len(values) // most))]


def translated(text: Any, table: bytes) -> Any:
    """A string array with its bytes replaced as by `bytes.translate`; ASCII for ASCII only."""
    valid, offsets, data = text.buffers()
    data = pa.py_buffer(bytes(data or b"").translate(table))
    return pa.Array.from_buffers(text.type, len(text), [valid, offsets, data], offset=text.offset)


def false_if_null(mask: Any) -> Any:
    """The mask with nulls as false."""
    return pc.fill_null(mask, False) if mask.null_count else mask


def has_byte(text: Any, *wanted: bytes) -> bool:
    """Whether a string array has any of these bytes; a slice may answer for its whole parent."""
    data = bytes(text.buffers()[2] or b"")
    return any(map(data.__contains__, wanted))
