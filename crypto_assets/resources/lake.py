"""The lake: one Parquet file per ticker and table below a root folder, published by rename.

A run writes below `_staging/<run id>`; only files that passed their audit are moved to their key.
A reader sees the old file or the new one. What is in the tables is `spark/tables.py`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout
from pydantic import Field

from crypto_assets.resources.files import write_atomically
from crypto_assets.resources.registry import WrongUse
from crypto_assets.spark.batch import Layer
from crypto_assets.spark.tables import GOLD, SILVER_HISTORY, SILVER_TREND, TABLES, Table

_FILE = "data.parquet"
_STAGING = "_staging"
_VERSIONS = "_versions"


class Lake(dg.ConfigurableResource):
    """A lake on the local file system."""

    root: str = Field(description="Folder of the lake.")
    lock_wait_s: float = Field(
        default=60, ge=0, description="Seconds to wait for another run that is publishing."
    )

    def staging(self, run_id: str) -> str:
        """The folder this run writes to before its tables are audited."""
        return str(Path(self.root, _STAGING, run_id))

    def clear_staging(self, running: Collection[str]) -> None:
        """Removes what runs left behind that are not among the `running` ones."""
        for folder in Path(self.root, _STAGING).glob("*"):
            if folder.name not in running:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Lets one run at a time decide what is newest and publish it.

        Raises `LakeBusy` when another run holds the lake for longer than `lock_wait_s`.
        """
        Path(self.root).mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(Path(self.root, ".publishing.lock"), timeout=self.lock_wait_s):
                yield
        except Timeout as error:
            raise LakeBusy(
                f"another run has been publishing to {self.root} for over {self.lock_wait_s:g} s; "
                "run again when it has ended"
            ) from error

    def publish(
        self, run_id: str, versions: Mapping[str, Mapping[Layer, str]]
    ) -> dict[str, tuple[Layer, str]]:
        """Moves these tickers' staged files of these layers to their keys, noting their versions.

        Returns the tickers of which a layer could not be published, with the layer and the reason;
        the layers behind it stay as they were.
        """
        published = (self._publish(run_id, ticker, versions[ticker]) for ticker in versions)
        return {t: problem for t, problem in zip(versions, published, strict=True) if problem}

    def _publish(
        self, run_id: str, ticker: str, versions: Mapping[Layer, str]
    ) -> tuple[Layer, str] | None:
        """Publishes one ticker's layers; the first that cannot be, and why."""
        known = self._versions(ticker)
        moves: dict[Path, Path] = {}
        moved: dict[str, str] = {}
        problem = None
        for layer, version in versions.items():
            files, wrong = self._staged(run_id, layer, ticker)
            if wrong:
                problem = (layer, wrong)
                break
            moves |= files
            moved[layer] = version
        # A crash must not leave new files under an old version: in between they have none.
        same = {name: known[name] for name in known if moved.get(name, known[name]) == known[name]}
        if same != known:
            self._note_versions(ticker, same)
        for staged, target in moves.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(target)
        if same | moved != same:
            self._note_versions(ticker, same | moved)
        return problem

    def _staged(self, run_id: str, layer: Layer, ticker: str) -> tuple[dict[Path, Path], str]:
        """The layer's staged files with the keys they belong to, or what is wrong with them."""
        moves: dict[Path, Path] = {}
        wrong = []
        for table in (table for table in TABLES if table.layer == layer):
            for folder in table.folders(ticker):
                files = _parquet_files(Path(self.staging(run_id), folder))
                wrong += [] if len(files) == 1 else [f"{folder}: {len(files)}"]
                moves |= {file: Path(self.root, folder, _FILE) for file in files}
        if wrong:
            return {}, f"one file is wanted for each table, found {', '.join(wrong)}"
        return moves, ""

    def version(self, ticker: str, layer: Layer) -> str | None:
        """What the published files of this layer were made from; None if that is not known."""
        return self._versions(ticker).get(layer)

    def _versions(self, ticker: str) -> dict[str, str]:
        try:
            return json.loads(Path(self.root, _VERSIONS, f"{ticker}.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return {}  # not knowing a version is safe: the layer counts as stale

    def _note_versions(self, ticker: str, versions: Mapping[str, str]) -> None:
        path = Path(self.root, _VERSIONS, f"{ticker}.json")
        write_atomically(path, json.dumps(versions).encode(), durable=False)

    def discard(self, run_id: str) -> None:
        """Removes what is left of a run's staging folder."""
        shutil.rmtree(self.staging(run_id), ignore_errors=True)

    def remove(self, ticker: str) -> None:
        """Takes the ticker out of every table; nothing happens where it is not."""
        Path(self.root, _VERSIONS, f"{ticker}.json").unlink(missing_ok=True)
        for table in TABLES:
            for folder in table.folders(ticker):
                shutil.rmtree(Path(self.root, folder), ignore_errors=True)

    def published(self, table: Table, tickers: Iterable[str]) -> dict[str, Path]:
        """The table's published files of those tickers that have one."""
        files = {t: Path(self.root, table.folders(t)[0], _FILE) for t in tickers}
        return {ticker: path for ticker, path in files.items() if path.exists()}

    def published_rows(self, tickers: Collection[str]) -> dict[str, dict[str, int]]:
        """Per ticker, the rows of each published silver and gold table, from the files' footers."""
        from pyarrow import parquet

        def rows(item: tuple[str, str, Path]) -> tuple[str, str, int]:
            ticker, table, path = item
            return ticker, table, parquet.read_metadata(path).num_rows

        items = [
            (ticker, table.path, path)
            for table in (SILVER_HISTORY, SILVER_TREND, GOLD)
            for ticker, path in self.published(table, tickers).items()
        ]
        counts: dict[str, dict[str, int]] = {ticker: {} for ticker in tickers}
        with ThreadPoolExecutor() as pool:
            for ticker, table, count in pool.map(rows, items):
                counts[ticker][table] = count
        return counts


def _parquet_files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix == ".parquet"]
    except FileNotFoundError:
        return []


class LakeBusy(WrongUse):
    """Another run holds the lake."""
