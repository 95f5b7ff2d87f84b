"""Small helpers over pyarrow arrays that several modules need. No knowledge of files."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

MAX_LINES = (
    100_000  # more lines than any daily file has; text.py takes only the head of longer ones
)
UNIT = "\x1f"  # a character no file may have: stands for a delimiter outside quotes
_INDEX = pa.array(range(MAX_LINES * 20), pa.int32())


def index(count: int, first: int = 0) -> Any:
    """int32 array first, first + 1, …; a view on one shared array as long as it reaches."""
    if first + count <= len(_INDEX):
        return _INDEX.slice(first, count)
    return pa.array(range(first, first + count), pa.int32())


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


def false_if_null(mask: Any) -> Any:
    """The mask with nulls as false."""
    return pc.fill_null(mask, False) if mask.null_count else mask


def only_bytes(text: Any, allowed: bytes) -> bool:
    """Whether a string array has no other bytes; a slice may answer for its whole parent."""
    buffer = text.buffers()[2]
    return buffer is None or not bytes(buffer).translate(None, allowed)


def has_byte(text: Any, byte: bytes) -> bool:
    """Whether a string array has this byte anywhere; a slice may answer for its whole parent."""
    buffer = text.buffers()[2]
    return buffer is not None and byte in bytes(buffer)
