"""Assigning an upload to a partition: what every data set's assigner gives back.

How a file finds its partition is in each data set's `assign`. Certain or not at all: what is not
certain goes to quarantine.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from crypto_assets.resources.data_set.attempt import attempt
from crypto_assets.resources.engine.background import in_order
from crypto_assets.resources.engine.workers import Workers
from crypto_assets.resources.errors import UnclearError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.storage.objects import Object
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.printable import printable

HEAD_BYTES = (16 << 20) + 1  # of an upload, read to find out whose it is
KEPT_UPLOADS, KEPT_BYTES = 100, 1 << 26  # whose contents are kept at once
MANY = 200  # uploads, whose reading takes as long as it takes processes to start
AHEAD = 8  # uploads whose contents wait to be kept


@dataclass(frozen=True)
class Assigned:
    """What became of an upload: `message` in words, `files` to report of its partition by kind.

    `facts` are what the reader made of it. `known` says that its partition had this content.
    """

    data_set: DataSet
    message: str
    partition: str = ""
    files: Mapping[str, StoredUpload] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    known: bool = False


@dataclass(frozen=True)
class Proposal:
    """Whose an upload is and of which kind, as found out `by` an assigner; it is not registered.

    `content` has to be kept before it is, `facts` are what the reader made of it. Uploads of one
    look that have another etag and want one `slot` exclude each other: `cure` says what settles it.
    One without a slot is in nobody's way.
    """

    by: Assigner
    arrival: Object
    kind: str
    upload: StoredUpload
    content: bytes = b""
    partition: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    slot: tuple[str, ...] = ()
    cure: str = ""


# An upload that was looked at, and whose it is or what is wrong with it.
Found = tuple[Object, Proposal | Exception]


class Assigner(ABC):
    """Assigns uploads to partitions of one data set, by its registry at one moment.

    `settings` changes when what people say about their uploads does, `problems` are what is wrong
    with that. Without `workers` uploads are read in this process; with them, `propose` is called
    by several threads.
    """

    settings: str = ""
    problems: Sequence[str] = ()
    workers: Workers | None = None

    @abstractmethod
    def propose(self, arrival: Object, content: bytes) -> Proposal | None:
        """Finds out whose the upload is; None if it is of another data set.

        `content` is its beginning, at most `HEAD_BYTES`. Raises `UnclearError` if the file cannot
        be read or it is not certain whose it is.
        """

    @abstractmethod
    def accept(
        self, proposals: Mapping[str, Proposal]
    ) -> Iterator[tuple[str, Assigned | Exception]]:
        """Registers its own proposals, by key; yields each as it is done, or what is wrong with it.

        Raises what says nothing about one upload, as `attempt` does.
        """

    def apply_settings(self) -> Iterator[str]:
        """Gives registered partitions what people say about them; yields what changed, in words."""
        yield from ()

    def overdue(self, now: float) -> Iterator[Assigned]:  # noqa: ARG002 - a data set may wait
        """Assigns what has waited long enough for others, at this POSIX time."""
        yield from ()


def propose(arrival: Object, inbox: Inbox, assigners: Sequence[Assigner]) -> Proposal:
    """Asks the first assigner that knows the upload's kind. Raises `UnclearError`."""
    content = read_arrival(inbox, arrival, HEAD_BYTES)
    for assigner in assigners:
        if found := assigner.propose(arrival, content):
            return found
    raise UnclearError("it is no file of any data set")


def propose_all(
    arrivals: Sequence[Object], inbox: Inbox, assigners: Sequence[Assigner], deadline: float
) -> Iterator[Found]:
    """Whose these uploads are, in order; several are read at a time where there are many.

    `deadline` is of `time.monotonic`: what has not begun by then is left out.
    """

    def look(arrival: Object) -> Found | None:
        if time.monotonic() > deadline:
            return None
        return arrival, attempt(partial(propose, arrival, inbox, assigners))

    if arrivals:
        from crypto_assets.spark.arrow import keep_pandas_out

        keep_pandas_out()
    if len(arrivals) < MANY:
        yield from filter(None, map(look, arrivals))
        return
    with Workers(os.cpu_count() or 1) as workers, ThreadPoolExecutor(workers.count) as threads:
        for assigner in assigners:
            assigner.workers = workers
        looking = (threads.submit(look, arrival) for arrival in arrivals)
        yield from filter(None, in_order(looking, AHEAD))


def kept(inbox: Inbox, found: Iterable[Found]) -> Iterator[Found]:
    """Keeps the contents of uploads before they are registered; the same proposals without them."""
    batch: list[Found] = []
    size = 0
    for each in found:
        batch.append(each)
        size += len(each[1].content) if isinstance(each[1], Proposal) else 0
        if len(batch) == KEPT_UPLOADS or size > KEPT_BYTES:
            yield from _kept(inbox, batch)
            batch, size = [], 0
    yield from _kept(inbox, batch)


def _kept(inbox: Inbox, batch: Sequence[Found]) -> Iterator[Found]:
    proposals = (found for _, found in batch if isinstance(found, Proposal))
    inbox.pin_all({each.upload.etag: each.content for each in proposals})
    for arrival, found in batch:
        without = replace(found, content=b"") if isinstance(found, Proposal) else found
        yield arrival, without


def accept(proposals: Mapping[str, Proposal]) -> Iterator[tuple[str, Assigned | Exception]]:
    """Lets each assigner register what it found out, as `Assigner.accept` does."""
    by: dict[Assigner, dict[str, Proposal]] = {}
    for key, proposal in proposals.items():
        by.setdefault(proposal.by, {})[key] = proposal
    for assigner, found in by.items():
        yield from assigner.accept(found)


def rivals(proposals: Mapping[str, Proposal]) -> dict[str, str]:
    """The keys of uploads that exclude each other, each with the reason and the cure."""
    by_slot: dict[tuple[str, ...], list[str]] = {}
    for key, proposal in proposals.items():
        if proposal.slot:
            by_slot.setdefault(proposal.slot, []).append(key)
    found = {}
    for keys in by_slot.values():
        if len({proposals[key].upload.etag for key in keys}) > 1:
            for key in keys:
                others = ", ".join(printable(other) for other in keys if other != key)
                found[key] = f"{others} came for the same place: {proposals[key].cure}"
    return found


def read_arrival(inbox: Inbox, arrival: Object, limit: int) -> bytes:
    """The upload's content, at most `limit` bytes. Raises `UnclearError` if it cannot be read."""
    try:
        content = inbox.read(arrival.key, limit)
    except OSError as error:
        raise UnclearError(f"it cannot be opened: {error.strerror or error}") from error
    present = inbox.arrival(arrival.key)
    if present is None or present.etag != arrival.etag:
        raise UnclearError("it changed while it was read: it is looked at again")
    return content
