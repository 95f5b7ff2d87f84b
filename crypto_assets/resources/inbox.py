"""The inbox: the folder that stands for the upload bucket.

People drop files at any key (path below the root); what is at a key may be replaced. What a
currency is made from is kept apart, by content, so that it stays what it was. Which file belongs to
whom is `uploads` and the registry, what is in it the reader's.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from crypto_assets.resources.files import replacing, write_atomically
from crypto_assets.resources.registry import StoredUpload, pinned_key

OVERRIDES = "currencies.toml"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Arrival:
    """What stands at a key now: `stamp` changes with its content, `modified` is a POSIX time."""

    key: str
    stamp: str
    size: int
    modified: float

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]


class Inbox(dg.ConfigurableResource):
    """Uploads on the local file system."""

    root: str = Field(description="Folder of the uploads.")

    def arrivals(self) -> Iterator[Arrival]:
        """Every file people dropped, in no order.

        Names that begin with a dot or an underscore are the product's own or unfinished.
        """
        yield from self._below("")

    def arrival(self, key: str) -> Arrival | None:
        """What stands at this key, if anything does."""
        try:
            return _arrival(key, Path(self.root, key).stat())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def put(self, source: Path, key: str) -> None:
        """Copies a file to its key, whole or not at all. Raises `OSError` if it cannot be read."""
        with source.open("rb") as original, replacing(Path(self.root, key)) as copy:
            while chunk := original.read(_CHUNK):
                copy.write(chunk)

    def holds(self, source: Path, key: str) -> bool:
        """Whether the same content stands at the key already."""
        target = Path(self.root, key)
        try:
            if target.stat().st_size != source.stat().st_size:
                return False
        except FileNotFoundError:
            return False
        return _digest(target) == _digest(source)

    def read(self, key: str, limit: int) -> bytes:
        """The content at a key, at most `limit` bytes. Raises `OSError` if it cannot be read."""
        with Path(self.root, key).open("rb") as stream:
            return stream.read(limit)

    def pin(self, key: str, content: bytes) -> StoredUpload:
        """Keeps this content, which was read at `key`, for good."""
        etag = hashlib.sha256(content).hexdigest()
        pinned = Path(self.root, pinned_key(etag))
        if not pinned.exists():
            write_atomically(pinned, content)
        return StoredUpload(
            key=key,
            name=key.rpartition("/")[2],
            etag=etag,
            size=len(content),
            uploaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def delete(self, upload: StoredUpload, *, pinned: bool) -> None:
        """Removes the file at its key if it is still that one, and what was pinned of it."""
        target = Path(self.root, upload.key)
        if target.is_file() and _digest(target) == upload.etag:
            target.unlink()
        if pinned:
            Path(self.root, pinned_key(upload.etag)).unlink(missing_ok=True)

    def _below(self, folder: str) -> Iterator[Arrival]:
        try:
            entries = list(os.scandir(Path(self.root, folder)))
        except FileNotFoundError:
            return
        for entry in entries:
            key = f"{folder}{entry.name}"
            if entry.name.startswith((".", "_")) or key == OVERRIDES:
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    yield from self._below(f"{key}/")
                elif entry.is_file(follow_symlinks=False):
                    yield _arrival(key, entry.stat())
            except FileNotFoundError:
                continue  # replaced or removed while we looked


def _arrival(key: str, stat: os.stat_result) -> Arrival:
    return Arrival(key, f"{stat.st_size}-{stat.st_mtime_ns}", stat.st_size, stat.st_mtime)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
