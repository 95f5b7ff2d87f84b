"""The registry: which partitions a data set has, and which uploads each is made from.

One JSON document per partition below the inbox, replaced whole. A partition of which a file is
missing is waiting; its document is in a folder of its own, so that a listing tells which partitions
can be computed. What a data set keeps with an entry, and how a file finds its partition, is in the
data set's own folder; the files' content is the inbox's matter.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from crypto_assets.resources.data_set.attempt import attempt
from crypto_assets.resources.data_set.entry import NO_ENTRY, Entry, entry_of, uploads_in
from crypto_assets.resources.errors import DataError, UnclearError
from crypto_assets.resources.inbox.stored import StoredUpload, pinned_key
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.spark import job_spec
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.version import code_version

ROOT = "_registry"


class Claim(NamedTuple):
    """An upload that is to become a partition's file of this kind."""

    partition: str
    kind: str
    upload: StoredUpload


class Given(NamedTuple):
    """The entry with what was claimed; `known` says that it had this content before."""

    entry: Entry
    known: bool


@dataclass(frozen=True)
class Registry:
    """The partitions of one data set among the inbox's objects."""

    data_set: DataSet
    objects: Objects

    def put(self, entry: Entry) -> None:
        """Registers the partition or replaces its entry; with all its files it is due for a run."""
        for _ in self.put_all([entry]):
            pass

    def put_all(self, entries: Collection[Entry]) -> Iterator[str]:
        """As `put`, for many together; yields each partition once it is registered."""

        def mark_due(name: str) -> None:
            # All it has is its name, and file systems keep the order of names: nothing to wait for.
            self.objects.write(self._due_key(name, uuid.uuid4().hex), b"", durable=False)

        def wait_no_more(name: str) -> None:
            self.objects.delete([self._key("waiting", name)])

        complete = {entry.partition for entry in entries if self.is_complete(entry)}
        for _ in self.objects.for_each(mark_due, sorted(complete)):
            pass
        documents: dict[str, bytes] = {}
        for entry in entries:
            folder = "entries" if entry.partition in complete else "waiting"
            documents[self._key(folder, entry.partition)] = entry.document()
        registered = []
        try:
            for name in map(_name, self.objects.write_all(documents.items())):
                registered.append(name)
                yield name
        finally:
            for _ in self.objects.for_each(wait_no_more, complete.intersection(registered)):
                pass

    def assign(
        self, partition: str, kind: str, upload: StoredUpload, facts: Mapping[str, Any]
    ) -> Entry:
        """Gives a partition one of its files; facts that are not named stay as they are.

        Raises `UnclearError` if its entry is damaged.
        """
        with self.changing():
            entries, damaged = self.find([partition])
            if damaged:
                raise UnclearError(f"{partition}: {damaged[partition]}")
            entry = entries.get(partition, Entry(partition)).given({kind: upload}, facts)
            self.put(entry)
            return entry

    def assign_all(
        self, claims: Iterable[Claim], facts: Callable[[Entry], Mapping[str, Any]]
    ) -> Iterator[tuple[Claim, Given | Exception]]:
        """As `assign`, for many, where what a partition has already changes nothing.

        Each entry is written once, all of them together; yields claims as they are done, or with
        what is wrong with the entry. `facts` gives those that an entry gets, by what it was. The
        registry is locked until the last claim was asked for.
        """
        claims = list(claims)
        with self.changing():
            names = list(dict.fromkeys(claim.partition for claim in claims))
            entries, damaged = self.find(names)
            changed: dict[str, Entry] = {}
            given: dict[str, list[tuple[Claim, Given]]] = {name: [] for name in names}
            for claim in claims:
                name, kind, upload = claim
                if name in damaged:
                    yield claim, UnclearError(f"{name}: {damaged[name]}")
                    continue
                entry = entries.get(name) or Entry(name)
                present = entry.files.get(kind)
                known = present is not None and present.etag == upload.etag
                if not known:
                    added = attempt(partial(facts, entry))
                    if isinstance(added, Exception):
                        yield claim, added
                        continue
                    entry = entries[name] = changed[name] = entry.given({kind: upload}, added)
                given[name].append((claim, Given(entry, known)))
            unchanged = (name for name in names if name not in changed)
            for name in chain(unchanged, self.put_all(changed.values())):
                yield from given[name]

    def is_complete(self, entry: Entry) -> bool:
        """Whether the partition has all its files."""
        return entry.files.keys() >= self.data_set.files.keys()

    def get(self, partition: str) -> Entry | None:
        """The partition's entry, also while it is waiting; one that is damaged is none."""
        return self.find([partition])[0].get(partition)

    def find(self, partitions: Iterable[str]) -> tuple[dict[str, Entry], dict[str, str]]:
        """The entries of these partitions, also while they wait, and what is wrong with others.

        The latter is said as by `damaged`.
        """
        missing = dict.fromkeys(partitions)
        entries: dict[str, Entry] = {}
        damaged: dict[str, str] = {}
        for name, found in self._documents("entries", missing):
            if isinstance(found, Entry):
                entries[name] = found
            else:
                damaged[name] = self._damage(name, found)
        waiting = [name for name in missing if name not in entries]
        entries |= self._read("waiting", waiting) if waiting else {}
        return entries, damaged

    def get_all(self, partitions: Iterable[str]) -> dict[str, Entry]:
        """The entries of those partitions that have all their files, in the order given.

        Those that are damaged are left out: `damaged` says why.
        """
        return self._read("entries", partitions)

    def damaged(self, partitions: Iterable[str]) -> dict[str, str]:
        """What is wrong with the entries of these partitions that cannot be read, and the cure."""
        return {
            name: self._damage(name, found)
            for name, found in self._documents("entries", partitions)
            if not isinstance(found, Entry)
        }

    def names(self) -> list[str]:
        """All partitions with all their files, in alphabetical order."""
        return self._names("entries")

    def waiting(self) -> dict[str, Entry]:
        """The partitions of which a file is missing."""
        if not (waiting := self._names("waiting")):
            return {}
        registered = set(self.names())  # a crash may leave the old document of one of these behind
        return self._read("waiting", (name for name in waiting if name not in registered))

    def entries(self) -> dict[str, Entry]:
        """The entries of all partitions, also of those that are waiting."""
        return self.waiting() | self.get_all(self.names())

    def uploads(self) -> Iterator[tuple[str, str, StoredUpload]]:
        """The partition and kind of every upload, also of those that are waiting."""
        yield from uploads_in(self.entries())

    def documents(self) -> Iterator[tuple[str, Entry]]:
        """Every entry, also of those that are waiting, with the folder that its document is in.

        Raises `DataError` if one cannot be read: nobody knows what it holds.
        """
        for folder in ("entries", "waiting"):
            for name, found in self._documents(folder, self._names(folder)):
                if not isinstance(found, Entry):
                    place, reason = self.objects.uri(self._key(folder, name)), _in_a_line(found)
                    raise DataError(
                        f"registry entry {place} cannot be read ({reason}): put it right or delete "
                        "it, then upload its files again"
                    ) from found
                yield folder, found

    def uploads_of(self, entry: Entry) -> Iterator[tuple[str, StoredUpload]]:
        """Kind and upload of all that the entry holds."""
        yield from entry.files.items()

    def forget_earlier(self, etags: Collection[str]) -> None:
        """Forgets that partitions were made from these contents before."""
        with self.changing():
            for folder, entry in self.documents() if etags else ():
                earlier = {e: each for e, each in entry.earlier.items() if e not in etags}
                if earlier != entry.earlier:
                    self._write(folder, replace(entry, earlier=earlier))

    def due(self) -> dict[str, str]:
        """The partitions that changed and were not settled since, each with a token for that."""
        with self.changing():
            return self._due()

    def settle(self, tokens: Mapping[str, str]) -> None:
        """Records that these changes have a verdict; a partition that changed since stays due."""
        self.objects.delete(
            self._due_key(partition, change)
            for partition, token in tokens.items()
            for change in token.split()
        )

    def remove(self, partition: str) -> None:
        """Forgets the partition; nothing happens if it is unknown. Its entry goes last."""
        self.settle({name: token for name, token in self._due().items() if name == partition})
        self.objects.delete([self._key("waiting", partition)])
        self.objects.delete([self._key("entries", partition)])

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Lets one process at a time read an entry and replace it."""
        with self.objects.locked(f"{self.folder}/.lock"):
            yield

    def version(self, entry: Entry, layer: str) -> str:
        """What this layer of the partition is made from: code, uploads and facts, as a hash."""
        return self._versions(entry, [layer])[layer]

    def versions(self, entry: Entry) -> dict[str, str]:
        """The version of each layer, in their order."""
        return self._versions(entry, self.data_set.layers)

    def shaping(self, entry: Entry) -> str:  # noqa: ARG002 - a data set may have some
        """The facts that change what is in the partition's tables, as a literal of Python."""
        return "None"

    def pinned(self, entry: Entry) -> dict[str, job_spec.Upload]:
        """The partition's uploads as a job reads them: at the content that is kept for good."""
        return {
            kind: job_spec.Upload(self.objects.uri(pinned_key(each.etag)), each.name, each.etag)
            for kind, each in entry.files.items()
        }

    @property
    def folder(self) -> str:
        """Where the data set's documents are, below the inbox."""
        return f"{ROOT}/{self.data_set.name}"

    def _versions(self, entry: Entry, layers: Iterable[str]) -> dict[str, str]:
        etags = tuple([entry.files[kind].etag for kind in self.data_set.files])
        code, made_from = code_version(self.data_set.job), f"{etags!r}, {self.shaping(entry)}"
        texts = {layer: f"({code!r}, {layer!r}, {made_from})" for layer in layers}
        return {n: hashlib.sha256(text.encode()).hexdigest()[:16] for n, text in texts.items()}

    def _read(self, folder: str, partitions: Iterable[str]) -> dict[str, Entry]:
        found = self._documents(folder, partitions)
        return {name: entry for name, entry in found if isinstance(entry, Entry)}

    def _documents(
        self, folder: str, partitions: Iterable[str]
    ) -> Iterator[tuple[str, Entry | Exception]]:
        """The entries in a folder of those of these partitions that have one, or why it is none."""
        keys = (self._key(folder, name) for name in partitions)
        # All are read before any is parsed: by turns both take a fifth longer.
        for key, content in list(self.objects.read_each(keys)):
            try:
                yield _name(key), entry_of(content)
            except (OSError, *NO_ENTRY) as error:
                yield _name(key), error

    def _damage(self, name: str, error: Exception) -> str:
        """What is wrong with an entry that cannot be read, and the cure."""
        place = self.objects.uri(self._key("entries", name))
        return (
            f"its registry entry {place} cannot be read ({_in_a_line(error)}): add {name} again, "
            "or remove it"
        )

    def _write(self, folder: str, entry: Entry) -> None:
        document = entry.document()
        self.objects.write(self._key(folder, entry.partition), document)

    def _key(self, folder: str, partition: str) -> str:
        return f"{self.folder}/{folder}/{partition}.json"

    def _due(self) -> dict[str, str]:
        """The names of the changes of each partition, which are in their keys: none is read."""
        found: dict[str, list[str]] = {}
        for name in self._names("due"):
            partition, _, change = name.rpartition(".")
            found.setdefault(partition, []).append(change)
        return {partition: " ".join(changes) for partition, changes in found.items()}

    def _due_key(self, partition: str, change: str) -> str:
        return f"{self.folder}/due/{partition}.{change}"

    def _names(self, folder: str) -> list[str]:
        found = self.objects.names(f"{self.folder}/{folder}")
        return sorted(_name(name) for name in found if not name.startswith("."))


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _name(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".json")
