"""Deleting contents of uploads that nothing is made from any more.

A content goes when it was replaced long ago, is none of the last few of its kind, and no partition
is made from it. One that nobody has registered goes by its age. What is at people's own keys is
theirs and stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.progress import progress
from crypto_assets.resources.storage.clock import utc_text

KEPT_EARLIER = 3  # contents of a file that stay, however long ago they were replaced


@dataclass(frozen=True)
class Pruned:
    """How many things went, or would go, and their bytes; `left` is why some had to stay."""

    what: str
    count: int = 0
    size: int = 0
    left: str = ""


def prune_contents(
    inbox: Inbox,
    registries: Iterable[Registry],
    before: datetime,
    *,
    without: Collection[str] = (),
    dry_run: bool = False,
) -> Pruned:
    """Deletes the contents of uploads that were replaced before this time.

    The entries of the partitions `without` do not count. Raises `DataError` if an entry cannot be
    read, and deletes nothing: nobody knows what it needs.
    """
    registries = list(registries)
    with inbox.alone_with_contents():
        kept: set[str] = set()
        forgotten: set[str] = set()
        for registry in registries:
            for _, entry in registry.documents():
                if entry.partition not in without:
                    earlier = _kept_earlier(entry, before)
                    kept |= {upload.etag for _, upload in registry.uploads_of(entry)} | earlier
                    forgotten |= entry.earlier.keys() - earlier
        found = {name: each for name, each in inbox.contents() if name not in kept}
        gone = {name: each for name, each in found.items() if each.arrived < before.timestamp()}
        if not dry_run:
            inbox.unpin(gone)
            progress("contents", len(gone), len(gone))
    if not dry_run:
        for registry in registries:
            registry.forget_earlier(forgotten - kept - (found.keys() - gone.keys()))
    return Pruned(
        "earlier contents of uploads", len(gone), sum(each.size for each in gone.values())
    )


def _kept_earlier(entry: Entry, before: datetime) -> set[str]:
    """The earlier contents of a partition that stay: the last of each kind, and recent ones."""
    kept: set[str] = set()
    seen: Counter[str] = Counter()
    newest_first = sorted(entry.earlier.items(), key=lambda item: item[1].until, reverse=True)
    for etag, earlier in newest_first:
        seen[earlier.kind] += 1
        if seen[earlier.kind] <= KEPT_EARLIER or earlier.until >= utc_text(before):
            kept.add(etag)
    return kept
