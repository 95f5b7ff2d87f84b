"""Objects by key below a root: the one way to the inbox's and the lake's files.

A key is a path relative to the root. Two bodies: a local folder here, an S3 bucket in `s3`. What
the objects mean is for `inbox`, `registry`, `ledger` and `lake`.
"""

from __future__ import annotations

import os
import shutil
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import dagster as dg
from filelock import FileLock, Timeout
from pydantic import Field

from crypto_assets.resources.storage.files import replacing, write_atomically

_CHUNK = 1 << 20
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Object:
    """What stands at a key now: `stamp` changes with its content.

    `modified` and `arrived` are POSIX times; a file from elsewhere may have kept the former.
    """

    key: str
    stamp: str
    size: int
    modified: float
    arrived: float = field(default=0.0, compare=False)


class Content(NamedTuple):
    """What was read at a key, and the stamp by which it may be replaced."""

    data: bytes
    stamp: str


class Overtaken(Exception):  # noqa: N818 - it reads as a sentence to a person
    """What stood at a key was replaced by another process meanwhile."""


class LockBusy(Exception):  # noqa: N818 - it reads as a sentence to a person
    """Another process holds a lock for longer than was to be waited."""


def is_hidden(key: str) -> bool:
    """Whether a part of the key begins with a dot or an underscore: the product's own objects."""
    return any(part.startswith((".", "_")) for part in key.split("/"))


class Objects(dg.ConfigurableResource, ABC):
    """A tree of objects. Bodies are `LocalObjects` and `s3.S3Objects`."""

    @abstractmethod
    def uri(self, key: str) -> str:
        """Where Spark, the reader and the warehouse find this object or folder."""

    @abstractmethod
    def find(self, key: str) -> Object | None:
        """What stands at this key; a folder or a link is none."""

    @abstractmethod
    def walk(self) -> Iterator[Object]:
        """Every object that is not hidden, in no order."""

    @abstractmethod
    def below(self, folder: str) -> Iterator[Object]:
        """Every object below a folder, hidden ones too, in no order; none if there is no folder."""

    @abstractmethod
    def folders(self, folder: str) -> list[str]:
        """The names of the folders that stand in this folder."""

    @abstractmethod
    def read(self, key: str, limit: int = -1) -> bytes:
        """The content, at most `limit` bytes. Raises `OSError`, `FileNotFoundError` if none."""

    @abstractmethod
    def read_all(self, keys: Iterable[str]) -> dict[str, Content]:
        """The contents of those keys that have an object."""

    @abstractmethod
    def write(self, key: str, content: bytes, *, durable: bool = True) -> None:
        """Puts this content at a key, whole or not at all."""

    @abstractmethod
    def replace(self, key: str, content: bytes, stamp: str | None) -> str:
        """Replaces what has this stamp (None: nothing); gives the new stamp.

        Raises `Overtaken` if something else stands there. Locally that is left to `locked`.
        """

    @abstractmethod
    def move(self, source: str, target: str, stamp: str | None) -> str:
        """Puts the object `source` in the place of the one at `target`, as `replace` does."""

    @abstractmethod
    def upload(self, source: Path, key: str, advance: Advance) -> None:
        """Copies a file to its key; `advance` is told the bytes done. Raises `OSError`."""

    @abstractmethod
    def holds(self, source: Path, key: str) -> bool:
        """Whether the file's content stands at the key already."""

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Takes these objects away; nothing happens where there is none."""

    @abstractmethod
    def delete_below(self, folder: str) -> None:
        """Takes a folder away with all that is in it."""

    @abstractmethod
    def locked(self, name: str, wait_s: float = -1) -> AbstractContextManager[None]:
        """Lets one process of this home at a time into the block. Raises `LockBusy` after `wait_s`.

        The lock dies with its process.
        """

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many objects are best handled at a time."""


