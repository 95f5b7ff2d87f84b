"""The lake: one Parquet file per partition and table below a root, published file by file.

A run writes below `_staging/<run id>`; only files that passed their audit take the place of those
at their keys. A reader sees the old file or the new one. A manifest beside them says what each
partition's files were made from. What the tables are is in each data set's `tables` (`spark/`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from crypto_assets.resources.errors import ConflictError
from crypto_assets.resources.storage.objects import Content, Object, Objects, is_hidden
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.tables import FILE, Table, staged_name

# One partition's place is taken by something else, or closed: none of the others' matter.
_IN_THE_WAY = (PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError)
MANIFESTS = "_manifests"
STAGING = "_staging"


@dataclass(frozen=True)
class LoadFile:
    """A Parquet file to load: where it is, its bytes and its rows."""

    uri: str
    size_bytes: int
    rows: int


@dataclass(frozen=True)
class Made:
    """A layer of a partition that passed its audit: what it was made from, its tables' rows.

    `files` are the bytes of its staged files by the folder they are for; none where an engine
    staged them under names of its own.
    """

    version: str
    rows: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What is known of a partition's published files.

    `versions` by layer, `rows` by table, `etags` and `sizes` (bytes) by key; `publishing` names
    the run that is replacing files, or did so when it was killed. `problem` is why the manifest
    cannot be read.
    """

    versions: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    publishing: str = ""
    problem: str = ""


Current = dict[str, tuple[Manifest, str]]  # the manifests of some partitions, with their etags


