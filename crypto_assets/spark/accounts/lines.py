"""From a stream of bytes to lines of text, block by block: never the whole file in memory.

Belongs here: what is decided before a delimiter is looked for, as `exports/text` does for files
small enough to be held. Does not: cells, columns.
"""

from __future__ import annotations

import hashlib
import io
from typing import IO, TYPE_CHECKING

from crypto_assets.spark.exports.text import refuse_other_formats
from crypto_assets.spark.problems import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 2 * 1024**3
BLOCK_BYTES = 1024**2
MAX_ROW_BYTES = 4 * BLOCK_BYTES  # of a row over several lines
UTF8_BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


class Lines:
    """The lines of a stream, with their ends (CR LF, LF or CR), to iterate over once.

    `count` and `blocks` grow with what was read; `digest` is the SHA-256 of it. The user of the
    lines clears `row` after each row, so that what it holds are the lines of the present one.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()
        self._size = 0
        self.count = 0
        self.blocks = 0
        self.row: list[str] = []

    @property
    def digest(self) -> str:
        """The SHA-256 of all bytes read, in hexadecimal."""
        return self._sha256.hexdigest()

    def __iter__(self) -> Iterator[str]:
        """Raises `ReadError` if the bytes are no text in UTF-8, or a line or row is monstrous."""
        for block in self._blocks():
            text = self._decoded(block)
            for line in io.StringIO(text, newline=""):
                self.row.append(line)
                yield line
            self.count += _ends(block) + (block[-1:] not in b"\r\n")
            self.blocks += 1
            if len(self.row) > 1 and sum(map(len, self.row)) > MAX_ROW_BYTES:
                begins = self.count - len(self.row) + 1
                raise ReadError(
                    f"line {begins}: a row of more than {MAX_ROW_BYTES // 1024**2} MB begins "
                    "there: close its quotes"
                )

    def _blocks(self) -> Iterator[bytes]:
        """The content in blocks of whole lines; only the last may lack its line end."""
        rest = b""
        while data := self._stream.read(BLOCK_BYTES):
            self._sha256.update(data)
            self._size += len(data)
            if self._size > MAX_BYTES:
                raise ReadError(f"the file is larger than {MAX_BYTES // 1024**3} GB: split it")
            if self._size == len(data):
                data = _beginning(data)
            data = rest + data
            # A CR at the very end may be half of a CR LF.
            end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1
            rest = data[end:]
            if len(rest) > BLOCK_BYTES:
                line = self.count + _ends(data[:end]) + 1
                raise ReadError(
                    f"line {line} is longer than {BLOCK_BYTES:,} bytes: no customer or account is"
                )
            if end:
                yield data[:end]
        if rest:
            yield rest

    def _decoded(self, block: bytes) -> str:
        if b"\0" in block:
            line = self._line_of(block, block.index(b"\0"))
            raise ReadError(
                f"line {line}: a NUL byte: the file is binary, damaged or UTF-16; save it as CSV "
                "in UTF-8"
            )
        try:
            return block.decode()
        except UnicodeDecodeError as error:
            line = self._line_of(block, error.start)
            raise ReadError(
                f"line {line}: bytes there are no UTF-8: save the file as CSV in UTF-8"
            ) from None

    def _line_of(self, block: bytes, position: int) -> int:
        return self.count + _ends(block[:position]) + 1


def _beginning(data: bytes) -> bytes:
    """The first block without its BOM. Raises `ReadError` if it says that it is something else."""
    if data.startswith(UTF16_BOMS):
        raise ReadError("line 1: the file is UTF-16: save it as CSV in UTF-8")
    if data.strip():
        refuse_other_formats(data)
    return data.removeprefix(UTF8_BOM)


def _ends(data: bytes) -> int:
    """How many line ends there are: CR LF is one."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
