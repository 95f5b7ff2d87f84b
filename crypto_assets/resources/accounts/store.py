"""The store of the customer accounts, which applications read.

It is given the changes that lead to a snapshot (`CHANGES` in `spark/accounts/tables.py`) and may be
given them again after a crash. Which changes there are is worked out in `spark/`. The
implementations are in `duckdb_store` and `dynamodb`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from crypto_assets.resources.settings import Settings
from crypto_assets.spark.accounts.tables import CHANGES
from crypto_assets.spark.tables import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

STEP = "write to the store"


@dataclass(frozen=True)
class Item:
    """What the store holds of an account; times are UTC, year 0 stands for an unknown one."""

    customer_id: int | None
    name: str
    gender: str
    state: str
    account_number: str
    type_of_account: str
    created_at: datetime | None
    created_at_year: int
    deleted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class AccountStore(ABC):
    """What applications read of the customer accounts: one item for each account.

    All methods raise `BusyError` where another attempt may work, and `RefusedError` where somebody
    has to change something first.
    """

    kind: ClassVar[str]
    """What it is, as the UI shows it."""

    @classmethod
    @abstractmethod
    def of(cls, settings: Settings) -> Self:
        """The store as the settings say."""

    def is_there(self) -> bool:
        """Whether anything was ever written, where that is known without asking a service."""
        return True

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


def uniform(changes: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The changes with their columns in one order and type; times are of UTC, without a zone."""
    import pyarrow as pa

    schema = changes_schema()
    for batch in changes:
        columns = [batch.column(field.name).cast(field.type, safe=False) for field in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def as_inserts(items: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Items (`STORED`) as the changes that put them into an empty store."""
    import pyarrow as pa

    for batch in items:
        rows = pa.Table.from_batches([batch])
        for name, value in (("operation", "insert"), ("previous_year", None)):
            type_ = changes_schema().field(name).type
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, type_), len(rows)))
        yield from rows.to_batches()


def changes_schema() -> pa.Schema:
    """What is read of the changes; milliseconds are what the uploads have."""
    import pyarrow as pa

    schema = arrow_schema(CHANGES.file_columns)
    for number, field in enumerate(schema):
        if pa.types.is_timestamp(field.type):
            schema = schema.set(number, field.with_type(pa.timestamp("ms")))
    return schema
