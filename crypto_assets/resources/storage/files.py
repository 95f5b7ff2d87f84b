"""Local files: found and opened without surprises, replaced whole, locked.

What is kept in them is for others. Folders may hold anything that people, or others, put there.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from crypto_assets.resources.errors import BusyError
from crypto_assets.spark.replacing import NEW, PRIVATE, opened_in, replacing


def open_regular(path: Path, *, follow: bool = False) -> BufferedReader:
    """Opens a file to read it. Raises `OSError` if it is a pipe, a socket, a device or a folder.

    A pipe would be waited for without end, and a device need not have one. A link is only followed
    where a person named it.
    """
    return os.fdopen(_opened(path, follow=follow)[0], "rb")


def read_regular(path: str, limit: int = -1) -> bytes:
    """The content of a file, at most `limit` bytes; raises as `open_regular` does.

    Most files take one call: a buffered reader takes longer to make than that.
    """
    handle, size = _opened(path, follow=False)
    try:
        at_once = size + 1 if limit < 0 else min(size + 1, limit)
        content = os.read(handle, at_once)
        if len(content) not in (size, limit):  # it grows or shrinks, or was not read at once
            os.lseek(handle, 0, os.SEEK_SET)
            with os.fdopen(handle, "rb", closefd=False) as stream:
                return stream.read(limit)
    finally:
        os.close(handle)
    return content


def _opened(path: Path | str, *, follow: bool) -> tuple[int, int]:
    """The handle of a regular file, and its size in bytes."""
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            raise _not_regular(path) from error
        raise
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode):
        return handle, found.st_size
    os.close(handle)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise _not_regular(path)


def _not_regular(path: Path | str) -> OSError:
    return OSError(errno.EINVAL, "not a regular file", str(path))


def regular_files(folder: Path, suffix: str) -> list[Path]:
    """The files below a folder whose names end so, in any case of letters, sorted.

    Nothing is followed, however deep it is. Raises `OSError` if a folder cannot be listed.
    """
    found, folders = [], [folder]
    while folders:
        for entry in os.scandir(folders.pop()):
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False) and entry.name.lower().endswith(suffix):
                found.append(Path(entry.path))
    return sorted(found)


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder, to which others may write."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += Path(place, name).lstat().st_size
    return total


def write_atomically(path: Path | str, content: bytes, *, durable: bool = True) -> None:
    """Replaces `path` by `content`, whole or not at all."""
    with replacing(path, durable=durable) as stream:
        stream.write(content)


def write_empty(path: str) -> None:
    """As `write_atomically` of no content; a new file needs no other one: it is whole at once."""
    try:
        os.close(opened_in(path, NEW, PRIVATE))
    except FileExistsError:
        write_atomically(path, b"", durable=False)


@contextmanager
def locked(path: Path, wait_s: float, busy: str) -> Iterator[None]:
    """Holds a lock file meanwhile, as `Objects.locked` promises."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=wait_s):
            yield
    except Timeout as error:
        raise BusyError(busy or f"another process holds {path}") from error
