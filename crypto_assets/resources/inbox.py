"""The inbox: the folder that stands for the upload bucket.

People drop files at any key (path below the root); what is at a key may be replaced. What a
currency is made from is kept apart, by content, so that it stays what it was. Which file belongs to
whom is `uploads` and the registry, what is in it the reader's.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from crypto_assets.resources.files import printable, replacing, write_atomically
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


class Inbox(dg.ConfigurableResource):
    """Uploads on the local file system."""

    root: str = Field(description="Folder of the uploads.")

    def arrivals(self) -> Iterator[Arrival]:
        """Every file people dropped, in no order.

        Names that begin with a dot or an underscore are the product's own or unfinished.
        """
        folders = [""]
        while folders:
            for key, entry in self._entries(folders.pop()):
                if entry is None:
                    yield Arrival(key, "", 0, 0.0)  # whoever reads it is told why it cannot be
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(f"{key}/")
                elif arrival := self.arrival(key):
                    yield arrival

    def arrival(self, key: str) -> Arrival | None:
        """The file that stands at this key, if one does; a link or a folder is none."""
        try:
            found = Path(self.root, key).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return Arrival(key, "", 0, 0.0)
        if not stat.S_ISREG(found.st_mode):
            return None
        return Arrival(key, f"{found.st_size}-{found.st_mtime_ns}", found.st_size, found.st_mtime)

    def standing(self, upload: StoredUpload) -> Arrival | None:
        """The file of this upload, if what stands at its key is still that content."""
        arrival = self.arrival(upload.key)
        if arrival and _digest(Path(self.root, upload.key)) == upload.etag:
            return arrival
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
        etag = etag_of(content)
        pinned = Path(self.root, pinned_key(etag))
        if not pinned.exists():
            write_atomically(pinned, content)
        return StoredUpload(
            key=key,
            name=printable(key.rpartition("/")[2]),
            etag=etag,
            size=len(content),
            uploaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def delete(self, upload: StoredUpload, *, pinned: bool) -> None:
        """Removes the file at its key if it is still that one, and what was pinned of it."""
        if self.standing(upload):
            Path(self.root, upload.key).unlink(missing_ok=True)
        if pinned:
            Path(self.root, pinned_key(upload.etag)).unlink(missing_ok=True)

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
            key = f"{folder}{entry.name}"
            if not entry.name.startswith((".", "_")) and key != OVERRIDES:
                yield key, entry


def etag_of(content: bytes) -> str:
    """What names this content: its SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
