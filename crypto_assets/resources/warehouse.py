"""The warehouse: schema `market_data`, with table `prices` and a view per ticker; its local body.

A batch of tickers is replaced in one transaction: readers see all old rows or all new ones. DuckDB
lets one process write or several read, so every open waits for a bounded time. The body on AWS is
`redshift`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import dagster as dg
from pydantic import Field

from crypto_assets.resources.duckdb_file import opened
from crypto_assets.resources.lake import LoadFile
from crypto_assets.resources.registry import WrongUse
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
