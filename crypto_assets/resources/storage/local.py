"""Objects in a folder of the local file system."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.files import (
    locked,
    open_regular,
    read_regular,
    write_atomically,
    write_empty,
)
from crypto_assets.resources.storage.objects import (
    HIDDEN,
    Advance,
    Content,
    Object,
    Objects,
    Part,
)
from crypto_assets.spark.replacing import replace_all, replacing

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class LocalObjects(Objects):
    """A folder of the local file system."""

    shared = False

    root: str

    @classmethod
    def of(cls, settings: Settings, part: Part) -> Self:
        folders = {"inbox": settings.inbox_folder, "lake": settings.lake_folder}
        return cls(root=str(folders[part]))

    @property
    def workers(self) -> int:
        return 1

    def check(self) -> None:
        """Nothing to try: `locked` keeps the processes of a home apart."""

    def uri(self, key: str) -> str:
        return self._place(key).rstrip("/")

    def find(self, key: str) -> Object | None:
        """As `Objects.find`; what cannot be looked at has no etag: reading it says why."""
        try:
            return _object(key, os.lstat(self._place(key)))
        except OSError as error:
            return _not_looked_at(key, error)

    def etag(self, key: str) -> str | None:
        """As `Objects.etag`; asked for each of tens of thousands of files, so without an object."""
        try:
            return _etag(os.lstat(self._place(key)))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return ""

    def walk(self) -> Iterator[Object]:
        return self._walk("", hidden=False)

    def below(self, folder: str) -> Iterator[Object]:
        return self._walk(f"{folder}/", hidden=True)

    def names(self, folder: str) -> list[str]:
        found = self._entries(f"{folder}/") or []
        return [entry.name for entry in found if entry.is_file(follow_symlinks=False)]

    def folders(self, folder: str) -> list[str]:
        found = self._entries(f"{folder}/") or []
        return [entry.name for entry in found if entry.is_dir(follow_symlinks=False)]

    def read(self, key: str, limit: int = -1) -> bytes:
        return read_regular(self._place(key), limit)

    def read_all(self, keys: Iterable[str]) -> dict[str, Content]:
        contents = {}
        for key, content in self.read_each(keys):
            if isinstance(content, OSError):
                raise content
            contents[key] = content
        return contents

    def read_each(self, keys: Iterable[str]) -> Iterator[tuple[str, Content | OSError]]:
        for key in keys:
            try:
                content = Content(read_regular(f"{self.root}/{key}"), "")
            except FileNotFoundError:
                continue
            except OSError as error:
                yield key, error
            else:
                yield key, content

    def write(self, key: str, content: bytes, *, durable: bool = True) -> None:
        if content or durable:
            write_atomically(self._place(key), content, durable=durable)
        else:
            write_empty(self._place(key))

    def write_all(self, contents: Iterable[tuple[str, bytes]]) -> Iterator[str]:
        """As `Objects.write_all`; the disk is waited for once for all of them."""
        placed = ((self._place(key), content) for key, content in contents)
        for place in replace_all(placed):
            yield place.removeprefix(self._place(""))

    def replace(self, key: str, content: bytes, etag: str | None) -> str:  # noqa: ARG002
        self.write(key, content, durable=False)
        return ""

    def move(self, source: str, target: str, etag: str | None) -> str:
        file, place = self._place(source), self._place(target)
        folder = place.rpartition("/")[0]
        if etag is None:  # then the folder, too, most often is to be made
            with suppress(FileExistsError, FileNotFoundError):
                os.mkdir(folder)  # noqa: PTH102 - as `_place` says
        try:
            os.replace(file, place)  # noqa: PTH105
        except FileNotFoundError:  # most often the folder is there
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
            os.replace(file, place)  # noqa: PTH105
        return self.etag(target) or ""

    def upload(self, source: Path, key: str, advance: Advance) -> None:
        original = open_regular(source, follow=True)
        with original, replacing(self._place(key)) as copy:
            while chunk := original.read(_CHUNK):
                copy.write(chunk)
                advance(len(chunk))

    def holds(self, source: Path, key: str) -> bool:
        present = self.find(key)
        if present is None or present.size != source.stat().st_size:
            return False
        with open_regular(Path(self.root, key)) as one, open_regular(source, follow=True) as other:
            return all(_same_chunks(one.read, other.read))

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            with suppress(FileNotFoundError):
                os.unlink(self._place(key))  # noqa: PTH108 - as `_place` says

    def delete_below(self, folder: str) -> None:
        shutil.rmtree(Path(self.root, folder), ignore_errors=True)

    def locked(self, name: str, wait_s: float = -1, busy: str = "") -> AbstractContextManager[None]:
        return locked(Path(self.root, name), wait_s, busy)

    def _place(self, key: str) -> str:
        """Where the object is; as text, since to make a path takes longer than to look it up."""
        return f"{self.root}/{key}"

    def _walk(self, folder: str, *, hidden: bool) -> Iterator[Object]:
        folders = [folder]
        while folders:
            at = folders.pop()
            entries = self._entries(at)
            if entries is None:
                yield Object(at.rstrip("/"), "", 0, 0.0)  # reading it says why it cannot be read
                continue
            for entry in entries:
                name = entry.name
                if not hidden and name.startswith(HIDDEN):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{at}{name}/")
                    continue
                try:
                    found = _object(f"{at}{name}", entry.stat(follow_symlinks=False))
                except OSError as error:
                    found = _not_looked_at(f"{at}{name}", error)
                if found:
                    yield found

    def _entries(self, folder: str) -> list[os.DirEntry[str]] | None:
        """What is in a folder; None if it cannot be listed."""
        try:
            return list(os.scandir(self._place(folder)))
        except (FileNotFoundError, NotADirectoryError):
            return []  # replaced or removed while we looked
        except OSError:
            if not folder:
                raise
            return None


def _object(key: str, found: os.stat_result) -> Object | None:
    """The object at this key, of which the file system knows this, if it is one."""
    if etag := _etag(found):
        return Object(key, etag, found.st_size, found.st_mtime, found.st_ctime)
    return None


def _not_looked_at(key: str, error: OSError) -> Object | None:
    """What is at this key, which cannot be looked at, if it is there: reading it says why."""
    gone = isinstance(error, (FileNotFoundError, NotADirectoryError))
    return None if gone else Object(key, "", 0, 0.0)


def _etag(found: os.stat_result) -> str | None:
    """The etag of a file; none if it is no regular one."""
    if not stat.S_ISREG(found.st_mode):
        return None
    return f"{found.st_size}-{found.st_mtime_ns}"


def _same_chunks(one: Callable[[int], bytes], other: Callable[[int], bytes]) -> Iterator[bool]:
    while chunk := one(_CHUNK):
        yield chunk == other(_CHUNK)