@dataclass(frozen=True)
class Lake:
    """The lake's files and manifests.

    `lock_wait_s` is how many seconds to wait for another run that is publishing.
    """

    objects: Objects
    lock_wait_s: float = 60

    @property
    def uri(self) -> str:
        """Where Spark finds the published tables."""
        return self.objects.uri("")

    def key(self, uri: str) -> str:
        """The key of what is at this URI of the lake."""
        return uri.removeprefix(self.uri).strip("/")

    def staging(self, run_id: str) -> str:
        """The URI below which this run writes before its tables are audited."""
        return self.objects.uri(f"{STAGING}/{run_id}")

    def clear_staging(self, running: Collection[str]) -> None:
        """Removes what runs left behind that are not among the `running` ones."""
        for run_id in self.objects.folders(STAGING):
            if run_id not in running:
                self.objects.delete_below(f"{STAGING}/{run_id}")

    def discard(self, staging: str) -> None:
        """Removes what is left below this URI of a run's staging."""
        self.objects.delete_below(self.key(staging))

    def locked(self, what: str) -> AbstractContextManager[None]:
        """Lets one run of this home at a time work on `what`, such as a data set's name.

        Raises `BusyError` when another run holds it for longer than `lock_wait_s`.
        """
        busy = (
            f"another run has been publishing {what} to {self.uri} for over "
            f"{self.lock_wait_s:g} s; run again when it has ended"
        )
        return self.objects.locked(f".{what}.lock", self.lock_wait_s, busy)

    def current(self, data_set: DataSet, partitions: Iterable[str]) -> Current:
        """What is published of these partitions: `publish` replaces that and nothing newer."""
        keys = {manifest_key(data_set, name): name for name in partitions}
        current: Current = {}
        for key, found in list(self.objects.read_each(keys)):
            if isinstance(found, OSError):
                problem = f"{found.strerror}: {self.objects.uri(key)}"
                current[keys[key]] = Manifest(problem=problem), ""
            else:
                current[keys[key]] = _manifest(found), found.etag
        return current

    def manifests(self, data_set: DataSet, partitions: Iterable[str]) -> dict[str, Manifest]:
        """The manifests of these partitions; an empty one where nothing is published."""
        names = list(partitions)
        found = self.current(data_set, names)
        return {name: found[name][0] if name in found else Manifest() for name in names}

    def publish(
        self,
        data_set: DataSet,
        staging: str,
        made: Mapping[str, Mapping[str, Made]],
        current: Current | None = None,
    ) -> dict[str, tuple[str, str]]:
        """Moves these partitions' files of these layers from below `staging` to their keys.

        Returns the partitions of which a layer could not be published, with the layer and the
        reason; the layers behind it stay as they were. `current` is what may be replaced, and gets
        what is published instead; without it, that is what is published now.
        """
        if current is None:
            current = self.current(data_set, made)
        place = self.key(staging)
        folders: dict[str, list[Object]] = {}
        if not all(one.files for layers in made.values() for one in layers.values()):
            for found in self.parquet_files(place):
                folders.setdefault(found.key.rpartition("/")[0], []).append(found)

        def published(partition: str) -> tuple[str, str] | None:
            publication = _Publication(self, data_set, place, partition, current)
            return publication.publish(made[partition], folders)

        problems = dict(zip(made, self.objects.for_each(published, made), strict=True))
        return {partition: problem for partition, problem in problems.items() if problem}

    def unsealed(
        self,
        data_set: DataSet,
        manifests: Mapping[str, Manifest],
        layers: Collection[str],
        etag_at: Callable[[str], str | None],
    ) -> dict[str, dict[str, str]]:
        """What is wrong with published files of these layers, by partition and layer.

        They are missing, or not those that were published. `etag_at` is as `Objects.etag`.
        """
        wrong: dict[str, dict[str, str]] = {}
        places = {layer: list(_places(data_set.tables_of(layer))) for layer in layers}
        for partition, manifest in manifests.items():
            for layer in [layer for layer in layers if layer in manifest.versions]:
                for table, place in places[layer]:
                    if table.optional and table.path not in manifest.rows:
                        continue
                    key = place.format(partition)
                    found, etag = etag_at(key), manifest.etags.get(key)
                    if found is None:
                        problem = f"its file {self.objects.uri(key)} is missing"
                    elif etag and found != etag:
                        problem = f"{self.objects.uri(key)} is not the file that was published"
                    else:
                        continue
                    wrong.setdefault(partition, {})[layer] = problem
        return wrong

    def restate(
        self, data_set: DataSet, partition: str, manifest: Manifest, etag: str | None
    ) -> str:
        """Replaces the partition's manifest that has this etag; gives the new etag.

        Raises `ConflictError` if another one is there.
        """
        document = {name: value for name, value in vars(manifest).items() if name != "problem"}
        key = manifest_key(data_set, partition)
        return self.objects.replace(key, json.dumps(document).encode(), etag)

    def files(self, table: Table, current: Current) -> dict[str, LoadFile]:
        """The table's published files of those of the partitions that have one."""
        files = {}
        for partition, (manifest, _) in current.items():
            key = f"{table.folders(partition)[0]}/{FILE}"
            if table.path in manifest.rows and key in manifest.sizes:
                rows, size = manifest.rows[table.path], manifest.sizes[key]
                files[partition] = LoadFile(self.objects.uri(key), size, rows)
        return files

    def remove(self, data_set: DataSet, partition: str) -> None:
        """Takes the partition out of every table; nothing happens where it is not."""
        self.objects.delete([manifest_key(data_set, partition)])
        for table in data_set.tables:
            for folder in table.folders(partition):
                self.objects.delete_below(folder)

    def parquet_files(self, folder: str) -> Iterator[Object]:
        """The Parquet files below a folder; engines leave hidden ones beside them."""
        for found in self.objects.below(folder):
            name = found.key.rpartition("/")[2]
            if name.endswith(".parquet") and not is_hidden(name):
                yield found


