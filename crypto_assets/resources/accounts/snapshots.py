"""The snapshots of customer accounts: which customers file goes with which accounts file.

A bank delivers both, one after the other, in any order; both are in one folder of the inbox. A pair
becomes a snapshot, named so that names sort by arrival. Until then the folder's unpaired file is an
entry that waits, which also keeps what was paired last.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.stored import StoredUpload

UNPAIRED_SECONDS = 600.0
_NAME = re.compile(r"[0-9]{8}T[0-9]{9}Z-[0-9a-f]{8}")


class SnapshotRegistry(Registry):
    """The snapshots and the files that wait for a partner; each entry keeps when it arrived."""

    def assign_file(self, kind: str, upload: StoredUpload, arrived: float) -> Entry | None:
        """Takes a file that came at this POSIX time; gives the snapshot once both files are there.

        The other file has to be new too, or `pair_overdue` has to give up waiting for it.
        """
        with self.changing():
            folder = self._folder_of(upload)
            folder.files[kind] = upload
            folder.facts["arrived"][kind] = arrived
            folder.facts["paired"].pop(kind, None)
            if self.is_complete(folder):
                return self._pair(folder)
            self._write("waiting", folder)
            return None

    def pair_overdue(self, now: float) -> list[Entry]:
        """Pairs new files, whose partner did not come again for long, with the one they have."""
        with self.changing():
            found = []
            for folder in self.waiting().values():
                arrived = max(folder.facts["arrived"][kind] for kind in folder.files)
                paired = folder.facts["paired"]
                complete = folder.files.keys() | paired.keys() >= self.data_set.files.keys()
                if complete and now - arrived > UNPAIRED_SECONDS:
                    old = {kind: StoredUpload(**upload) for kind, upload in paired.items()}
                    found.append(self._pair(replace(folder, files={**old, **folder.files})))
            return [snapshot for snapshot in found if snapshot]

    def register(self, files: Mapping[str, StoredUpload], arrived: datetime | None = None) -> Entry:
        """Registers a snapshot of these files that came then, else now; it is due for a run."""
        at = arrived or datetime.now(UTC)
        etags = "".join(files[kind].etag for kind in self.data_set.files)
        content = hashlib.sha256(etags.encode()).hexdigest()[:8]
        name = f"{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03d}Z-{content}"
        snapshot = Entry(name, dict(files), {"arrived_at": at.isoformat(timespec="milliseconds")})
        self.put(snapshot)
        return snapshot

    def snapshot(self, name: str) -> Entry:
        """The snapshot of this name. Raises `UsageError` if there is none."""
        found = self.get_all([name]) if _NAME.fullmatch(name) else {}
        if name not in found:
            known = ", ".join(self.names()[-3:]) or "none so far"
            raise UsageError(f"there is no snapshot {name!r}; the last ones: {known}")
        return found[name]

    def waiting(self) -> dict[str, Entry]:
        return {name: folder for name, folder in super().waiting().items() if folder.files}

    def uploads_of(self, entry: Entry) -> Iterator[tuple[str, StoredUpload]]:
        """Of a folder also the uploads that were paired last."""
        yield from super().uploads_of(entry)
        for kind, upload in entry.facts.get("paired", {}).items():
            yield kind, StoredUpload(**upload)

    def every_upload(self) -> Iterator[tuple[str, StoredUpload]]:
        """The kind of each upload: of snapshots, waiting for its partner, or paired last."""
        for _, entry in self.documents():
            yield from self.uploads_of(entry)

    def remove_paired(self, before: datetime) -> None:
        """Forgets the folders to which nothing came since, if no snapshot is of their last pair."""
        with self.changing():
            entries = self.get_all(self.names()).values()
            etags = {upload.etag for entry in entries for upload in entry.files.values()}
            for folder, entry in self.documents():
                held = {upload.etag for _, upload in self.uploads_of(entry)}
                last = max(entry.facts.get("arrived", {}).values(), default=0.0)
                is_done = folder == "waiting" and not entry.files and not held & etags
                if is_done and last < before.timestamp():
                    self.remove(entry.partition)

    def forgotten(self) -> tuple[int, ...]:
        """The ids of the customers that were erased and stay out, in order."""
        return tuple(sorted(map(int, self._names("forgotten"))))

    def record_forgotten(self, customer_id: int, record: Mapping[str, Any]) -> None:
        """Records that a customer was erased, when, and what was erased."""
        key = self._key("forgotten", str(customer_id))
        self.objects.write(key, json.dumps(record, indent=1).encode())

    def admit(self, customer_id: int) -> None:
        """Takes the record back that a customer was erased."""
        self.objects.delete([self._key("forgotten", str(customer_id))])

    def replace_contents(self, contents: Mapping[str, StoredUpload]) -> None:
        """Gives uploads other contents, by the etag of their old one; they keep their keys."""

        def changed(upload: StoredUpload) -> StoredUpload:
            new = contents.get(upload.etag, upload)
            return replace(upload, etag=new.etag, size=new.size)

        with self.changing():
            for folder, entry in self.documents():
                files = {kind: changed(upload) for kind, upload in entry.files.items()}
                facts = dict(entry.facts)
                if "paired" in facts:
                    facts["paired"] = {
                        kind: asdict(changed(StoredUpload(**upload)))
                        for kind, upload in facts["paired"].items()
                    }
                new = replace(entry, files=files, facts=facts)
                if new != entry:
                    self._write(folder, new)

    def _pair(self, folder: Entry) -> Entry | None:
        """Makes a snapshot of both files; None if the newest one has the same contents."""
        arrived = datetime.fromtimestamp(max(folder.facts["arrived"].values()), UTC)
        paired = {kind: asdict(upload) for kind, upload in folder.files.items()}
        newest = self.get_all(self.names()[-1:])
        snapshot = None
        if not any(_contents(entry.files) == _contents(folder.files) for entry in newest.values()):
            snapshot = self.register(folder.files, arrived)
        facts = {**folder.facts, "paired": paired}
        self._write("waiting", replace(folder, files={}, facts=facts))
        return snapshot

    def _folder_of(self, upload: StoredUpload) -> Entry:
        """The entry of the folder in which this upload is."""
        folder = upload.key.rpartition("/")[0]
        name = f"folder-{hashlib.sha256(folder.encode(errors='surrogateescape')).hexdigest()[:16]}"
        return self.get(name) or Entry(name, {}, {"arrived": {}, "paired": {}})


def _contents(files: Mapping[str, StoredUpload]) -> dict[str, str]:
    return {kind: upload.etag for kind, upload in files.items()}
