"""The warehouse on a laptop: one DuckDB file, for SQL and for whatever tool opens it.

A batch of tickers is replaced in a copy, which takes the file's place by one rename. Who has the
file open neither waits for that nor is waited for; how is in `storage/duckdb_file`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from crypto_assets.resources.errors import DataError, RefusedError, UsageError
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.duckdb_file import DuckDBFile, is_damage
from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.resources.warehouse.duckdb_setup import ACCOUNTS, MARKET_DATA
from crypto_assets.resources.warehouse.warehouse import NO_VERDICTS, Warehouse
from crypto_assets.spark.accounts.tables import WAREHOUSE_ACCOUNTS
from crypto_assets.spark.market_data.tables import GOLD, LAST_VERDICTS, PRICES
from crypto_assets.spark.tables import SQL_TYPES, Column

if TYPE_CHECKING:
    import duckdb

_DELETE = "DELETE FROM market_data.prices WHERE ticker IN (SELECT unnest(?::VARCHAR[]))"
_INSERT = f"""
INSERT INTO market_data.prices SELECT {", ".join(PRICES.names)}
FROM read_parquet(?, hive_partitioning = true, hive_types_autocast = false)
"""  # noqa: S608 - columns of ours
# Several threads merge what each has read of many small files: that takes half as long again. Two
# methods to compress columns never win on those of `prices`: to try them takes a twentieth more.
_FOR_FILES = "SET threads = 1; SET disabled_compression_methods = 'fsst,rle'"
_AS_BEFORE = "RESET threads; RESET disabled_compression_methods"
# Of all from the first ticker to the last: to look for each row's in a list takes twice as long.
_SUMMARY = """
SELECT ticker, count(*), min(date), max(date) FROM market_data.prices
WHERE ticker BETWEEN ? AND ? GROUP BY ticker
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
_TYPES = json.dumps(
    [{column.name: SQL_TYPES["duckdb"][column.type] for column in LAST_VERDICTS.columns}]
)
_FORGET = "DELETE FROM market_data.last_verdicts WHERE ticker IN (SELECT unnest(?::VARCHAR[]))"
_SAY = "INSERT INTO market_data.last_verdicts SELECT unnest(from_json(?, ?), recursive := true)"
_CURE = (
    "delete the file: `crypto-assets materialize --all --layer warehouse` and `crypto-assets "
    "accounts` make it anew"
)
_SCHEMAS = ("market_data", "accounts")  # those of which a table needs no schema before its name
_FOUND_SCHEMAS = "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()"


