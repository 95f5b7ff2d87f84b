"""Objects by key below a root: the one way to the inbox's and the lake's files.

A key is a path relative to the root. The implementations are in `local` (a folder) and `s3` (a
bucket). What the objects mean is for `inbox`, `registry`, `ledger` and `lake`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Self, TypeVar

from crypto_assets.resources.settings import Settings

Advance = Callable[[int], None]
Part = Literal["inbox", "lake"]
HIDDEN = (".", "_")  # how the name of an object or a folder begins that is the product's own
T = TypeVar("T")
R = TypeVar("R")


class Object(NamedTuple):
    """An object at a key: `etag` changes with its content.

    `modified` and `arrived` are POSIX times; a file from elsewhere may have kept the former.
    """

    key: str
    etag: str
    size: int
    modified: float
    arrived: float = 0.0


class Content(NamedTuple):
    """What was read at a key, and the etag by which it may be replaced."""

    data: bytes
    etag: str

    def document(self) -> Any:
        """The content as JSON; raises `ValueError` if it is none."""
        try:  # UTF-8 as we write it; to look for the encoding first takes as long as to parse
            return json.loads(self.data.decode())
        except ValueError:
            return json.loads(self.data)


def is_hidden(key: str) -> bool:
    """Whether a part of the key begins with a dot or an underscore: the product's own objects."""
    return key.startswith(HIDDEN) or "/." in key or "/_" in key


class Objects(ABC):
    """A tree of objects."""

    shared: ClassVar[bool] = True
    """Whether others may write here whom `locked` does not keep out."""

    @classmethod
    @abstractmethod
    def of(cls, settings: Settings, part: Part) -> Self:
        """The objects of the inbox or the lake, where the settings say."""

    @abstractmethod
    def check(self) -> None:
        """Raises `RefusedError` if the store would lose newer data to who works on older facts."""

    @abstractmethod
    def uri(self, key: str) -> str:
        """Where Spark, the reader and the warehouse find this object or folder."""

    @abstractmethod
    def find(self, key: str) -> Object | None:
        """The object at this key; a folder or a link is none."""

    def etag(self, key: str) -> str | None:
        """The etag of the object at this key, if there is one; empty if it cannot be looked at."""
        found = self.find(key)
        return found.etag if found else None

    @abstractmethod
    def walk(self) -> Iterator[Object]:
        """Every object that is not hidden, in no order."""

    @abstractmethod
    def below(self, folder: str) -> Iterator[Object]:
        """Every object below a folder, hidden ones too, in no order; none if there is no folder."""

    def names(self, folder: str) -> list[str]:
        """The names of the objects that stand in this folder."""
        keys = (found.key.removeprefix(f"{folder}/") for found in self.below(folder))
        return [name for name in keys if "/" not in name]

    @abstractmethod
    def folders(self, folder: str) -> list[str]:
        """The names of the folders that stand in this folder."""

    @abstractmethod
    def read(self, key: str, limit: int = -1) -> bytes:
        """The content, at most `limit` bytes. Raises `OSError`, `FileNotFoundError` if none."""

    @abstractmethod
    def read_all(self, keys: Iterable[str]) -> dict[str, Content]:
        """The contents of those keys that have an object."""

    def read_each(self, keys: Iterable[str]) -> Iterator[tuple[str, Content | OSError]]:
        """As `read_all`, but with the reason for each object that cannot be read."""
        yield from self.read_all(keys).items()

    @abstractmethod
    def write(self, key: str, content: bytes, *, durable: bool = True) -> None:
        """Puts this content at a key, whole or not at all."""

    def write_all(self, contents: Iterable[tuple[str, bytes]]) -> Iterator[str]:
        """As `write` for pairs of a key and its content; yields each key when it is written."""

        def write(each: tuple[str, bytes]) -> str:
            self.write(*each)
            return each[0]

        yield from self.for_each(write, contents)

    def for_each(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """What `work` gives for each item, in order; several at a time where each is a request."""
        if self.workers == 1:
            yield from map(work, items)
            return
        with ThreadPoolExecutor(self.workers) as pool:
            yield from pool.map(work, items)

    @abstractmethod
    def replace(self, key: str, content: bytes, etag: str | None) -> str:
        """Replaces what has this etag (None: nothing); gives the new etag.

        Raises `ConflictError` if there is something else. Locally that is left to `locked`.
        """

    @abstractmethod
    def move(self, source: str, target: str, etag: str | None) -> str:
        """Puts the object `source` in the place of the one at `target`, as `replace` does."""

    @abstractmethod
    def upload(self, source: Path, key: str, advance: Advance) -> None:
        """Copies a file to its key; `advance` is called with the bytes done. Raises `OSError`."""

    @abstractmethod
    def holds(self, source: Path, key: str) -> bool:
        """Whether the key has the file's content already."""

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Takes these objects away; nothing happens where there is none."""

    @abstractmethod
    def delete_below(self, folder: str) -> None:
        """Takes a folder away with all that is in it."""

    @abstractmethod
    def locked(self, name: str, wait_s: float = -1, busy: str = "") -> AbstractContextManager[None]:
        """Lets one process of this home at a time into the block; the lock dies with its process.

        Raises `BusyError` with the message `busy` after `wait_s`, never if that is negative.
        """

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many objects are best handled at a time."""
