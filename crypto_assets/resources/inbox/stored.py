"""One upload as it is kept: its content for good, and what is known of it.

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


def pinned_key(etag: str) -> str:
    """Where an upload's content is kept for good, below the inbox."""
    return f"_contents/{etag}"
