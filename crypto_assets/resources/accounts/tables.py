"""The lake's tables of customer accounts: which snapshot stands in them, and putting another there.

Bronze and silver are kept by snapshot; `customer_accounts` and what the store is to hold are those
of the newest one. A note beside them says how far a run came, so that the next one goes on. What is
computed is `spark/accounts`; files and locks are `objects`' matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from crypto_assets.resources.storage.lake import Lake, LakeBusy, LoadFile, parquet_files
from crypto_assets.resources.storage.objects import LockBusy, Object, Overtaken
from crypto_assets.spark.accounts.tables import (
    BRONZE_ACCOUNTS,
    BRONZE_CUSTOMERS,
    CHANGES,
    CUSTOMER_ACCOUNTS,
    SILVER_ACCOUNTS,
    SILVER_CUSTOMERS,
    STORED,
)
from crypto_assets.spark.job_spec import Layer
from crypto_assets.spark.tables import Table

TABLES = (
    *(BRONZE_CUSTOMERS, BRONZE_ACCOUNTS, SILVER_CUSTOMERS, SILVER_ACCOUNTS),
    *(CUSTOMER_ACCOUNTS, STORED, CHANGES),
)
_NOTE = "_versions/customer_accounts.json"  # a ticker has no such name
_FILE = "data.parquet"


class FilesMissing(Exception):  # noqa: N818 - it is a verdict on what a job wrote
    """A job did not leave one file where one is wanted."""


@dataclass(frozen=True)
class AccountsNote:
    """How far runs came. `versions` are those of each snapshot's layers.

    `published` is the snapshot in `customer_accounts` and the warehouse, `stored` the one whose
    changes went to the store; while `publishing` or `storing`, or after a crash meanwhile, in part.
    `stored_in` is the partition where these changes stand, and what the store is to hold.
    `rows_by_year` counts the rows of `customer_accounts`.
    """

    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    published: str = ""
    publishing: bool = False
    stored: str = ""
    stored_in: str = ""
    storing: bool = False
    rows_by_year: dict[str, int] = field(default_factory=dict)

    def has(self, snapshot: str, layer: Layer, version: str) -> bool:
        """Whether this layer stands in the lake, made of this snapshot in this version."""
        if layer == "customer_accounts" and (self.published != snapshot or self.publishing):
            return False
        return self.versions.get(snapshot, {}).get(layer) == version


class AccountTables:
    """The tables as one run works on them; `working` keeps other runs of this home away."""

    def __init__(self, lake: Lake) -> None:
        self._lake, self._objects = lake, lake.objects
        self._stamp: str | None = None
        self.note = AccountsNote()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Reads the note, and lets one run at a time change the tables. Raises `LakeBusy`."""
        try:
            with self._objects.locked(".customer_accounts.lock", self._lake.lock_wait_s):
                self.read_note()
                yield
        except (LockBusy, Overtaken) as error:
            raise LakeBusy(
                f"another run works on the customer accounts in {self._lake.uri}; run again when "
                "it has ended"
            ) from error

    def read_note(self) -> None:
        """Looks at how far runs came so far."""
        found = self._objects.read_all([_NOTE]).get(_NOTE)
        self._stamp = found.stamp if found else None
        self.note = AccountsNote(**json.loads(found.data)) if found else AccountsNote()

    def change(self, **changes: Any) -> None:
        """Changes the note. Raises `Overtaken` if another machine changed it meanwhile."""
        self.note = replace(self.note, **changes)
        self._stamp = self._objects.replace(
            _NOTE, json.dumps(asdict(self.note)).encode(), self._stamp
        )

    def publish(
        self, staging: str, snapshot: str, layer: Layer, version: str, **changes: Any
    ) -> None:
        """Moves this layer's files from below `staging` to their keys, then changes the note.

        What the store is to hold comes beside what it was to hold so far, also of one snapshot:
        the note decides which of them counts. Raises `FilesMissing` if there is not one file where
        one is wanted.
        """
        place = snapshot
        if layer == "customer_account_store":
            place = f"{snapshot}-again" if self.note.stored_in == snapshot else snapshot
            changes["stored_in"] = place
        for table in (table for table in TABLES if table.layer == layer):
            self._replace(table, self._staged(staging, table), snapshot, place)
        versions = self.note.versions.get(snapshot, {}) | {layer: version}
        self.change(versions={**self.note.versions, snapshot: versions}, **changes)

    def accounts_files(self) -> list[LoadFile]:
        """The published files of `customer_accounts`, one a year."""
        return [
            LoadFile(
                self._objects.uri(found.key),
                found.size,
                self.note.rows_by_year[year_of(found.key)],
            )
            for found in self.files(CUSTOMER_ACCOUNTS.path)
        ]

    def changes_file(self) -> bytes:
        """The changes of the snapshot that is `stored`, as a Parquet file."""
        return self._objects.read(f"{CHANGES.folders(self.note.stored_in)[0]}/{_FILE}")

    def drop_old_stored(self) -> None:
        """Removes what the store was to hold before the snapshot that is `stored`."""
        for table in (STORED, CHANGES):
            keys = [found.key for found in self.files(table.path)]
            self._objects.delete(key for key in keys if partition_of(key) != self.note.stored_in)

    def _replace(
        self, table: Table, staged: Mapping[str, Object], snapshot: str, place: str
    ) -> None:
        """Puts the staged files in the place of the published ones; years that are gone go."""
        by_year = table is CUSTOMER_ACCOUNTS
        if not by_year:
            if list(staged) != [snapshot]:
                raise FilesMissing(f"one file is wanted for {table.path}, found {len(staged)}")
            staged = {place: staged[snapshot]}
        present = {partition_of(found.key): found for found in self.files(table.path)}
        for partition, file in staged.items():
            target = f"{table.folders(partition)[0]}/{_FILE}"
            stamp = present[partition].stamp if partition in present else None
            self._objects.move(file.key, target, stamp)
        if by_year:
            self._objects.delete(found.key for y, found in present.items() if y not in staged)

    def _staged(self, staging: str, table: Table) -> dict[str, Object]:
        """The files a job left of this table, by partition. Raises `FilesMissing`."""
        folder = self._lake.key(staging)
        found: dict[str, Object] = {}
        for file in self.files(f"{folder}/{table.path}"):
            if found.setdefault(partition_of(file.key), file) is not file:
                raise FilesMissing(f"{table.path}: more than one file of {partition_of(file.key)}")
        return found

    def files(self, folder: str) -> Iterator[Object]:
        """The Parquet files below a folder, such as that of a table."""
        return parquet_files(self._objects, folder)


def year_of(key: str) -> str:
    """The year of a file of `customer_accounts`, as the job's measures name it."""
    year = partition_of(key)
    return "unknown" if year == "__HIVE_DEFAULT_PARTITION__" else year


def partition_of(key: str) -> str:
    """The value that the folder of this file names, such as 2024 of `created_at_year=2024`."""
    return key.rpartition("/")[0].rpartition("=")[2]
