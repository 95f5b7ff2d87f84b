"""The snapshots of customer accounts: which customers file goes with which accounts file.

A bank drops both, one after the other, in any order; both stand in one folder of the inbox. A pair
becomes a snapshot, named so that names sort by arrival. Documents below the inbox, like the
registry's; the files' content is the inbox's matter.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from crypto_assets.resources.market_data.registry import StoredUpload, WrongUse, pinned_upload
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.spark.job_spec import (
    ACCOUNT_KINDS,
    ACCOUNT_LAYERS,
    AccountKind,
    Layer,
    Snapshot,
)
from crypto_assets.spark.version import code_version

LONE_FILE_SECONDS = 600.0
_PAIRS = "_snapshots/.pairs.json"
_FORGOTTEN = "_forgotten"
_NAME = re.compile(r"[0-9]{8}T[0-9]{9}Z-[0-9a-f]{8}")


@dataclass(frozen=True)
class StoredSnapshot:
    """A pair of uploads; `arrived_at` is when the later one came, an ISO time in UTC."""

    name: str
    arrived_at: str
    customers: StoredUpload
    accounts: StoredUpload

    def version(self, layer: Layer) -> str:
        """What this layer of the snapshot is made from: code and uploads, as a hash."""
        etags = (self.customers.etag, self.accounts.etag)
        text = repr((code_version("accounts"), layer, etags))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Half:
    """The file of one kind that stands in a folder; `used`: it is part of a snapshot already."""

    upload: StoredUpload
    arrived: float
    used: bool = False

    def is_overdue(self, now: float) -> bool:
        """Whether it waits for a new other half for longer than a drop takes."""
        return not self.used and now - self.arrived > LONE_FILE_SECONDS


class Snapshots(dg.ConfigurableResource):
    """The snapshots and the files that wait for their other half."""

    objects: dg.ResourceDependency[Objects]  # the inbox's

    def take(
        self, kind: AccountKind, upload: StoredUpload, arrived: float
    ) -> StoredSnapshot | None:
        """Takes a file that came at this POSIX time; gives the snapshot once both files are there.

        The other file has to be new too, or `pair_lone` has to give up waiting for it.
        """
        folder = upload.key.rpartition("/")[0]
        with self._changing() as pairs:
            halves = pairs.setdefault(folder, {})
            halves[kind] = _Half(upload, arrived)
            if len(halves) < len(ACCOUNT_KINDS) or any(half.used for half in halves.values()):
                return None
            return self._paired(halves)

    def pair_lone(self, now: float) -> list[StoredSnapshot]:
        """Pairs new files, whose other half did not come again for long, with the one they have."""
        with self._changing() as pairs:
            found = [
                self._paired(halves)
                for halves in pairs.values()
                if len(halves) == len(ACCOUNT_KINDS)
                and any(half.is_overdue(now) for half in halves.values())
            ]
        return [snapshot for snapshot in found if snapshot]

    def put(self, customers: StoredUpload, accounts: StoredUpload) -> StoredSnapshot:
        """Registers a snapshot of these files that came now, and makes it due for a run."""
        return self._register(customers, accounts, datetime.now(UTC))

    def waiting(self) -> list[tuple[AccountKind, StoredUpload]]:
        """The files that are part of no snapshot yet."""
        return [
            (kind, half.upload)
            for halves in self._pairs().values()
            for kind, half in halves.items()
            if not half.used
        ]

    def names(self) -> list[str]:
        """All snapshots, in the order of their arrival."""
        keys = (found.key for found in self.objects.below("_snapshots"))
        names = (key.rpartition("/")[2] for key in keys)
        return sorted(n.removesuffix(".json") for n in names if not n.startswith("."))

    def get(self, name: str) -> StoredSnapshot:
        """The snapshot of this name. Raises `WrongUse` if there is none."""
        found = None
        if _NAME.fullmatch(name):
            found = self.objects.read_all([_key(name)]).get(_key(name))
        if found is None:
            known = ", ".join(self.names()[-3:]) or "none so far"
            raise WrongUse(f"there is no snapshot {name!r}; the last ones: {known}")
        return _snapshot(json.loads(found.data))

    def due(self) -> list[str]:
        """The snapshots that no run was requested for, oldest first."""
        return sorted(
            found.key.rpartition("/")[2] for found in self.objects.below("_due_snapshots")
        )

    def settle(self, name: str) -> None:
        """The run for this snapshot has been requested."""
        self.objects.delete([_due_key(name)])

    def forgotten(self) -> tuple[int, ...]:
        """The ids of the customers that were erased and stay out, in order."""
        names = (found.key.rpartition("/")[2] for found in self.objects.below(_FORGOTTEN))
        return tuple(sorted(int(name.removesuffix(".json")) for name in names))

    def note_forgotten(self, customer_id: int, record: dict[str, Any]) -> None:
        """Records that a customer was erased, when, and what was erased of him."""
        key = f"{_FORGOTTEN}/{customer_id}.json"
        self.objects.write(key, json.dumps(record, indent=1).encode())

    def admit(self, customer_id: int) -> None:
        """Takes the record back that a customer was erased."""
        self.objects.delete([f"{_FORGOTTEN}/{customer_id}.json"])

    def replace_uploads(
        self, snapshot: StoredSnapshot, customers: StoredUpload, accounts: StoredUpload
    ) -> None:
        """Gives the snapshot other contents of its files, which keep their keys."""
        changed = replace(snapshot, customers=customers, accounts=accounts)
        self.objects.write(_key(snapshot.name), _document(changed))
        with self._changing() as pairs:
            for halves in pairs.values():
                for kind, half in halves.items():
                    if half.upload == getattr(snapshot, kind):
                        halves[kind] = replace(half, upload=getattr(changed, kind))

    def order(
        self,
        snapshot: StoredSnapshot,
        layers: tuple[Layer, ...],
        staging: str,
        lake: str,
        stored: str | None,
    ) -> Snapshot:
        """The order for a job, its files pinned at their content."""
        return Snapshot(
            staging=staging,
            lake=lake,
            layers=tuple(layer for layer in ACCOUNT_LAYERS if layer in layers),
            name=snapshot.name,
            arrived_at=snapshot.arrived_at,
            customers=pinned_upload(self.objects, snapshot.customers),
            accounts=pinned_upload(self.objects, snapshot.accounts),
            forgotten=self.forgotten(),
            stored=stored,
        )

    def _paired(self, halves: dict[AccountKind, _Half]) -> StoredSnapshot | None:
        """Makes a snapshot of both files; None if the newest one has the same contents."""
        arrived = max(half.arrived for half in halves.values())
        uploads = {kind: half.upload for kind, half in halves.items()}
        for kind, half in halves.items():
            halves[kind] = replace(half, used=True)
        newest = self.names()[-1:]
        if newest:
            last = self.get(newest[0])
            if all(getattr(last, kind).etag == upload.etag for kind, upload in uploads.items()):
                return None
        return self._register(
            uploads["customers"], uploads["accounts"], datetime.fromtimestamp(arrived, UTC)
        )

    def _register(
        self, customers: StoredUpload, accounts: StoredUpload, arrived: datetime
    ) -> StoredSnapshot:
        content = hashlib.sha256((customers.etag + accounts.etag).encode()).hexdigest()[:8]
        name = f"{arrived:%Y%m%dT%H%M%S}{arrived.microsecond // 1000:03d}Z-{content}"
        arrived_at = arrived.isoformat(timespec="milliseconds")
        snapshot = StoredSnapshot(name, arrived_at, customers, accounts)
        self.objects.write(_due_key(name), b"")
        self.objects.write(_key(name), _document(snapshot))
        return snapshot

    @contextmanager
    def _changing(self) -> Iterator[dict[str, dict[AccountKind, _Half]]]:
        """The halves by folder, for one process at a time to change."""
        with self.objects.locked("_snapshots/.lock"):
            pairs = self._pairs()
            before = repr(pairs)
            yield pairs
            if repr(pairs) == before:
                return
            document = {
                folder: {kind: asdict(half) for kind, half in halves.items()}
                for folder, halves in pairs.items()
            }
            self.objects.write(_PAIRS, json.dumps(document).encode())

    def _pairs(self) -> dict[str, dict[AccountKind, _Half]]:
        found = self.objects.read_all([_PAIRS]).get(_PAIRS)
        document = json.loads(found.data) if found else {}
        return {
            folder: {
                kind: _Half(StoredUpload(**half["upload"]), half["arrived"], half["used"])
                for kind, half in halves.items()
            }
            for folder, halves in document.items()
        }


def _key(name: str) -> str:
    return f"_snapshots/{name}.json"


def _due_key(name: str) -> str:
    return f"_due_snapshots/{name}"


def _document(snapshot: StoredSnapshot) -> bytes:
    return json.dumps(asdict(snapshot), indent=1).encode()


def _snapshot(document: dict[str, Any]) -> StoredSnapshot:
    uploads: dict[str, Any] = {kind: StoredUpload(**document[kind]) for kind in ACCOUNT_KINDS}
    return StoredSnapshot(**{**document, **uploads})
