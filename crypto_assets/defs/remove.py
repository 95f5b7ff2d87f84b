"""Taking a partition out of everything; after a crash the removal can be repeated."""

from __future__ import annotations

import dagster as dg

from crypto_assets.resources.data_set.refresh import Refresh
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger


def check_known(instance: dg.DagsterInstance, refresh: Refresh, name: str) -> None:
    """Raises `UsageError` if nothing is known of this partition."""
    known = name in refresh.registry.names() or name in refresh.registry.waiting()
    if not known and not instance.has_dynamic_partition(refresh.data_set.partition, name):
        raise UsageError(f"{name}: not registered")


def remove(
    instance: dg.DagsterInstance, refresh: Refresh, inbox: Inbox, name: str, *, purge: bool
) -> None:
    """Removes the partition's rows, files, entry and events; with `purge` its uploads too.

    The entry goes last: until then the removal can be repeated. A run under way publishes nothing
    of a partition that has no entry; one that waits and begins or ends with it fails, and what was
    due of the others in it stays due. Raises `BusyError`.
    """
    registry, ledger = refresh.registry, Ledger(inbox.objects)
    with refresh.lake.locked(refresh.data_set.name):
        refresh.remove(name)
        with registry.changing():
            uploads, entry = list(registry.uploads()), registry.get(name)
            others = {upload.etag for partition, _, upload in uploads if partition != name}
            if purge and entry:
                inbox.unpin(entry.earlier.keys() - others)
            for upload in (upload for partition, _, upload in uploads if partition == name):
                if purge:
                    inbox.delete(upload, pinned=upload.etag not in others)
                    ledger.forget(upload.key)
                elif arrival := inbox.current(upload):
                    ledger.decide(arrival, "removed")
            registry.remove(name)
    instance.delete_dynamic_partition(refresh.data_set.partition, name)