@dataclass(frozen=True, kw_only=True)
class DuckDBWarehouse(Warehouse):
    """A warehouse in one DuckDB file."""

    kind = "duckdb"
    storages = frozenset({"folder", "s3"})
    loads = GOLD

    path: str
    lock_wait_s: float = 60  # for a file that another process holds
    lake: S3Objects | None = None  # where the files are; DuckDB reads those of a folder by itself

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            path=str(settings.warehouse_file),
            lock_wait_s=settings.lock_wait_s,
            lake=S3Objects.of(settings, "lake") if settings.lake == "s3" else None,
        )

    @classmethod
    def is_there(cls, settings: Settings) -> bool:
        return settings.warehouse_file.exists()

    def replace(
        self,
        files: Mapping[str, LoadFile],
        verdicts: Mapping[str, Mapping[str, Any]] = NO_VERDICTS,
    ) -> tuple[dict[str, dict], dict[str, str]]:
        if not files:
            return {}, {}
        with self._near(files) as (near, lacking), self._file.changing() as connection:
            present = MARKET_DATA.prepare(connection)
            loaded, problems = _replace_or_halve(connection, near, verdicts, present)
            return loaded, problems | lacking

    def remove(self, ticker: str) -> None:
        if not self._file.exists():
            return
        with self._file.changing() as connection:
            MARKET_DATA.prepare(connection)
            connection.execute(_DELETE, [[ticker]])
            connection.execute(_FORGET, [[ticker]])
            connection.execute(f'DROP VIEW IF EXISTS market_data."{ticker.lower()}"')

    def describe(self, currencies: Sequence[Mapping[str, Any]]) -> None:
        if not currencies or not self._file.exists():
            return
        with self._file.changing() as connection:
            MARKET_DATA.prepare(connection)
            _describe(connection, currencies)

    def load_accounts(self, files: Sequence[LoadFile]) -> str | None:
        import duckdb

        try:
            with (
                self._near({file.uri: file for file in files}) as (near, lacking),
                self._file.changing() as connection,
            ):
                if lacking:
                    return "; ".join(lacking.values())
                ACCOUNTS.prepare(connection)
                _load_accounts(connection, list(near.values()))
        except (duckdb.Error, DataError) as error:
            return str(error).splitlines()[0]
        return None

    def forget_customer(self, customer_id: int) -> int:
        if not self._file.exists():
            return 0
        with self._file.changing(anew=True) as connection:
            ACCOUNTS.prepare(connection)
            own = "DELETE FROM accounts.customer_accounts WHERE customer_id = ?"
            return _count(connection, own, customer_id)

    def query(self, sql: str) -> tuple[list[str], list[tuple]]:
        import duckdb

        with self.reading() as connection:
            try:
                cursor = connection.execute(sql)
                return [column[0] for column in cursor.description or []], cursor.fetchall()
            except duckdb.Error as error:
                if is_damage(error):
                    raise
                raise UsageError(str(error).strip().splitlines()[0]) from error

    def check(self) -> str:
        if not self._file.exists():
            return "empty so far"
        if wals := self._file.foreign_wals():
            raise RefusedError(
                f"another process has opened {self.path} to write and left {wals[0].name}: open "
                "the file read-only there; the next run puts that aside"
            )
        _, rows = self.query("SELECT count(*), count(DISTINCT ticker) FROM market_data.prices")
        return "{:,} rows of {:,} currencies".format(*rows[0])

    def fix(self, publishers: Sequence[str], show: Callable[[str], None]) -> None:  # noqa: ARG002
        if publishers:
            raise UsageError("DuckDB has no users: --publisher is for a warehouse on Redshift")

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection that can reach nothing but the warehouse.

        Raises `UsageError` if there is no warehouse yet, and as `DuckDBFile.reading`.
        """
        if not self._file.exists():
            raise UsageError("the warehouse is still empty: run `crypto-assets materialize` first")
        with self._file.reading() as connection:
            there = {name for (name,) in connection.execute(_FOUND_SCHEMAS).fetchall()}
            path = ",".join(["main", *(name for name in _SCHEMAS if name in there)])
            connection.execute(f"SET search_path = '{path}'")  # what SHOW TABLES shows
            connection.execute("SET enable_external_access = false; SET lock_configuration = true")
            yield connection

    @contextmanager
    def _near(
        self, files: Mapping[str, LoadFile]
    ) -> Iterator[tuple[dict[str, LoadFile], dict[str, str]]]:
        """The files on this machine, copied from the bucket, and why others cannot be had."""
        if self.lake is None:
            yield dict(files), {}
            return
        lake, near, lacking = self.lake, dict[str, LoadFile](), dict[str, str]()
        with TemporaryDirectory(dir=Path(self.path).parent, prefix=".load-") as folder:

            def copied(item: tuple[str, LoadFile]) -> None:
                name, file = item
                key = file.uri.removeprefix(lake.uri("")).strip("/")
                try:
                    content = lake.read(key)
                except OSError as error:
                    lacking[name] = f"{file.uri} cannot be read: {error.strerror}"
                    return
                if len(content) != file.size_bytes:
                    lacking[name] = f"{file.uri} is another file than was published"
                    return
                path = Path(folder, key)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                near[name] = replace(file, uri=str(path))

            for _ in lake.for_each(copied, files.items()):
                pass
            yield {name: near[name] for name in files if name in near}, lacking

    @property
    def _file(self) -> DuckDBFile:
        return DuckDBFile(Path(self.path), self.lock_wait_s, _CURE)


def _replace_or_halve(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, LoadFile],
    verdicts: Mapping[str, Mapping[str, Any]],
    present: Collection[str],
) -> tuple[dict[str, dict], dict[str, str]]:
    """As `Warehouse.replace`, in this connection, where views of the names `present` are."""
    import duckdb

    loaded: dict[str, dict] = {}
    problems: dict[str, str] = {}
    halves = [sorted(files)]  # the files are in the order of the rows
    connection.execute(_FOR_FILES)
    while halves:
        tickers = halves.pop()
        part = {ticker: files[ticker] for ticker in tickers}
        try:
            loaded |= _replace(connection, part, verdicts, present)
        except (duckdb.Error, DataError) as error:
            if is_damage(error):
                raise
            if len(tickers) == 1:
                problems[tickers[0]] = str(error).splitlines()[0]
            else:
                middle = len(tickers) // 2
                halves += [tickers[:middle], tickers[middle:]]
    connection.execute(_AS_BEFORE)  # for what this instance of DuckDB changes next
    return loaded, problems


def _replace(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, LoadFile],
    verdicts: Mapping[str, Mapping[str, Any]],
    present: Collection[str],
) -> dict[str, dict]:
    """Replaces these tickers in one transaction; any error leaves them as they were."""
    views = [
        _VIEW.format(view=ticker.lower(), columns=_COLUMNS, ticker=ticker)
        for ticker in files
        if ticker.lower() not in present
    ]
    connection.begin()
    try:
        connection.execute(_DELETE, [list(files)])
        connection.execute(_INSERT, [[file.uri for file in files.values()]])
        found = connection.execute(_SUMMARY, [min(files), max(files)]).fetchall()
        loaded = {
            ticker: {"rows": rows, "first_date": first, "last_date": last}
            for ticker, rows, first, last in found
            if ticker in files
        }
        for ticker, file in files.items():
            if loaded.get(ticker, {}).get("rows") != file.rows:
                raise DataError(f"rows loaded differ from the {file.rows} published")  # noqa: TRY301
        _describe(connection, [verdicts[ticker] for ticker in files if ticker in verdicts])
        # Views that are parsed once and not optimized take two thirds of the time.
        connection.execute("PRAGMA disable_optimizer")
        for statement in connection.extract_statements("".join(views)):
            connection.execute(statement)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.execute("PRAGMA enable_optimizer")
    return loaded


def _describe(
    connection: duckdb.DuckDBPyConnection, currencies: Sequence[Mapping[str, Any]]
) -> None:
    """Replaces what is said of these currencies."""
    connection.execute(_FORGET, [[each["ticker"] for each in currencies]])
    connection.execute(_SAY, [json.dumps(currencies), _TYPES])


def _load_accounts(connection: duckdb.DuckDBPyConnection, files: Sequence[LoadFile]) -> None:
    """Replaces the accounts. Raises `DataError` if not all rows of the files come in."""
    wanted = sum(file.rows for file in files)
    connection.execute("DELETE FROM accounts.customer_accounts")
    if files:
        connection.execute(_INSERT_ACCOUNTS, [[file.uri for file in files]])
    loaded = _count(connection, "SELECT count(*) FROM accounts.customer_accounts")
    if loaded != wanted:
        raise DataError(f"{loaded} rows loaded of {wanted} in the files")


def _count(connection: duckdb.DuckDBPyConnection, sql: str, *values: object) -> int:
    """The one number that a count gives, or a deletion of that many rows."""
    found = connection.execute(sql, list(values)).fetchone()
    return int(found[0]) if found else 0
