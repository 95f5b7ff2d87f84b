"""The warehouse on a laptop: one DuckDB file, which one process writes or several read.

A batch of tickers is replaced in one transaction. Every open waits for a bounded time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from crypto_assets.resources.errors import DataError, UsageError
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.duckdb_file import opened, write_anew
from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.warehouse.warehouse import Warehouse
from crypto_assets.spark.accounts.tables import WAREHOUSE_ACCOUNTS
from crypto_assets.spark.market_data.tables import GOLD, PRICES
from crypto_assets.spark.tables import Column, Table

if TYPE_CHECKING:
    import duckdb

_DELETE = "DELETE FROM market_data.prices WHERE ticker IN (SELECT unnest(?::VARCHAR[]))"
_INSERT = f"""
INSERT INTO market_data.prices SELECT {", ".join(PRICES.names)}
FROM read_parquet(?, hive_partitioning = true, hive_types_autocast = false)
ORDER BY ticker, date
"""  # noqa: S608 - columns of ours
_SUMMARY = """
SELECT ticker, count(*), min(date), max(date) FROM market_data.prices
WHERE ticker IN (SELECT unnest(?::VARCHAR[])) GROUP BY ticker
"""
_LOST = """
SELECT regexp_extract(file_name, 'ticker=([^/]+)', 1) AS ticker, num_rows
FROM parquet_file_metadata(?)
EXCEPT
SELECT ticker, count(*) FROM market_data.prices
WHERE ticker IN (SELECT unnest(?::VARCHAR[])) GROUP BY ticker
"""
_VIEW = """
CREATE VIEW market_data."{view}" AS
SELECT {columns} FROM market_data.prices WHERE ticker = '{ticker}';
"""
_COLUMNS = ", ".join(column.name for column in GOLD.file_columns)


def _read(column: Column) -> str:
    """The column as it is read from Parquet: a time with a zone would become local time."""
    return f"{column.name} AT TIME ZONE 'UTC'" if column.type == "timestamp" else column.name


_INSERT_ACCOUNTS = f"""
INSERT INTO accounts.customer_accounts
SELECT {", ".join(map(_read, WAREHOUSE_ACCOUNTS.columns))}
FROM read_parquet(?, hive_partitioning = true, hive_types = {{'created_at_year': 'INTEGER'}})
ORDER BY account_number
"""  # noqa: S608 - columns of ours
_VIEWS = "SELECT view_name FROM duckdb_views() WHERE schema_name = 'market_data'"


@dataclass(frozen=True, kw_only=True)
class DuckDBWarehouse(Warehouse):
    """A warehouse in one DuckDB file."""

    kind = "duckdb"
    storages = frozenset({"folder"})
    loads = GOLD

    path: str
    lock_wait_s: float = 60  # for a file that another process holds

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(path=str(settings.warehouse_file), lock_wait_s=settings.lock_wait_s)

    def is_there(self) -> bool:
        return Path(self.path).exists()

    def replace(self, files: Mapping[str, LoadFile]) -> tuple[dict[str, dict], dict[str, str]]:
        import duckdb

        with self._open() as connection:
            _create(connection, PRICES)
            loaded: dict[str, dict] = {}
            problems: dict[str, str] = {}
            halves = [list(files)] if files else []
            while halves:
                tickers = halves.pop()
                try:
                    loaded |= _replace(connection, {ticker: files[ticker] for ticker in tickers})
                except (duckdb.Error, DataError) as error:
                    if len(tickers) == 1:
                        problems[tickers[0]] = str(error).splitlines()[0]
                    else:
                        middle = len(tickers) // 2
                        halves += [tickers[:middle], tickers[middle:]]
            return loaded, problems

    def remove(self, ticker: str) -> None:
        if not Path(self.path).exists():
            return
        with self._open() as connection:
            _create(connection, PRICES)
            connection.begin()
            connection.execute(_DELETE, [[ticker]])
            connection.execute(f'DROP VIEW IF EXISTS market_data."{ticker.lower()}"')
            connection.commit()

    def load_accounts(self, files: Sequence[LoadFile]) -> str | None:
        import duckdb

        wanted = sum(file.rows for file in files)
        with self._open() as connection:
            _create(connection, WAREHOUSE_ACCOUNTS)
            connection.begin()
            try:
                connection.execute("DELETE FROM accounts.customer_accounts")
                if files:
                    connection.execute(_INSERT_ACCOUNTS, [[file.uri for file in files]])
                loaded = _count(connection, "SELECT count(*) FROM accounts.customer_accounts")
                if loaded == wanted:
                    connection.commit()
                    return None
            except duckdb.Error as error:
                connection.rollback()
                return str(error).splitlines()[0]
            connection.rollback()
            return f"{loaded} rows loaded of {wanted} in the files"

    def forget_customer(self, customer_id: int) -> int:
        if not Path(self.path).exists():
            return 0
        with self._open() as connection:
            _create(connection, WAREHOUSE_ACCOUNTS)
            own = "DELETE FROM accounts.customer_accounts WHERE customer_id = ?"
            rows = _count(connection, own, customer_id)
            if rows:
                write_anew(self.path, connection)
            return rows

    def query(self, sql: str) -> tuple[list[str], list[tuple]]:
        import duckdb

        with self.reading() as connection:
            try:
                cursor = connection.execute(sql)
                return [column[0] for column in cursor.description or []], cursor.fetchall()
            except duckdb.Error as error:
                raise UsageError(str(error).strip().splitlines()[0]) from error

    def check(self) -> str:
        if not Path(self.path).exists():
            return "empty so far"
        _, rows = self.query("SELECT count(*), count(DISTINCT ticker) FROM market_data.prices")
        return "{:,} rows of {:,} currencies".format(*rows[0])

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection that can reach nothing but the warehouse.

        Raises `UsageError` if there is no warehouse yet, `BusyError` if it stays locked.
        """
        if not Path(self.path).exists():
            raise UsageError("the warehouse is still empty: run `crypto-assets materialize` first")
        with self._open(read_only=True) as connection:
            connection.execute("SET enable_external_access = false; SET lock_configuration = true")
            yield connection

    def _open(
        self, *, read_only: bool = False
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return opened(self.path, self.lock_wait_s, read_only=read_only)


def _replace(
    connection: duckdb.DuckDBPyConnection, files: Mapping[str, LoadFile]
) -> dict[str, dict]:
    """Replaces these tickers in one transaction; any error leaves them as they were."""
    tickers, paths = list(files), [file.uri for file in files.values()]
    connection.begin()
    try:
        connection.execute(_DELETE, [tickers])
        connection.execute(_INSERT, [paths])
        if lost := connection.execute(_LOST, [paths, tickers]).fetchall():
            raise DataError(f"rows loaded differ from the {lost[0][1]} of gold's file")  # noqa: TRY301
        summary = connection.execute(_SUMMARY, [tickers]).fetchall()
        present = {name for (name,) in connection.execute(_VIEWS).fetchall()}
        views = [
            _VIEW.format(view=ticker.lower(), columns=_COLUMNS, ticker=ticker)
            for ticker in tickers
            if ticker.lower() not in present
        ]
        connection.execute("".join(views))
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return {
        ticker: {"rows": rows, "first_date": first, "last_date": last}
        for ticker, rows, first, last in summary
    }


def _create(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Makes the table of the warehouse, its schema and what describes them, if need be."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {table.path.partition('.')[0]}")
    connection.execute(table.create_sql("duckdb"))
    connection.execute(";".join(table.comments_sql()))


def _count(connection: duckdb.DuckDBPyConnection, sql: str, *values: object) -> int:
    """The one number that a count gives, or a deletion of that many rows."""
    found = connection.execute(sql, list(values)).fetchone()
    return int(found[0]) if found else 0
