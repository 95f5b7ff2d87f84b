"""An entry of the registry: a partition, the uploads that it is made from, and its document.

Where the documents are, and what changes them, is the registry's matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.storage.clock import utc_text
from crypto_assets.resources.storage.objects import Content

# What reading a document raises that is no entry.
NO_ENTRY = (ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True)
class Earlier:
    """A content that a partition was made from before: of which kind it was, and until when.

    `until` is UTC, in ISO format. The kind is empty where an earlier version did not keep it.
    """

    kind: str
    until: str


@dataclass(frozen=True)
class Entry:
    """A partition and its uploads by kind; `facts` are what its data set keeps with it (JSON).

    `earlier` are the contents that it was made from before, by etag.
    """

    partition: str
    files: dict[str, StoredUpload] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    earlier: dict[str, Earlier] = field(default_factory=dict)

    def document(self) -> bytes:
        """The entry as JSON, on one line: to indent it takes ten times longer."""
        return json.dumps(vars(self), default=vars).encode()

    def given(self, files: Mapping[str, StoredUpload], facts: Mapping[str, Any]) -> Entry:
        """The entry with these files and facts in the place of those it has."""
        now = utc_text()
        all_files = {**self.files, **files}
        present = {upload.etag for upload in all_files.values()}
        replaced = {upload.etag: Earlier(kind, now) for kind, upload in self.files.items()}
        known = replaced | self.earlier
        earlier = {etag: each for etag, each in known.items() if etag not in present}
        return replace(self, files=all_files, facts={**self.facts, **facts}, earlier=earlier)


def uploads_in(entries: Mapping[str, Entry]) -> Iterator[tuple[str, str, StoredUpload]]:
    """The partition and kind of every upload in these entries."""
    for name, entry in entries.items():
        yield from ((name, kind, upload) for kind, upload in entry.files.items())


def entry_of(content: Content | OSError) -> Entry:
    """The entry in a document. Raises the `OSError`, or one of `NO_ENTRY`."""
    if isinstance(content, OSError):
        raise content
    document = content.document()
    files = {kind: StoredUpload(**upload) for kind, upload in document["files"].items()}
    earlier = {
        etag: Earlier(**each) if isinstance(each, dict) else Earlier("", each)
        for etag, each in document.get("earlier", {}).items()
    }
    return Entry(document["partition"], files, document["facts"], earlier)