@dataclass(frozen=True)
class _Publication:
    """One partition's files on their way from staging to their keys."""

    lake: Lake
    data_set: DataSet
    staging: str
    partition: str
    current: Current

    def publish(
        self, made: Mapping[str, Made], folders: Mapping[str, list[Object]]
    ) -> tuple[str, str] | None:
        """Publishes the layers up to the first that cannot be; gives that and the reason."""
        moves: dict[str, Object] = {}
        ready: dict[str, Made] = {}
        problem = None
        manifest, _ = self.current.get(self.partition, (Manifest(), None))
        if manifest.problem:
            return next(iter(made), ""), f"its manifest cannot be read: {manifest.problem}"
        for layer, one in made.items():
            files, wrong = self._files(layer, one, folders)
            if wrong:
                problem = (layer, wrong)
                break
            moves |= files
            ready[layer] = one
        if ready:
            try:
                self._replace(moves, ready)
            except ConflictError:
                return next(iter(ready)), "another process published it meanwhile: run it again"
            except FileNotFoundError:
                return next(iter(ready)), "its staged files were removed meanwhile: run it again"
            except _IN_THE_WAY as error:
                place = error.filename2 or error.filename
                return next(iter(ready)), f"it cannot be published: {error.strerror}: {place}"
        return problem

    def _files(
        self, layer: str, made: Made, folders: Mapping[str, list[Object]]
    ) -> tuple[dict[str, Object], str]:
        """The layer's staged files by the keys they belong at, or what is wrong with them."""
        moves: dict[str, Object] = {}
        wrong: list[str] = []
        for table in self.data_set.tables_of(layer):
            if table.optional and table.path not in made.rows:
                continue
            for folder in table.folders(self.partition):
                files = self._staged(folder, made) or folders.get(f"{self.staging}/{folder}", [])
                wrong += [] if len(files) == 1 else [f"{folder}: {len(files)}"]
                moves |= {f"{folder}/{FILE}": file for file in files}
        if wrong:
            return {}, f"one file is wanted for each table, found {', '.join(wrong)}"
        return moves, ""

    def _staged(self, folder: str, made: Made) -> list[Object]:
        """The file that the job said it has staged for this folder."""
        if folder not in made.files:
            return []
        return [Object(f"{self.staging}/{staged_name(folder)}", "", made.files[folder], 0.0)]

    def _replace(self, moves: Mapping[str, Object], made: Mapping[str, Made]) -> None:
        """Moves the files; a crash in between leaves the layers concerned without a version."""
        manifest, etag = self.current.get(self.partition, (Manifest(), None))
        old = {
            layer: version
            for layer, version in manifest.versions.items()
            if layer not in made or made[layer].version == version
        }
        run = self.staging.rpartition("/")[2]
        if etag is not None or self.lake.objects.shared:
            # Whatever it changes: another run that was publishing here finds out by it, and stops.
            etag = self._write(replace(manifest, versions=old, publishing=run), etag)
        etags = {
            target: self._moved(file.key, target, manifest.etags.get(target), run)
            for target, file in moves.items()
        }
        replaced = {table.path for layer in made for table in self.data_set.tables_of(layer)}
        kept = {path: rows for path, rows in manifest.rows.items() if path not in replaced}
        new = Manifest(
            versions=old | {layer: one.version for layer, one in made.items()},
            rows=kept | {path: rows for one in made.values() for path, rows in one.rows.items()},
            etags=manifest.etags | etags,
            sizes=manifest.sizes | {target: file.size for target, file in moves.items()},
        )
        self.current[self.partition] = new, self._write(new, etag)

    def _moved(self, source: str, target: str, etag: str | None, run: str) -> str:
        """The target's etag after the move, which was `etag` before.

        If a crashed run left another file there, it is replaced, as long as the manifest still
        names this run as publisher. A file that comes after the manifest was read is a conflict.
        """
        objects = self.lake.objects
        try:
            return objects.move(source, target, etag)
        except ConflictError:
            present = objects.find(target)
            (found,) = self.lake.current(self.data_set, [self.partition]).values() or [None]
            if found is None or found[0].publishing != run:
                raise
            return objects.move(source, target, present.etag if present else None)

    def _write(self, manifest: Manifest, etag: str | None) -> str:
        return self.lake.restate(self.data_set, self.partition, manifest, etag)


def manifest_key(data_set: DataSet, partition: str) -> str:
    return f"{MANIFESTS}/{data_set.name}/{partition}.json"


def _manifest(content: Content) -> Manifest:
    try:
        found = Manifest(**content.document())
    except (TypeError, ValueError):
        return Manifest()  # not knowing a version is safe: the layer counts as stale
    parts = (found.versions, found.rows, found.etags, found.sizes)
    return found if all(isinstance(part, dict) for part in parts) else Manifest()


def _places(tables: Iterable[Table]) -> Iterator[tuple[Table, str]]:
    """The templates of the keys of each table's files; a partition's name goes in."""
    for table in tables:
        yield from ((table, f"{folder}/{FILE}") for folder in table.folders("{}"))
