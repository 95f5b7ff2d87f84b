"""Changes to customer accounts as rows and as the Parquet file that a job writes of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from crypto_assets.resources.accounts.store import AccountStore, Item

_TIME = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    [
        ("operation", pa.string()),
        ("previous_year", pa.int32()),
        ("customer_id", pa.int32()),
        ("name", pa.string()),
        ("gender", pa.string()),
        ("state", pa.string()),
        ("account_number", pa.string()),
        ("type_of_account", pa.string()),
        ("created_at", _TIME),
        ("created_at_year", pa.int32()),
        ("deleted_at", _TIME),
    ]
)


def account(number: str, year: int = 2020, **values: Any) -> Item:
    """An account as the store is to hold it."""
    created = datetime(year, 3, 4, 5, 6, 7, 891_000, UTC) if year else None
    return Item(
        **{
            "account_number": number,
            "created_at_year": year,
            "customer_id": 7,
            "name": "Ann O'Brien",
            "gender": "F",
            "state": "Washington, D.C.",
            "type_of_account": "checking",
            "created_at": created,
            "deleted_at": None,
            **values,
        }
    )


def change(operation: str, item: Item, previous_year: int | None = None) -> dict[str, Any]:
    """A row of the changes that leads to this item."""
    return {"operation": operation, "previous_year": previous_year, **vars(item)}


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The file of a snapshot's changes."""
    parquet.write_table(pa.Table.from_pylist(rows, SCHEMA), path)
    return path


def batches(path: Path, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
    """The changes of a file, so many rows at a time."""
    return parquet.ParquetFile(path).iter_batches(rows)


def apply(store: AccountStore, path: Path) -> None:
    """Gives the changes of a file to the store, as an asset does."""
    store.apply(batches(path), parquet.read_metadata(path).num_rows)