class LocalObjects(Objects):
    """A folder of the local file system."""

    root: str = Field(description="The folder.")

    @property
    def workers(self) -> int:
        return 1

    def uri(self, key: str) -> str:
        return str(Path(self.root, key))

    def find(self, key: str) -> Object | None:
        """As `Objects.find`; what cannot be looked at has no stamp: its reader is told why."""
        try:
            found = Path(self.root, key).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return Object(key, "", 0, 0.0)
        if not stat.S_ISREG(found.st_mode):
            return None
        stamp = f"{found.st_size}-{found.st_mtime_ns}"
        return Object(key, stamp, found.st_size, found.st_mtime, found.st_ctime)

    def walk(self) -> Iterator[Object]:
        return self._walk("", hidden=False)

    def below(self, folder: str) -> Iterator[Object]:
        return self._walk(f"{folder}/", hidden=True)

    def folders(self, folder: str) -> list[str]:
        found = self._entries(f"{folder}/")
        return [entry.name for _, entry in found if entry and entry.is_dir(follow_symlinks=False)]

    def read(self, key: str, limit: int = -1) -> bytes:
        with Path(self.root, key).open("rb") as stream:
            return stream.read(limit)

    def read_all(self, keys: Iterable[str]) -> dict[str, Content]:
        contents = {}
        for key in keys:
            try:
                contents[key] = Content(self.read(key), "")
            except FileNotFoundError:
                continue
        return contents

    def write(self, key: str, content: bytes, *, durable: bool = True) -> None:
        write_atomically(Path(self.root, key), content, durable=durable)

    def replace(self, key: str, content: bytes, stamp: str | None) -> str:  # noqa: ARG002
        self.write(key, content, durable=False)
        return ""

    def move(self, source: str, target: str, stamp: str | None) -> str:  # noqa: ARG002
        Path(self.root, target).parent.mkdir(parents=True, exist_ok=True)
        Path(self.root, source).replace(Path(self.root, target))
        return ""

    def upload(self, source: Path, key: str, advance: Advance) -> None:
        with source.open("rb") as original, replacing(Path(self.root, key)) as copy:
            while chunk := original.read(_CHUNK):
                copy.write(chunk)
                advance(len(chunk))

    def holds(self, source: Path, key: str) -> bool:
        target = Path(self.root, key)
        try:
            if target.stat().st_size != source.stat().st_size:
                return False
        except FileNotFoundError:
            return False
        with target.open("rb") as one, source.open("rb") as other:
            return all(_same_chunks(one.read, other.read))

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            Path(self.root, key).unlink(missing_ok=True)

    def delete_below(self, folder: str) -> None:
        shutil.rmtree(Path(self.root, folder), ignore_errors=True)

    @contextmanager
    def locked(self, name: str, wait_s: float = -1) -> Iterator[None]:
        with locked(Path(self.root, name), wait_s):
            yield

    def _walk(self, folder: str, *, hidden: bool) -> Iterator[Object]:
        folders = [folder]
        while folders:
            for key, entry in self._entries(folders.pop()):
                if not hidden and is_hidden(key):
                    continue
                if entry is None:
                    yield Object(key, "", 0, 0.0)  # whoever reads it is told why it cannot be
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(f"{key}/")
                elif found := self.find(key):
                    yield found

    def _entries(self, folder: str) -> Iterator[tuple[str, os.DirEntry[str] | None]]:
        """The keys in a folder; that of the folder itself, and no entry, if it cannot be listed."""
        try:
            entries = list(os.scandir(Path(self.root, folder)))
        except (FileNotFoundError, NotADirectoryError):
            return  # replaced or removed while we looked
        except OSError:
            if not folder:
                raise
            yield folder.rstrip("/"), None
            return
        for entry in entries:
            yield f"{folder}{entry.name}", entry


@contextmanager
def locked(path: Path, wait_s: float = -1) -> Iterator[None]:
    """Holds a lock file meanwhile; without end if `wait_s` is negative, else raises `LockBusy`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=wait_s):
            yield
    except Timeout as error:
        raise LockBusy(str(path)) from error


def _same_chunks(one: Callable[[int], bytes], other: Callable[[int], bytes]) -> Iterator[bool]:
    while chunk := one(_CHUNK):
        yield chunk == other(_CHUNK)
