"""The tables of customer accounts that hold one snapshot at a time, and putting another there.

`customer_accounts` and what the store is to hold are those of the newest snapshot. A document among
the manifests says how far a run came, so that the next one goes on. Bronze and silver are kept by
snapshot; the lake publishes them as any partition's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from crypto_assets.resources.errors import BusyError, ConflictError, DataError
from crypto_assets.resources.storage.lake import FILE, MANIFESTS, Lake, LoadFile
from crypto_assets.resources.storage.objects import Object
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.accounts.tables import CHANGES, CUSTOMER_ACCOUNTS, STORED
from crypto_assets.spark.tables import Table

OF_THE_NEWEST = ("customer_accounts", "customer_account_store")
_PROGRESS = f"{MANIFESTS}/{ACCOUNTS.name}.json"


@dataclass(frozen=True)
class Progress:
    """How far runs came. `versions` are those of the layers that hold one snapshot at a time.

    `published` is the snapshot in `customer_accounts` and the warehouse, `stored` the one whose
    changes went to the store; while `publishing` or `storing`, or after a crash meanwhile, in part.
    `stored_in` is the partition where these changes are, and what the store is to hold.
    `rows_by_year` counts the rows of `customer_accounts`. `counts` says how many accounts the
    snapshot that is `stored` changed when it came; account numbers stay out of it.
    """

    versions: dict[str, str] = field(default_factory=dict)
    published: str = ""
    publishing: bool = False
    stored: str = ""
    stored_in: str = ""
    storing: bool = False
    rows_by_year: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def versions_of(self, snapshot: str) -> dict[str, str]:
        """The versions of those of the layers that hold this snapshot whole."""
        holds = {
            "customer_accounts": self.published == snapshot and not self.publishing,
            "customer_account_store": self.stored == snapshot and not self.storing,
        }
        return {layer: version for layer, version in self.versions.items() if holds[layer]}


class AccountTables:
    """The tables as one run works on them; `working` keeps other runs of this home away."""

    def __init__(self, lake: Lake) -> None:
        self._lake, self._objects = lake, lake.objects
        self._etag: str | None = None
        self.progress = Progress()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Reads the progress, and lets one run at a time change the tables. Raises `BusyError`."""
        with self._lake.locked(ACCOUNTS.name):
            found = self._objects.read_all([_PROGRESS]).get(_PROGRESS)
            self._etag = found.etag if found else None
            self.progress = Progress(**json.loads(found.data)) if found else Progress()
            yield

    def change(self, **changes: Any) -> None:
        """Changes the progress. Raises `BusyError` if another machine changed it meanwhile."""
        self.progress = replace(self.progress, **changes)
        document = json.dumps(asdict(self.progress)).encode()
        with self._alone():
            self._etag = self._objects.replace(_PROGRESS, document, self._etag)

    def publish_accounts(self, staging: str, version: str) -> None:
        """Puts the years' files in place of those published; years that are gone go.

        Raises `DataError` if a year has not one file.
        """
        staged = self._staged(staging, CUSTOMER_ACCOUNTS)
        present = self._by_partition(CUSTOMER_ACCOUNTS.path)
        self._move(CUSTOMER_ACCOUNTS, staged, present)
        self._objects.delete(found.key for year, found in present.items() if year not in staged)
        self._made("customer_accounts", version)

    def publish_store(self, staging: str, snapshot: str, version: str) -> None:
        """Puts the changes, and what the store is to hold, beside what it was to hold so far.

        The progress then decides which of them counts. Raises `DataError`.
        """
        place = f"{snapshot}-again" if self.progress.stored_in == snapshot else snapshot
        counts = self.progress.counts if self.progress.stored == snapshot else {}
        for table in ACCOUNTS.tables_of("customer_account_store"):
            staged = self._staged(staging, table)
            if list(staged) != [snapshot]:
                raise DataError(f"{table.path}: one file is wanted, found {len(staged)}")
            self._move(table, {place: staged[snapshot]}, self._by_partition(table.path))
        self._made(
            "customer_account_store",
            version,
            stored=snapshot,
            stored_in=place,
            storing=True,
            counts=counts,
        )

    def accounts_files(self) -> list[LoadFile]:
        """The published files of `customer_accounts`, one a year."""
        rows = self.progress.rows_by_year
        return [
            LoadFile(self._objects.uri(found.key), found.size, rows[year_of(found.key)])
            for found in self._lake.parquet_files(CUSTOMER_ACCOUNTS.path)
        ]

    def changes_file(self) -> bytes:
        """The changes of the snapshot that is `stored`, as a Parquet file."""
        return self._objects.read(f"{CHANGES.folders(self.progress.stored_in)[0]}/{FILE}")

    def stored_file(self) -> bytes:
        """What the store is to hold with these changes, as a Parquet file."""
        return self._objects.read(f"{STORED.folders(self.progress.stored_in)[0]}/{FILE}")

    def drop_old_stored(self) -> None:
        """Removes what the store was to hold before the snapshot that is `stored`."""
        for table in (STORED, CHANGES):
            files = self._by_partition(table.path)
            self._objects.delete(
                found.key for place, found in files.items() if place != self.progress.stored_in
            )

    def _made(self, layer: str, version: str, **changes: Any) -> None:
        self.change(versions={**self.progress.versions, layer: version}, **changes)

    def _move(
        self, table: Table, staged: Mapping[str, Object], present: Mapping[str, Object]
    ) -> None:
        for partition, file in staged.items():
            etag = present[partition].etag if partition in present else None
            with self._alone():
                self._objects.move(file.key, f"{table.folders(partition)[0]}/{FILE}", etag)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            yield
        except ConflictError as error:
            raise BusyError(
                f"another machine works on the customer accounts in {self._lake.uri}; run again "
                "when it has ended"
            ) from error

    def _by_partition(self, folder: str) -> dict[str, Object]:
        return {partition_of(found.key): found for found in self._lake.parquet_files(folder)}

    def _staged(self, staging: str, table: Table) -> dict[str, Object]:
        """The files a job left of this table, by partition. Raises `DataError`."""
        files = list(self._lake.parquet_files(f"{self._lake.key(staging)}/{table.path}"))
        found = {partition_of(file.key): file for file in files}
        if len(found) < len(files):
            raise DataError(f"{table.path}: more than one file of a partition")
        return found


def year_of(key: str) -> str:
    """The year of a file of `customer_accounts`, as the job's measures name it."""
    year = partition_of(key)
    return "unknown" if year == "__HIVE_DEFAULT_PARTITION__" else year


def partition_of(key: str) -> str:
    """The value that the folder of this file names, such as 2024 of `created_at_year=2024`."""
    return key.rpartition("/")[0].rpartition("=")[2]
