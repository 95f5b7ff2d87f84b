"""The warehouse: what SQL asks; its local body.

Schema `market_data` has table `prices` and a view per ticker, `accounts` has `customer_accounts`. A
batch of tickers is replaced in one transaction: readers see all old rows or all new ones. DuckDB
lets one process write or several read, so every open waits for a bounded time. The body on AWS is
`redshift`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import dagster as dg
from pydantic import Field

from crypto_assets.resources.market_data.registry import WrongUse
from crypto_assets.resources.storage.duckdb_file import opened, write_anew
from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.spark.tables import GOLD, Table

if TYPE_CHECKING:
    import duckdb

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS market_data;
CREATE TABLE IF NOT EXISTS market_data.prices (
    ticker VARCHAR NOT NULL, date DATE NOT NULL,
    price DOUBLE, trend DOUBLE, pricema DOUBLE, trend_i DOUBLE
);
"""
_DELETE = "DELETE FROM market_data.prices WHERE ticker IN (SELECT unnest(?::VARCHAR[]))"
_INSERT = """
INSERT INTO market_data.prices
SELECT ticker, date, price, trend, pricema, trend_i
FROM read_parquet(?, hive_partitioning = true, hive_types_autocast = false)
ORDER BY ticker, date
"""
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
SELECT date, price, trend, pricema, trend_i FROM market_data.prices WHERE ticker = '{ticker}';
"""
_ACCOUNTS_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS accounts;
CREATE TABLE IF NOT EXISTS accounts.customer_accounts (
    customer_id INTEGER, name VARCHAR NOT NULL, gender VARCHAR NOT NULL, state VARCHAR NOT NULL,
    account_number VARCHAR NOT NULL, type_of_account VARCHAR NOT NULL,
    created_at TIMESTAMP, created_at_year INTEGER
);
"""
_INSERT_ACCOUNTS = """
INSERT INTO accounts.customer_accounts
SELECT customer_id, name, gender, state, account_number, type_of_account,
       created_at AT TIME ZONE 'UTC', created_at_year
FROM read_parquet(?, hive_partitioning = true, hive_types = {'created_at_year': 'INTEGER'})
ORDER BY account_number
"""
_VIEWS = "SELECT view_name FROM duckdb_views() WHERE schema_name = 'market_data'"


class WarehouseBusy(WrongUse):
    """The warehouse is held or overloaded; another attempt later may work."""


class RowsLost(Exception):  # noqa: N818 - it is a verdict on a load
    """The table does not hold the rows of the files it was loaded from."""


class Warehouse(dg.ConfigurableResource, ABC):
    """What gold is loaded into and queried from. Bodies are `DuckDBWarehouse` and `redshift`'s."""

    loads: ClassVar[Table]
    """The lake's table whose files `replace` wants."""

    @abstractmethod
    def replace(self, files: Mapping[str, LoadFile]) -> tuple[dict[str, dict], dict[str, str]]:
        """Replaces the rows of these tickers by those of their files.

        Returns the rows, first and last date of each ticker loaded, and the reason for each that
        was not. A batch that fails is taken apart until the tickers at fault are alone.
        """

    @abstractmethod
    def remove(self, ticker: str) -> None:
        """Takes the ticker's rows and its view out; nothing happens if it has none."""

    @abstractmethod
    def load_accounts(self, files: Sequence[LoadFile]) -> str | None:
        """Replaces table `accounts.customer_accounts` by these files, one a year.

        Returns why that failed; the table then is as it was.
        """

    @abstractmethod
    def forget_customer(self, customer_id: int) -> int:
        """Takes a customer's rows out of the accounts; how many there were."""

    @abstractmethod
    def query(self, sql: str) -> tuple[list[str], list[tuple]]:
        """The columns and rows that a query gives, which can only read.

        Raises `WrongUse` if the query is wrong or there is no warehouse yet.
        """

    @abstractmethod
    def check(self) -> str:
        """Says how much the warehouse holds, for the doctor."""


class DuckDBWarehouse(Warehouse):
    """A warehouse in one DuckDB file."""

    loads: ClassVar[Table] = GOLD

    path: str = Field(description="The DuckDB file.")
    lock_wait_s: float = Field(
        default=60, ge=0, description="Seconds to wait for a file another process holds."
    )

    def replace(self, files: Mapping[str, LoadFile]) -> tuple[dict[str, dict], dict[str, str]]:
        import duckdb

        with self._open() as connection:
            connection.execute(_SCHEMA)
            loaded: dict[str, dict] = {}
            problems: dict[str, str] = {}
            halves = [list(files)] if files else []
            while halves:
                tickers = halves.pop()
                try:
                    loaded |= _replace(connection, {ticker: files[ticker] for ticker in tickers})
                except (duckdb.Error, RowsLost) as error:
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
            connection.execute(_SCHEMA)
            connection.begin()
            connection.execute(_DELETE, [[ticker]])
            connection.execute(f'DROP VIEW IF EXISTS market_data."{ticker.lower()}"')
            connection.commit()

    def load_accounts(self, files: Sequence[LoadFile]) -> str | None:
        import duckdb

        wanted = sum(file.rows for file in files)
        with self._open() as connection:
            connection.execute(_ACCOUNTS_SCHEMA)
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
            connection.execute(_ACCOUNTS_SCHEMA)
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
                raise WrongUse(str(error).strip().splitlines()[0]) from error

    def check(self) -> str:
        if not Path(self.path).exists():
            return "empty so far"
        _, rows = self.query("SELECT count(*), count(DISTINCT ticker) FROM market_data.prices")
        return "{:,} rows of {:,} currencies".format(*rows[0])

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection that can reach nothing but the warehouse.

        Raises `WrongUse` if there is no warehouse yet, `WarehouseBusy` if it stays locked.
        """
        if not Path(self.path).exists():
            raise WrongUse("the warehouse is still empty: run `crypto-assets materialize` first")
        with self._open(read_only=True) as connection:
            connection.execute("SET enable_external_access = false; SET lock_configuration = true")
            yield connection

    def _open(
        self, *, read_only: bool = False
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return opened(self.path, self.lock_wait_s, WarehouseBusy, read_only=read_only)


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
            raise RowsLost(f"rows loaded differ from the {lost[0][1]} of gold's file")  # noqa: TRY301
        summary = connection.execute(_SUMMARY, [tickers]).fetchall()
        present = {name for (name,) in connection.execute(_VIEWS).fetchall()}
        views = [
            _VIEW.format(view=ticker.lower(), ticker=ticker)
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


def _count(connection: duckdb.DuckDBPyConnection, sql: str, *values: object) -> int:
    """The one number that a count gives, or a deletion of that many rows."""
    found = connection.execute(sql, list(values)).fetchone()
    return int(found[0]) if found else 0
