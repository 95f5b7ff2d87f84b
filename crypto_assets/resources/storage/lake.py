"""The lake: one Parquet file per ticker and table below a root, published file by file.

A run writes below `_staging/<run id>`; only files that passed their audit take the place of those
at their keys. A reader sees the old file or the new one. What the tables are is `spark/tables.py`.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace

import dagster as dg
from pydantic import Field

from crypto_assets.resources.market_data.registry import WrongUse
from crypto_assets.resources.storage.objects import LockBusy, Object, Objects, Overtaken, is_hidden
from crypto_assets.spark.job_spec import Layer
from crypto_assets.spark.tables import TABLES, Table

_FILE = "data.parquet"
_STAGING = "_staging"


class LakeBusy(WrongUse):
    """Another run holds the lake."""


@dataclass(frozen=True)
class LoadFile:
    """A Parquet file of one ticker to load: where it is, its bytes and its rows."""

    uri: str
    size_bytes: int
    rows: int


@dataclass(frozen=True)
class Made:
    """A layer of a ticker, computed and audited: what it was made from, the rows of its tables."""

    version: str
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Note:
    """What is known of a ticker's published files.

    `versions` by layer, `rows` by table, `stamps` by key; `publishing` names the run that is
    replacing files, or did so when it was killed.
    """

    versions: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    stamps: dict[str, str] = field(default_factory=dict)
    publishing: str = ""


Standing = Mapping[str, tuple[Note, str]]  # the notes of those tickers that have one, with stamps


class Lake(dg.ConfigurableResource):
    """The lake's files, and a note beside them on each ticker's."""

    objects: dg.ResourceDependency[Objects]
    lock_wait_s: float = Field(
        default=60, ge=0, description="Seconds to wait for another run that is publishing."
    )

    @property
    def uri(self) -> str:
        """Where Spark finds the published tables."""
        return self.objects.uri("")

    def staging(self, run_id: str) -> str:
        """The URI below which this run writes before its tables are audited."""
        return self.objects.uri(f"{_STAGING}/{run_id}")

    def clear_staging(self, running: Collection[str]) -> None:
        """Removes what runs left behind that are not among the `running` ones."""
        for run_id in self.objects.folders(_STAGING):
            if run_id not in running:
                self.objects.delete_below(f"{_STAGING}/{run_id}")

    def discard(self, staging: str) -> None:
        """Removes what is left below this URI of a run's staging."""
        self.objects.delete_below(self.key(staging))

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Lets one run of this home at a time decide what is newest and publish it.

        Raises `LakeBusy` when another run holds the lake for longer than `lock_wait_s`.
        """
        try:
            with self.objects.locked(".publishing.lock", self.lock_wait_s):
                yield
        except LockBusy as error:
            raise LakeBusy(
                f"another run has been publishing to {self.uri} for over {self.lock_wait_s:g} s; "
                "run again when it has ended"
            ) from error

    def standing(self, tickers: Iterable[str]) -> Standing:
        """What is published of these tickers now: `publish` replaces that and nothing newer."""
        keys = {_note_key(ticker): ticker for ticker in tickers}
        contents = self.objects.read_all(keys)
        return {keys[key]: (_note(found.data), found.stamp) for key, found in contents.items()}

    def publish(
        self,
        staging: str,
        made: Mapping[str, Mapping[Layer, Made]],
        standing: Standing | None = None,
    ) -> dict[str, tuple[Layer, str]]:
        """Moves these tickers' files of these layers from below `staging` to their keys.

        Returns the tickers of which a layer could not be published, with the layer and the reason;
        the layers behind it stay as they were. `standing` is what may be replaced; without it, what
        is published now.
        """
        folders = self._staged(staging)
        notes = self.standing(made) if standing is None else standing

        def published(ticker: str) -> tuple[Layer, str] | None:
            note, stamp = notes.get(ticker, (Note(), None))
            publication = _Publication(self.objects, self.key(staging), ticker, note, stamp)
            return publication.publish(made[ticker], folders)

        with ThreadPoolExecutor(self.objects.workers) as pool:
            problems = dict(zip(made, pool.map(published, made), strict=True))
        return {ticker: problem for ticker, problem in problems.items() if problem}

    def notes(self, tickers: Iterable[str]) -> dict[str, Note]:
        """What is known of these tickers' published files; an empty note where nothing is."""
        tickers = list(tickers)
        found = self.standing(tickers)
        return {ticker: found[ticker][0] if ticker in found else Note() for ticker in tickers}

    def published(self, table: Table, tickers: Iterable[str]) -> dict[str, LoadFile]:
        """The table's published files of those tickers that have one."""
        files = {}
        for ticker, note in self.notes(tickers).items():
            key = f"{table.folders(ticker)[0]}/{_FILE}"
            if table.path in note.rows and (found := self.objects.find(key)):
                files[ticker] = LoadFile(self.objects.uri(key), found.size, note.rows[table.path])
        return files

    def staged(self, staging: str, table: Table, rows: Mapping[str, int]) -> dict[str, LoadFile]:
        """The table's files below `staging` of those tickers that have one with these rows."""
        folders = self._staged(f"{staging}/{table.path}")
        files = {}
        for ticker, count in rows.items():
            found = folders.get(f"{self.key(staging)}/{table.folders(ticker)[0]}", [])
            if len(found) == 1:
                files[ticker] = LoadFile(self.objects.uri(found[0].key), found[0].size, count)
        return files

    def remove(self, ticker: str) -> None:
        """Takes the ticker out of every table; nothing happens where it is not."""
        self.objects.delete([_note_key(ticker)])
        for table in TABLES:
            for folder in table.folders(ticker):
                self.objects.delete_below(folder)

    def _staged(self, staging: str) -> dict[str, list[Object]]:
        """The Parquet files below a staging folder, by the folder they stand in."""
        folders: dict[str, list[Object]] = {}
        for found in parquet_files(self.objects, self.key(staging)):
            folders.setdefault(found.key.rpartition("/")[0], []).append(found)
        return folders

    def key(self, uri: str) -> str:
        """The key of what is at this URI of the lake."""
        return uri.removeprefix(self.uri).strip("/")


