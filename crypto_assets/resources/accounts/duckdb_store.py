"""The store of the customer accounts on a laptop: a table of one DuckDB file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from crypto_assets.resources.accounts.store import STEP, AccountStore, Item, changes_schema, uniform
from crypto_assets.resources.progress import progress
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.duckdb_file import DuckDBFile
from crypto_assets.spark.accounts.tables import ITEM
from crypto_assets.spark.tables import sql_columns

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_KEY = ("account_number", "created_at_year")
_COLUMNS = ", ".join(column.name for column in ITEM)
_SCHEMA = f"""
CREATE SCHEMA IF NOT EXISTS accounts;
CREATE TABLE IF NOT EXISTS accounts.customer_account_store (
    {sql_columns(ITEM, "duckdb")}, PRIMARY KEY ({", ".join(_KEY)})
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
_CURE = "delete the file: `crypto-assets accounts` fills it anew"
_COUNT = "SELECT count(*), count(deleted_at) FROM accounts.customer_account_store"


@dataclass(frozen=True, kw_only=True)
class DuckDBAccountStore(AccountStore):
    """A store in one DuckDB file."""

    kind = "duckdb"

    path: str
    lock_wait_s: float = 60  # for a file that another process holds

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(path=str(settings.store_file), lock_wait_s=settings.lock_wait_s)

    def is_there(self) -> bool:
        return self._file.exists()

    def apply(self, changes: Iterator[pa.RecordBatch], total: int) -> None:
        """As `AccountStore.apply`; readers see all changes at once."""
        import pyarrow as pa

        if not total:
            return
        arriving = pa.RecordBatchReader.from_batches(changes_schema(), _reported(changes, total))
        with self._changing() as connection:
            connection.register("arriving", arriving)
            for statement in (_CHANGES, _PUT, _DELETE_LEFT_BEHIND):
                connection.execute(statement)

    def get(self, account_number: str) -> list[Item]:
        if not self._file.exists():
            return []
        with self._file.reading() as connection:
            rows = connection.execute(_GET, [account_number]).fetchall()
        return [Item(*map(_in_utc, row)) for row in rows]

    def forget(self, customer_id: int) -> int:
        if not self._file.exists():
            return 0
        with self._changing(anew=True) as connection:
            return int(connection.execute(_FORGET, [customer_id]).fetchall()[0][0])

    def check(self) -> str:
        if not self._file.exists():
            return "empty so far"
        with self._file.reading() as connection:
            counted = connection.execute(_COUNT).fetchall()
        return "accounts: {:,}, of which deleted: {:,}".format(*counted[0])

    @contextmanager
    def _changing(self, *, anew: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._file.changing(anew=anew) as connection:
            connection.execute(_SCHEMA)
            yield connection

    @property
    def _file(self) -> DuckDBFile:
        return DuckDBFile(Path(self.path), self.lock_wait_s, _CURE)


def _reported(changes: Iterator[pa.RecordBatch], total: int) -> Iterator[pa.RecordBatch]:
    for batch in uniform(changes):
        yield batch
        progress(STEP, batch.num_rows, total)


def _in_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
