"""Local files that are replaced whole: who reads one finds the old content or the new one."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRIVATE, SHARED = 0o600, 0o666  # who may read a file, as far as the umask lets them


@contextmanager
def replacing(
    path: Path | str, *, durable: bool = True, mode: int = PRIVATE
) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` when the block ends without an error.

    `durable` waits until the content would survive a power cut.
    """
    temporary, handle = _beside(str(path), mode)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            if durable:
                stream.flush()
                os.fsync(handle)
        os.replace(temporary, path)  # noqa: PTH105 - to make paths takes longer than the rest
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108
        raise


def _beside(path: str, mode: int) -> tuple[str, int]:
    """A new hidden file in the folder of `path`, which is made if need be, and its handle."""
    folder = os.path.dirname(path) or "."  # noqa: PTH120
    temporary = f"{folder}/.{uuid.uuid4().hex}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return temporary, os.open(temporary, flags, mode)
    except FileNotFoundError:  # most often the folder is there
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        return temporary, os.open(temporary, flags, mode)
