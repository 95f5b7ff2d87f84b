"""Deleting what is kept of snapshots that are not among the last ones.

Bronze and silver first: nothing is made from those of an old snapshot but by hand. The snapshot
itself goes with its uploads, once these are old too and no longer lie where they were delivered: as
long as they do, an erasure has to find them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise

from crypto_assets.resources.accounts.refresh import AccountsRefresh
from crypto_assets.resources.accounts.tables import OF_THE_NEWEST, partition_of
from crypto_assets.resources.data_set.contents import KEPT_EARLIER, Pruned
from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.inbox.inbox import Inbox, etag_of
from crypto_assets.resources.progress import progress
from crypto_assets.resources.storage.lake import manifest_key
from crypto_assets.resources.storage.objects import Object
from crypto_assets.spark.accounts.data_set import ACCOUNTS

LAYERS = tuple(layer for layer in ACCOUNTS.layers if layer not in OF_THE_NEWEST)
_TABLES = [table for layer in LAYERS for table in ACCOUNTS.tables_of(layer)]


def prune_layers(accounts: AccountsRefresh, keep: int, *, dry_run: bool = False) -> Pruned:
    """Deletes bronze and silver of all but the last `keep` snapshots.

    Those of the snapshots in the tables, and of those that are due, stay. Raises `BusyError` if a
    run is under way.
    """
    with accounts.tables.working():
        is_old = _is_old(accounts, keep)
        files: dict[str, list[Object]] = {}
        for table in _TABLES:
            for found in accounts.lake.objects.below(table.path):
                if is_old(name := partition_of(found.key)):
                    files.setdefault(name, []).append(found)
        for name in sorted(files) if not dry_run else ():
            _delete_layers(accounts, name)
            progress("bronze and silver", 1, len(files))
    size = sum(found.size for of_one in files.values() for found in of_one)
    return Pruned("old snapshots' bronze and silver", len(files), size)


def prune_snapshots(
    accounts: AccountsRefresh,
    inbox: Inbox,
    keep: int,
    before: datetime,
    *,
    dry_run: bool = False,
) -> list[str]:
    """Forgets snapshots that came before the last `keep` and were replaced before this time.

    Gives their names. Their contents are nobody's from then on, and go with `prune_contents`.
    Raises `BusyError` if a run is under way.
    """
    registry = accounts.registry
    with accounts.tables.working():
        is_old = _is_old(accounts, keep)
        entries = list(registry.get_all(registry.names()).values())
        recent = set(_recent_contents(entries))
        is_delivered = _delivered(inbox)
        gone = [
            entry.partition
            for entry, newer in pairwise(entries)
            if is_old(entry.partition)
            and datetime.fromisoformat(newer.facts["arrived_at"]) < before
            and not any(
                u.etag in recent or is_delivered(u.key, u.etag) for u in entry.files.values()
            )
        ]
        for name in gone if not dry_run else ():
            accounts.outcomes.forget(ACCOUNTS.name, name)
            registry.remove(name)
        if gone and not dry_run:
            registry.remove_paired(before)
    return gone


def _is_old(accounts: AccountsRefresh, keep: int) -> Callable[[str], bool]:
    """Whether a snapshot came before the last ones and nothing is under way with it."""
    last = accounts.registry.names()[-keep:]
    progress = accounts.tables.progress
    needed = {progress.published, progress.stored, *accounts.registry.due()}
    needed |= accounts.outcomes.attempts(ACCOUNTS.name).keys()
    return lambda name: name not in needed and len(last) == keep and name < last[0]


def _delete_layers(accounts: AccountsRefresh, name: str) -> None:
    """Deletes the layers; what says that they are there goes first."""
    objects = accounts.lake.objects
    objects.delete([manifest_key(ACCOUNTS, name)])
    accounts.outcomes.forget_layers(ACCOUNTS.name, name, LAYERS)
    for folder in (folder for table in _TABLES for folder in table.folders(name)):
        objects.delete_below(folder)


def _recent_contents(entries: Sequence[Entry]) -> Iterator[str]:
    """The last contents of each kind of file."""
    for kind in ACCOUNTS.files:
        newest_first = dict.fromkeys(entry.files[kind].etag for entry in reversed(entries))
        yield from list(newest_first)[: 1 + KEPT_EARLIER]


def _delivered(inbox: Inbox) -> Callable[[str, str], bool]:
    """Whether a content still lies at the key where it was delivered; each is read once."""

    @cache
    def at(key: str) -> str:
        return etag_of(inbox.objects.read(key)) if inbox.arrival(key) else ""

    return lambda key, etag: at(key) == etag
