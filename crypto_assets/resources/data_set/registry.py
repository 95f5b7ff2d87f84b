"""The registry: which partitions a data set has, and which uploads each is made from.

One JSON document per partition below the inbox, replaced whole. A partition of which a file is
missing is waiting; its document is in a folder of its own, so that a listing tells which partitions
can be computed. What a data set keeps with an entry, and how a file finds its partition, is in the
data set's own folder; the files' content is the inbox's matter.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from crypto_assets.resources.clock import utc_text
from crypto_assets.resources.errors import DataError, UnclearError
from crypto_assets.resources.inbox.stored import StoredUpload, pinned_key
from crypto_assets.resources.storage.objects import Content, Objects
from crypto_assets.spark import job_spec
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.version import code_version

ROOT = "_registry"


@dataclass(frozen=True)
class Earlier:
    """A content that a partition was made from before: of which kind it was, and until when.

    `until` is UTC, in ISO format. The kind is empty where an earlier version did not keep it.
    """

    kind: str
    until: str


@dataclass(frozen=True)
class Entry:
    """A partition and its uploads by kind; `facts` are what its data set keeps with it (JSON).

    `earlier` are the contents that it was made from before, by etag.
    """

    partition: str
    files: dict[str, StoredUpload] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    earlier: dict[str, Earlier] = field(default_factory=dict)

    def given(self, files: Mapping[str, StoredUpload], facts: Mapping[str, Any]) -> Entry:
        """The entry with these files and facts in the place of those it has."""
        now = utc_text()
        all_files = {**self.files, **files}
        present = {upload.etag for upload in all_files.values()}
        replaced = {upload.etag: Earlier(kind, now) for kind, upload in self.files.items()}
        known = replaced | self.earlier
        earlier = {etag: each for etag, each in known.items() if etag not in present}
        return replace(self, files=all_files, facts={**self.facts, **facts}, earlier=earlier)


@dataclass(frozen=True)
class Registry:
    """The partitions of one data set among the inbox's objects."""

    data_set: DataSet
    objects: Objects

    def put(self, entry: Entry) -> None:
        """Registers the partition or replaces its entry; with all its files it is due for a run."""
        name = entry.partition
        if not self.is_complete(entry):
            self._write("waiting", entry)
            return
        self.objects.write(self._due_key(name, uuid.uuid4().hex), b"")
        self._write("entries", entry)
        self.objects.delete([self._key("waiting", name)])

    def assign(
        self, partition: str, kind: str, upload: StoredUpload, facts: Mapping[str, Any]
    ) -> Entry:
        """Gives a partition one of its files; facts that are not named stay as they are.

        Raises `UnclearError` if its entry is damaged.
        """
        with self.changing():
            if problem := self.damaged([partition]).get(partition):
                raise UnclearError(f"{partition}: {problem}")
            entry = self.get(partition) or Entry(partition)
            changed = entry.given({kind: upload}, facts)
            self.put(changed)
            return changed

    def is_complete(self, entry: Entry) -> bool:
        """Whether the partition has all its files."""
        return entry.files.keys() >= self.data_set.files.keys()

    def get(self, partition: str) -> Entry | None:
        """The partition's entry, also while it is waiting; one that is damaged is none."""
        found = self._read("entries", [partition]) or self._read("waiting", [partition])
        return found.get(partition)

    def get_all(self, partitions: Iterable[str]) -> dict[str, Entry]:
        """The entries of those partitions that have all their files, in the order given.

        Those that are damaged are left out: `damaged` says why.
        """
        return self._read("entries", partitions)

    def damaged(self, partitions: Iterable[str]) -> dict[str, str]:
        """What is wrong with the entries of these partitions that cannot be read, and the cure."""
        problems = {}
        for key, content in self.objects.read_each(self._key("entries", n) for n in partitions):
            try:
                _entry(content)
            except (OSError, *_NO_ENTRY) as error:
                name, reason = _name(key), " ".join(str(error).split())
                problems[name] = (
                    f"its registry entry {self.objects.uri(key)} cannot be read ({reason}): add "
                    f"{name} again, or remove it"
                )
        return problems

    def names(self) -> list[str]:
        """All partitions with all their files, in alphabetical order."""
        return self._names("entries")

    def waiting(self) -> dict[str, Entry]:
        """The partitions of which a file is missing."""
        if not (waiting := self._names("waiting")):
            return {}
        registered = set(self.names())  # a crash may leave the old document of one of these behind
        return self._read("waiting", (name for name in waiting if name not in registered))

    def uploads(self) -> Iterator[tuple[str, str, StoredUpload]]:
        """The partition and kind of every upload, also of those that are waiting."""
        for name, entry in (self.waiting() | self.get_all(self.names())).items():
            yield from ((name, kind, upload) for kind, upload in entry.files.items())

    def documents(self) -> Iterator[tuple[str, Entry]]:
        """Every entry, also of those that are waiting, with the folder that its document is in.

        Raises `DataError` if one cannot be read: nobody knows what it holds.
        """
        for folder in ("entries", "waiting"):
            keys = [self._key(folder, name) for name in self._names(folder)]
            for key, content in self.objects.read_each(keys):
                try:
                    entry = _entry(content)
                except (OSError, *_NO_ENTRY) as error:
                    place, reason = self.objects.uri(key), " ".join(str(error).split())
                    raise DataError(
                        f"registry entry {place} cannot be read ({reason}): put it right or delete "
                        "it, then upload its files again"
                    ) from error
                yield folder, entry

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

    def shaping(self, entry: Entry) -> object:  # noqa: ARG002 - a data set may have some
        """The facts that change what is in the partition's tables."""
        return None

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
        etags = tuple(entry.files[kind].etag for kind in self.data_set.files)
        code, made_from = code_version(self.data_set.job), f"{etags!r}, {self.shaping(entry)!r}"
        texts = {layer: f"({code!r}, {layer!r}, {made_from})" for layer in layers}
        return {n: hashlib.sha256(text.encode()).hexdigest()[:16] for n, text in texts.items()}

    def _read(self, folder: str, partitions: Iterable[str]) -> dict[str, Entry]:
        entries = {}
        for key, content in self.objects.read_each(self._key(folder, n) for n in partitions):
            with suppress(OSError, *_NO_ENTRY):
                entries[_name(key)] = _entry(content)
        return entries

    def _write(self, folder: str, entry: Entry) -> None:
        document = json.dumps(asdict(entry), indent=1).encode()
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
        found = (_name(found.key) for found in self.objects.below(f"{self.folder}/{folder}"))
        return sorted(name for name in found if not name.startswith("."))


def _name(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".json")


# What reading a document raises that is no entry.
_NO_ENTRY = (ValueError, TypeError, KeyError, AttributeError)


def _entry(content: Content | OSError) -> Entry:
    if isinstance(content, OSError):
        raise content
    document = json.loads(content.data)
    files = {kind: StoredUpload(**upload) for kind, upload in document["files"].items()}
    earlier = {
        etag: Earlier(**each) if isinstance(each, dict) else Earlier("", each)
        for etag, each in document.get("earlier", {}).items()
    }
    return Entry(document["partition"], files, document["facts"], earlier)
