"""The inbox: the folder that stands for the upload bucket.

Keeps what people upload, under `<ticker>/<kind>/<their file name>`. Which file belongs to whom is
the registry's matter, what is in it the reader's.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from crypto_assets.resources.files import replacing
from crypto_assets.resources.registry import StoredUpload
from crypto_assets.spark.batch import Kind

_CHUNK = 1 << 20


class Inbox(dg.ConfigurableResource):
    """Uploads on the local file system."""

    root: str = Field(description="Folder of the uploads.")

    def put(self, source: Path, ticker: str, kind: Kind) -> StoredUpload:
        """Copies a file in, whole or not at all. Raises `OSError` if it cannot be read."""
        key = f"{ticker}/{kind}/{source.name}"
        digest, size = hashlib.sha256(), 0
        with source.open("rb") as original, replacing(Path(self.root, key)) as copy:
            while chunk := original.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                copy.write(chunk)
        return StoredUpload(
            key=key,
            name=source.name,
            etag=digest.hexdigest(),
            size=size,
            uploaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
