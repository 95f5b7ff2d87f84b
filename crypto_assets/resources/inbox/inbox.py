"""The inbox: the folder or the bucket that people upload to; one that has events is in `sqs`.

People drop files at any key (path below the root); what is at a key may be replaced. What a
currency is made from is kept apart, by content, so that it stays what it was. Which file belongs to
whom is `uploads` and the registry, what is in it the reader's.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from crypto_assets.resources.inbox.stored import CONTENTS, StoredUpload, pinned_key
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.clock import utc_text
from crypto_assets.resources.storage.objects import Advance, Object, Objects, is_hidden
from crypto_assets.spark.printable import printable

OVERRIDES = "currencies.toml"
SETTLED_SECONDS = 2.0
EMPTY_SECONDS = 60.0
YOUNG_SECONDS = 3600.0  # less than any content is kept that nobody has registered


@dataclass(frozen=True)
class News:
    """What may have come: everything if `complete`, else what events named.

    `receipts` are pairs of a key and what acknowledges that its news were worked off.
    """

    arrivals: list[Object]
    complete: bool = True
    receipts: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """The uploads, found by listing them."""

    objects: Objects

    @classmethod
    def of(cls, settings: Settings, objects: Objects) -> Inbox:  # noqa: ARG003 - events need them
        """The inbox of these objects, as the settings say."""
        return Inbox(objects=objects)

    def news(self, listed_at: float) -> News:  # noqa: ARG002 - an inbox with events needs it
        """What may be new since the inbox was last listed, at this POSIX time."""
        return News(list(self.arrivals()))

    def acknowledge(self, receipts: Collection[str]) -> None:
        """These news were worked off, and that is recorded for good."""

    def is_settled(self, arrival: Object) -> bool:
        """Whether nobody seems to write the file any more; an empty one is given more time.

        A time in the future tells nothing: archives and other clocks make such files.
        """
        wanted = SETTLED_SECONDS if arrival.size else EMPTY_SECONDS
        return not 0 <= time.time() - arrival.modified < wanted

    def arrivals(self) -> Iterator[Object]:
        """Every file people dropped, in no order."""
        return (found for found in self.objects.walk() if found.key != OVERRIDES)

    def arrival(self, key: str) -> Object | None:
        """The file at this key, if there is one."""
        return self.objects.find(key)

    def current(self, upload: StoredUpload) -> Object | None:
        """The file of this upload, if its key still has that content."""
        arrival = self.arrival(upload.key)
        if arrival and etag_of(self.objects.read(upload.key)) == upload.etag:
            return arrival
        return None

    def put(self, source: Path, key: str, advance: Advance = lambda _: None) -> None:
        """Copies a file to its key, whole or not at all. Raises `OSError` if it cannot be read."""
        self.objects.upload(source, key, advance)

    def holds(self, source: Path, key: str) -> bool:
        """Whether the key has the same content already."""
        return self.objects.holds(source, key)

    def read(self, key: str, limit: int) -> bytes:
        """The content at a key, at most `limit` bytes. Raises `OSError` if it cannot be read."""
        return self.objects.read(key, limit)

    def pin(self, key: str, content: bytes) -> StoredUpload:
        """Keeps this content, which was read at `key`, as `pin_all` does."""
        upload = uploaded(key, content)
        self.pin_all({upload.etag: content})
        return upload

    def pin_all(self, contents: Mapping[str, bytes]) -> None:
        """Keeps these contents, by their etags, and makes those young that are there already.

        So nobody takes one for a content of long ago before it is registered.
        """
        keys = [*map(pinned_key, contents)]
        with self.alone_with_contents():
            present = self.objects.for_each(self.objects.find, keys)
            old = (
                (key, content)
                for key, content, found in zip(keys, contents.values(), present, strict=True)
                if not found or time.time() - found.arrived > YOUNG_SECONDS
            )
            for _ in self.objects.write_all(old):
                pass

    def contents(self) -> Iterator[tuple[str, Object]]:
        """The etag of each content that is kept, and the object that it is kept in.

        Also what killed processes left there, under another name.
        """
        for found in self.objects.below(CONTENTS):
            yield found.key.rpartition("/")[2], found

    def alone_with_contents(self) -> AbstractContextManager[None]:
        """Keeps other processes of this home from pinning or deleting contents meanwhile."""
        return self.objects.locked(".contents.lock")

    def unpin(self, etags: Iterable[str]) -> None:
        """Removes the contents of these etags that were kept."""
        self.objects.delete(map(pinned_key, etags))

    def delete(self, upload: StoredUpload, *, pinned: bool) -> None:
        """Removes the file at its key if it is still that one, and what was pinned of it."""
        keys = [upload.key] if self.current(upload) else []
        self.objects.delete([*keys, pinned_key(upload.etag)] if pinned else keys)


def is_upload(key: str) -> bool:
    """Whether people drop files at this key; hidden ones are the product's own or unfinished."""
    return key != OVERRIDES and not is_hidden(key)


def uploaded(key: str, content: bytes) -> StoredUpload:
    """The upload of this content, which was read at `key` just now."""
    return StoredUpload(
        key=key,
        name=printable(key.rpartition("/")[2]),
        etag=etag_of(content),
        size=len(content),
        uploaded_at=utc_text(),
    )


def etag_of(content: bytes) -> str:
    """What names this content: its SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
