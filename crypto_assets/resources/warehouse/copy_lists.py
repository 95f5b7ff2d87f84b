"""Lists of the files that COPY reads, which are in the lake as long as a load lasts.

COPY calls such a list a manifest. Which statement reads it is in `redshift`.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.storage.objects import Objects

LISTS = "_loads"  # below the lake
LISTS_KEPT_S = 86_400  # of a process that was killed: no load takes that long


@dataclass(frozen=True)
class CopyLists:
    """Lists among the lake's objects."""

    objects: Objects

    @contextmanager
    def of(self, files: Iterable[LoadFile]) -> Iterator[str]:
        """The URI of a list of these files."""
        old = time.time() - LISTS_KEPT_S
        self.objects.delete(
            list_.key for list_ in self.objects.below(LISTS) if list_.modified < old
        )
        with self._written(_file_list(files), "json") as uri:
            yield uri

    @contextmanager
    def of_content(self, content: bytes, rows: int) -> Iterator[str]:
        """The URI of a list of one Parquet file with this content, which is there as long."""
        with (
            self._written(content, "parquet") as uri,
            self.of([LoadFile(uri, len(content), rows)]) as listed,
        ):
            yield listed

    @contextmanager
    def _written(self, content: bytes, style: str) -> Iterator[str]:
        key = f"{LISTS}/{uuid.uuid4().hex}.{style}"
        self.objects.write(key, content)
        try:
            yield self.objects.uri(key)
        finally:
            with suppress(Exception):  # a later load deletes it
                self.objects.delete([key])


def _file_list(files: Iterable[LoadFile]) -> bytes:
    """The files as COPY wants them."""
    entries = [
        {"url": file.uri, "mandatory": True, "meta": {"content_length": file.size_bytes}}
        for file in files
    ]
    return json.dumps({"entries": entries}).encode()
