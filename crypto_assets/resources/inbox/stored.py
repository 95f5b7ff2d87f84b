"""One upload as it is kept: its content, and what is known of it.

Whose it is says the registry (`data_set`).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class StoredUpload:
    """One upload: its `key` below the inbox, SHA-256 `etag`, size in bytes, UTC ISO time.

    `facts` are what its data set has to know when another content comes to its place.
    """

    key: str
    name: str
    etag: str
    size: int
    uploaded_at: str
    facts: dict[str, str] = field(default_factory=dict)


CONTENTS = "_contents"


def pinned_key(etag: str) -> str:
    """Where an upload's content is kept, below the inbox, as long as anything is made from it."""
    return f"{CONTENTS}/{etag}"
