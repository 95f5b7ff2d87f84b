"""The store of the customer accounts, which applications read: one interface and its local body.

It is given the changes that lead to a snapshot (`CHANGES` in `spark/accounts/tables.py`) and may be
given them again after a crash. Which changes there are is worked out in `spark/`; the body on AWS
is `dynamodb`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from crypto_assets.resources.errors import ServiceBusy
from crypto_assets.resources.progress import progress
from crypto_assets.resources.storage.duckdb_file import opened, write_anew

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

STEP = "customer_account_store"
_COLUMNS = (
    "account_number, created_at_year, customer_id, name, gender, state, type_of_account, "
    "created_at, deleted_at"
)
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS accounts;
CREATE TABLE IF NOT EXISTS accounts.customer_account_store (
    account_number VARCHAR NOT NULL, created_at_year INTEGER NOT NULL,
    customer_id INTEGER, name VARCHAR, gender VARCHAR, state VARCHAR, type_of_account VARCHAR,
    created_at TIMESTAMP, deleted_at TIMESTAMP,
    PRIMARY KEY (account_number, created_at_year)
);
"""
_CHANGES = "CREATE TEMP TABLE changes AS SELECT * FROM arriving"
_PUT = f"""
INSERT OR REPLACE INTO accounts.customer_account_store BY NAME SELECT {_COLUMNS} FROM changes
"""  # noqa: S608 - columns of ours
_DELETE_LEFT_BEHIND = """
DELETE FROM accounts.customer_account_store AS stored USING changes
WHERE stored.account_number = changes.account_number
AND stored.created_at_year = changes.previous_year
"""
_GET = f"""
SELECT {_COLUMNS} FROM accounts.customer_account_store
WHERE account_number = ? ORDER BY created_at_year
"""  # noqa: S608 - columns of ours
_FORGET = "DELETE FROM accounts.customer_account_store WHERE customer_id = ?"
_COUNT = "SELECT count(*), count(deleted_at) FROM accounts.customer_account_store"


@dataclass(frozen=True)
class Item:
    """What the store holds of an account; times are UTC, year 0 stands for an unknown one."""

    account_number: str
    created_at_year: int
    customer_id: int | None
    name: str
    gender: str
    state: str
    type_of_account: str
    created_at: datetime | None
    deleted_at: datetime | None


class AccountStore(dg.ConfigurableResource, ABC):
    """What applications read of the customer accounts: one item for each account.

    Bodies are `DuckDBAccountStore` and `dynamodb`'s. All raise `ServiceBusy` where another attempt
    may work, and `ServiceRefused` where somebody has to change something first.
    """

    max_deleted_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Share of the live accounts that one snapshot may delete unconfirmed.",
    )

    @abstractmethod
    def apply(self, changes: Iterator[pa.RecordBatch], total: int) -> None:
        """Writes changes, of which there are `total`; once more does no harm.

        An account whose year changed is put under the new year before the old item is deleted, so
        that who reads meanwhile always finds it.
        """

    @abstractmethod
    def get(self, account_number: str) -> list[Item]:
        """The account's item; there is another as long as a change of its year is under way."""

    @abstractmethod
    def forget(self, customer_id: int) -> int:
        """Erases every item of a customer, deleted ones too; returns how many there were."""

    @abstractmethod
    def check(self) -> str:
        """Says what the store holds or lacks, for the doctor."""


class DuckDBAccountStore(AccountStore):
    """A store in one DuckDB file."""

    path: str = Field(description="The DuckDB file.")
    lock_wait_s: float = Field(
        default=60, ge=0, description="Seconds to wait for a file another process holds."
    )

    def apply(self, changes: Iterator[pa.RecordBatch], total: int) -> None:
        """As `AccountStore.apply`; readers see all changes at once."""
        import pyarrow as pa

        arriving = pa.RecordBatchReader.from_batches(_schema(), _told(changes, total))
        with self._open() as connection:
            connection.register("arriving", arriving)
            connection.begin()  # what breaks off is rolled back when the connection is closed
            for statement in (_CHANGES, _PUT, _DELETE_LEFT_BEHIND):
                connection.execute(statement)
            connection.commit()

    def get(self, account_number: str) -> list[Item]:
        if not Path(self.path).exists():
            return []
        with self._open() as connection:
            rows = connection.execute(_GET, [account_number]).fetchall()
        return [Item(*row[:-2], *map(_utc, row[-2:])) for row in rows]

    def forget(self, customer_id: int) -> int:
        if not Path(self.path).exists():
            return 0
        with self._open() as connection:
            erased = int(connection.execute(_FORGET, [customer_id]).fetchall()[0][0])
            if erased:
                write_anew(self.path, connection)
        return erased

    def check(self) -> str:
        if not Path(self.path).exists():
            return "empty so far"
        with self._open() as connection:
            counted = connection.execute(_COUNT).fetchall()
        return "accounts: {:,}, of which deleted: {:,}".format(*counted[0])

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with opened(self.path, self.lock_wait_s, ServiceBusy) as connection:
            connection.execute(_SCHEMA)
            yield connection


def uniform(changes: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The changes with their columns in one order and type; times are of UTC, without a zone."""
    import pyarrow as pa

    schema = _schema()
    for batch in changes:
        columns = [batch.column(field.name).cast(field.type, safe=False) for field in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _schema() -> pa.Schema:
    """What is read of the changes; milliseconds are what the uploads have."""
    import pyarrow as pa

    texts = ("account_number", "name", "gender", "state", "type_of_account")
    return pa.schema(
        [
            ("operation", pa.string()),
            ("previous_year", pa.int32()),
            ("created_at_year", pa.int32()),
            ("customer_id", pa.int32()),
            *((name, pa.string()) for name in texts),
            *((name, pa.timestamp("ms")) for name in ("created_at", "deleted_at")),
        ]
    )


def _told(changes: Iterator[pa.RecordBatch], total: int) -> Iterator[pa.RecordBatch]:
    for batch in uniform(changes):
        yield batch
        progress(STEP, batch.num_rows, total)


def _utc(time: datetime | None) -> datetime | None:
    return time and time.replace(tzinfo=UTC)
