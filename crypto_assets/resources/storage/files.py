"""Local files: written so that a reader sees the old or the new one, locked, named for people."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from crypto_assets.resources.errors import BusyError


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` when the block ends without an error.

    `durable` waits until the content would survive a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def printable(text: str) -> str:
    """The text as it can be stored and shown: file names may hold bytes that are no characters."""
    return text.encode("utf-8", "backslashreplace").decode()


def write_atomically(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replaces `path` by `content`, whole or not at all."""
    with replacing(path, durable=durable) as stream:
        stream.write(content)


@contextmanager
def locked(path: Path, wait_s: float, busy: str) -> Iterator[None]:
    """Holds a lock file meanwhile, as `Objects.locked` promises."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=wait_s):
            yield
    except Timeout as error:
        raise BusyError(busy or f"another process holds {path}") from error
