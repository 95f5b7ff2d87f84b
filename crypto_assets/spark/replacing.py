"""Local files that are replaced whole: who reads one finds the old content or the new one."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PRIVATE, SHARED = 0o600, 0o666  # who may read a file, as far as the umask lets them
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL  # to open a file that must not be there yet


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


def replace_all(contents: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """Replaces the files at these paths, each as `replacing` does; yields each path when it is.

    The disk is waited for when all are written: it has most of them by then.
    """
    written: dict[str, str] = {}
    try:
        for path, content in contents:
            temporary, handle = _beside(path, PRIVATE)
            written[temporary] = path
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
        for temporary in written:
            handle = os.open(temporary, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        for temporary, path in written.items():
            os.replace(temporary, path)  # noqa: PTH105
            yield path
    except BaseException:
        for temporary in written:
            with suppress(FileNotFoundError):
                os.unlink(temporary)  # noqa: PTH108
        raise


def _beside(path: str, mode: int) -> tuple[str, int]:
    """A new hidden file in the folder of `path`, and its handle."""
    folder = os.path.dirname(path) or "."  # noqa: PTH120
    temporary = f"{folder}/.{uuid.uuid4().hex}.part"
    return temporary, opened_in(temporary, NEW, mode)


def opened_in(path: str, flags: int, mode: int) -> int:
    """The handle of a file that is made in its folder, which is made if need be."""
    try:
        return os.open(path, flags, mode)
    except FileNotFoundError:  # most often the folder is there
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        return os.open(path, flags, mode)