@dataclass(frozen=True)
class _Publication:
    """One ticker's files on their way from staging to their keys."""

    objects: Objects
    staging: str
    ticker: str
    note: Note
    stamp: str | None

    def publish(
        self, made: Mapping[Layer, Made], folders: Mapping[str, list[Object]]
    ) -> tuple[Layer, str] | None:
        """Publishes the layers up to the first that cannot be; gives that and the reason."""
        moves: dict[str, str] = {}
        ready: dict[Layer, Made] = {}
        problem = None
        for layer, one in made.items():
            files, wrong = self._files(layer, folders)
            if wrong:
                problem = (layer, wrong)
                break
            moves |= files
            ready[layer] = one
        if ready:
            try:
                self._replace(moves, ready)
            except Overtaken:
                return next(iter(ready)), "another process published it meanwhile: run it again"
            except FileNotFoundError:
                return next(iter(ready)), "its staged files were removed meanwhile: run it again"
        return problem

    def _files(
        self, layer: Layer, folders: Mapping[str, list[Object]]
    ) -> tuple[dict[str, str], str]:
        """The layer's staged files with the keys they belong at, or what is wrong with them."""
        moves: dict[str, str] = {}
        wrong: list[str] = []
        for table in (table for table in TABLES if table.layer == layer):
            for folder in table.folders(self.ticker):
                files = folders.get(f"{self.staging}/{folder}", [])
                wrong += [] if len(files) == 1 else [f"{folder}: {len(files)}"]
                moves |= {file.key: f"{folder}/{_FILE}" for file in files}
        if wrong:
            return {}, f"one file is wanted for each table, found {', '.join(wrong)}"
        return moves, ""

    def _replace(self, moves: Mapping[str, str], made: Mapping[Layer, Made]) -> None:
        """Moves the files; a crash in between leaves the layers concerned without a version."""
        old = {
            layer: version
            for layer, version in self.note.versions.items()
            if layer not in made or made[layer].version == version  # type: ignore[index]
        }
        run = self.staging.rpartition("/")[2]
        # Always: whoever has been at work here so far finds out by it and stops.
        stamp = self._write(replace(self.note, versions=old, publishing=run), self.stamp)
        stamps = {target: self._moved(source, target, run) for source, target in moves.items()}
        new = Note(
            versions=old | {layer: one.version for layer, one in made.items()},
            rows=self.note.rows | {t: n for one in made.values() for t, n in one.rows.items()},
            stamps=self.note.stamps | stamps,
        )
        self._write(new, stamp)

    def _moved(self, source: str, target: str, run: str) -> str:
        """The stamp of the target after the move.

        What a run put there that we took over from is replaced while the note says that we are the
        one at work. It is looked at first: what comes after that note was read is not replaced.
        """
        try:
            return self.objects.move(source, target, self.note.stamps.get(target))
        except Overtaken:
            present = self.objects.find(target)
            content = self.objects.read_all([_note_key(self.ticker)]).get(_note_key(self.ticker))
            if content is None or _note(content.data).publishing != run:
                raise
            return self.objects.move(source, target, present.stamp if present else None)

    def _write(self, note: Note, stamp: str | None) -> str:
        content = json.dumps(asdict(note)).encode()
        return self.objects.replace(_note_key(self.ticker), content, stamp)


def parquet_files(objects: Objects, folder: str) -> Iterator[Object]:
    """The Parquet files below a folder; engines leave hidden ones beside them."""
    for found in objects.below(folder):
        name = found.key.rpartition("/")[2]
        if name.endswith(".parquet") and not is_hidden(name):
            yield found


def _note_key(ticker: str) -> str:
    return f"_versions/{ticker}.json"


def _note(content: bytes) -> Note:
    try:
        return Note(**json.loads(content))
    except (TypeError, ValueError):
        return Note()  # not knowing a version is safe: the layer counts as stale
