"""Assigning deliveries of a bank to snapshots: the header says which of the two kinds a file is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
from crypto_assets.resources.data_set.assign import Assigned, Assigner, Proposal, read_arrival
from crypto_assets.resources.data_set.attempt import attempt
from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.errors import UnclearError
from crypto_assets.resources.inbox.inbox import Inbox, uploaded
from crypto_assets.resources.storage.objects import Object


class SnapshotAssigner(Assigner):
    """Assigns customers and accounts files to snapshots."""

    def __init__(self, registry: SnapshotRegistry, inbox: Inbox) -> None:
        self._registry, self._inbox = registry, inbox

    def propose(self, arrival: Object, content: bytes) -> Proposal | None:
        from crypto_assets.spark.accounts.lines import MAX_BYTES
        from crypto_assets.spark.accounts.reading import kind_of
        from crypto_assets.spark.exports.text import HEAD_BYTES

        kind = kind_of(content[:HEAD_BYTES], arrival.key.rpartition("/")[2])
        if kind is None:
            return None
        if arrival.size > MAX_BYTES:
            raise UnclearError(
                f"it has {arrival.size:,} bytes, more than the {MAX_BYTES:,} we take"
            )
        if len(content) < arrival.size:
            content = read_arrival(self._inbox, arrival, MAX_BYTES)
        return Proposal(self, arrival, kind, uploaded(arrival.key, content), content)

    def accept(
        self, proposals: Mapping[str, Proposal]
    ) -> Iterator[tuple[str, Assigned | Exception]]:
        for key, proposal in proposals.items():
            yield key, attempt(partial(self._accept, proposal))

    def _accept(self, proposal: Proposal) -> Assigned:
        kind = proposal.kind
        snapshot = self._registry.assign_file(kind, proposal.upload, proposal.arrival.arrived)
        if snapshot:
            return self._assigned(snapshot, f"the {kind} of snapshot {snapshot.partition}")
        (other,) = self._registry.data_set.files.keys() - {kind}
        waits = f"{kind}, which wait for new {other} beside them"
        return Assigned(self._registry.data_set, waits)

    def overdue(self, now: float) -> Iterator[Assigned]:
        for snapshot in self._registry.pair_overdue(now):
            name = snapshot.partition
            yield self._assigned(
                snapshot, f"snapshot {name}: one of its files is the one that was there before"
            )

    def _assigned(self, snapshot: Entry, message: str) -> Assigned:
        return Assigned(self._registry.data_set, message, snapshot.partition, snapshot.files)
