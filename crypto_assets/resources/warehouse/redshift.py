"""The warehouse on AWS: Redshift Serverless, loaded from S3 by COPY.

A batch of tickers is one transaction: old rows out, one COPY of all its files, a count of what was
loaded, views for new tickers. So are the customer accounts, which are replaced as a whole. Here is
the SQL and who is at fault when it fails; how statements are run is `data_api`.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.errors import RefusedError, StatementError, UsageError
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.resources.warehouse.data_api import DataApi
from crypto_assets.resources.warehouse.warehouse import LoadFile, Warehouse
from crypto_assets.spark.accounts.tables import CUSTOMER_ACCOUNTS, WAREHOUSE_ACCOUNTS
from crypto_assets.spark.market_data.tables import GOLD, LOAD, PRICES
from crypto_assets.spark.tables import sql_columns

BATCH_TICKERS = 1000  # their INSERT stays well below the 100 KB that a statement may have
REFUSALS = 50  # failing transactions after which the rest of a batch is left as it was
LISTS = "_loads"  # lists of files that are being loaded, below the lake
LISTS_KEPT_S = 86_400  # of a process that was killed: no load takes that long
_TICKER = re.compile(r"[A-Z0-9]{1,20}")
_SCHEMA = "CREATE SCHEMA IF NOT EXISTS market_data"
_TABLE = f"{PRICES.create_sql('redshift')} DISTKEY (ticker) SORTKEY (ticker, date)"
# The ticker that lacks most rows is named: where another has too many, they are in its file.
# Redshift joins no catalog with a table of rows, so the views are looked for one by one.
_PROCEDURE = """
CREATE OR REPLACE PROCEDURE market_data.sp_finish_batch() AS $$
DECLARE
    wrong VARCHAR(20);
    wanted BIGINT;
    loaded BIGINT;
    known INTEGER;
    entry RECORD;
BEGIN
    SELECT b.ticker, b.row_count, COALESCE(p.row_count, 0) INTO wrong, wanted, loaded
    FROM batch b LEFT JOIN (
        SELECT ticker, COUNT(*) AS row_count FROM market_data.prices
        WHERE ticker IN (SELECT ticker FROM batch) GROUP BY ticker
    ) p ON p.ticker = b.ticker
    WHERE COALESCE(p.row_count, 0) <> b.row_count
    ORDER BY COALESCE(p.row_count, 0) - b.row_count LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'ticker=%/: % rows loaded of a file of %', wrong, loaded, wanted;
    END IF;
    FOR entry IN SELECT ticker FROM batch ORDER BY ticker LOOP
        SELECT COUNT(*) INTO known FROM pg_views
        WHERE schemaname = 'market_data' AND viewname = LOWER(entry.ticker);
        IF known = 0 THEN
            EXECUTE 'CREATE VIEW market_data."' || LOWER(entry.ticker) || '" AS '
                || 'SELECT {columns} FROM market_data.prices '
                || 'WHERE ticker = ' || quote_literal(entry.ticker);
        END IF;
    END LOOP;
END;
$$ LANGUAGE plpgsql
""".replace("{columns}", ", ".join(column.name for column in GOLD.file_columns))
_BATCH = "CREATE TEMP TABLE batch (ticker VARCHAR(20), row_count BIGINT)"
_DELETE = "DELETE FROM market_data.prices WHERE ticker IN (SELECT ticker FROM batch)"
_COPY = "COPY market_data.prices FROM '{files}' IAM_ROLE {role} FORMAT AS PARQUET MANIFEST"
_FINISH = "CALL market_data.sp_finish_batch()"
_SUMMARY = """
SELECT ticker, COUNT(*), MIN(date), MAX(date) FROM market_data.prices
WHERE ticker IN (SELECT ticker FROM batch) GROUP BY ticker
"""
_FORGET = "DROP TABLE batch"
_ACCOUNTS_SCHEMA = "CREATE SCHEMA IF NOT EXISTS accounts"
_ACCOUNTS_TABLE = (
    f"{WAREHOUSE_ACCOUNTS.create_sql('redshift')} DISTKEY (account_number) "
    "SORTKEY (created_at_year, account_number)"
)
# The year is in the names of the files' folders, which COPY does not read.
_ARRIVING = (
    f"CREATE TEMP TABLE arriving ({sql_columns(CUSTOMER_ACCOUNTS.file_columns, 'redshift')})"
)
_COPY_ACCOUNTS = "COPY arriving FROM '{files}' IAM_ROLE {role} FORMAT AS PARQUET MANIFEST"
_ALL_ARRIVED = "SELECT 1 / CASE WHEN COUNT(*) = {rows:d} THEN 1 ELSE 0 END FROM arriving"
_DELETE_ACCOUNTS = "DELETE FROM accounts.customer_accounts"
_INSERT_ACCOUNTS = """
INSERT INTO accounts.customer_accounts SELECT arriving.*, EXTRACT(YEAR FROM created_at)
FROM arriving
"""
_COUNT = "SELECT COUNT(*), COUNT(DISTINCT ticker) FROM market_data.prices"
_HAS_SCHEMA = "SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'market_data'"
_ABSENT = re.compile(r"(relation|schema) \"?[\w.\"]+\"? does not exist", re.IGNORECASE)
_COMMON_FAULT = re.compile(
    r"access ?denied|not authorized|permission denied|forbidden|expired ?token|invalidaccesskey",
    re.IGNORECASE,
)
_NO_DATABASE = re.compile(r"database \"[^\"]*\" does not exist")
_NAMED = re.compile(r"ticker(?:=|%3D)([A-Z0-9]{1,20})/", re.IGNORECASE)
_SQL_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<word>[^\W\d]\w*)|"
    r"(?P<other>\S)",
    re.DOTALL,
)
_WRITING = {"INTO", "INSERT", "UPDATE", "DELETE", "MERGE"}


@dataclass(frozen=True, kw_only=True)
class RedshiftWarehouse(Warehouse):
    """A warehouse in a Redshift Serverless workgroup.

    COPY reads S3 with `role_arn`, or with the workgroup's default role if that is empty.
    `objects` are the lake's: the lists of the files to load are put there.
    """

    kind = "redshift"
    storages = frozenset({"s3"})
    loads = LOAD

    aws: Aws
    workgroup: str
    database: str = "dev"
    role_arn: str = ""
    objects: Objects
    poll_seconds: float = 1  # until a statement is first asked after
    time_limit_s: float = 1800  # after that a statement is cancelled

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            aws=Aws.of(settings),
            workgroup=settings.aws.wanted("redshift_workgroup"),
            database=settings.aws.redshift_database,
            role_arn=settings.aws.redshift_role_arn,
            objects=S3Objects.of(settings, "lake"),
        )

    def replace(self, files: Mapping[str, LoadFile]) -> tuple[dict[str, dict], dict[str, str]]:
        good = [ticker for ticker in files if _TICKER.fullmatch(ticker)]
        loaded: dict[str, dict] = {}
        problems = {t: "not a ticker: not loaded" for t in files if t not in set(good)}
        parts = [good[n : n + BATCH_TICKERS] for n in range(0, len(good), BATCH_TICKERS)][::-1]
        refusals = 0
        while parts:
            part = parts.pop()
            try:
                loaded |= self._load({ticker: files[ticker] for ticker in part})
            except StatementError as error:
                refusals += 1
                faulty = _at_fault(error.reason, part)
                problems |= dict.fromkeys(faulty, error.reason)
                left = [ticker for ticker in part if ticker not in faulty]
                if refusals >= REFUSALS:
                    rest = [ticker for waiting in (left, *parts) for ticker in waiting]
                    reason = f"left as it was: {refusals} loads failed, the last: {error.reason}"
                    return loaded, problems | dict.fromkeys(rest, reason)
                middle = 0 if faulty else len(left) // 2
                parts += [half for half in (left[middle:], left[:middle]) if half]
        return loaded, problems

    def remove(self, ticker: str) -> None:
        if not _TICKER.fullmatch(ticker):
            raise UsageError(f"{ticker!r} is no ticker")
        sqls = (
            f"DELETE FROM market_data.prices WHERE ticker = '{ticker}'",  # noqa: S608 - checked
            f'DROP VIEW IF EXISTS market_data."{ticker.lower()}"',
        )
        try:
            self._data.transact(sqls)
        except StatementError as error:
            if not _ABSENT.search(error.reason):
                raise self._refused(error) from error

    def load_accounts(self, files: Sequence[LoadFile]) -> str | None:
        with self._listed(files) as listed:
            sqls = [
                *(_ACCOUNTS_SCHEMA, _ACCOUNTS_TABLE, _ARRIVING),
                _COPY_ACCOUNTS.format(files=_quoted(listed), role=self._role),
                _ALL_ARRIVED.format(rows=sum(file.rows for file in files)),
                *(_DELETE_ACCOUNTS, _INSERT_ACCOUNTS, "DROP TABLE arriving"),
            ]
            try:
                self._data.transact(sqls)
            except StatementError as error:
                if error.number not in {4, 5} or _COMMON_FAULT.search(error.reason):
                    raise self._refused(error) from error
                counted = sqls[error.number - 1].startswith("SELECT 1 / CASE")
                return "rows loaded differ from the files'" if counted else error.reason
        return None

    def forget_customer(self, customer_id: int) -> int:
        own = f"FROM accounts.customer_accounts WHERE customer_id = {customer_id:d}"
        try:
            transaction = self._data.transact((f"SELECT COUNT(*) {own}", f"DELETE {own}"))
        except StatementError as error:
            if _ABSENT.search(error.reason):
                return 0
            raise self._refused(error) from error
        _, rows = self._data.rows(f"{transaction}:1")
        return int(rows[0][0])

    def query(self, sql: str) -> tuple[list[str], list[tuple]]:
        """The columns and rows of one SELECT; anything else is refused before it is sent.

        The Data API opens the transactions itself; none of them can be read-only.
        """
        data, statement = self._data, _single_query(sql)
        try:
            return data.rows(data.execute(statement))
        except StatementError as error:
            if _ABSENT.search(error.reason) and self._is_empty():
                raise UsageError(
                    "the warehouse is still empty: run `crypto-assets materialize` first"
                ) from error
            if _NO_DATABASE.search(error.reason):
                raise self._refused(error) from error
            raise UsageError(error.reason) from error

    def check(self) -> str:
        place = f"database {self.database} of workgroup {self.workgroup}"
        if self._is_empty():
            return f"{place}: empty so far"
        _, rows = self.query(_COUNT)
        return "{}: {:,} rows of {:,} currencies".format(place, *rows[0])

    def _is_empty(self) -> bool:
        """Whether nothing was ever loaded."""
        _, rows = self._data.rows(self._data.execute(_HAS_SCHEMA))
        return rows == [(0,)]

    def _load(self, files: Mapping[str, LoadFile]) -> dict[str, dict]:
        """Replaces these tickers in one transaction; any error leaves them as they were."""
        with self._listed(files.values()) as listed:
            return self._replace(files, listed)

    @contextmanager
    def _listed(self, files: Iterable[LoadFile]) -> Iterator[str]:
        """The URI of a list of files to load, which is there as long as the block lasts."""
        old = time.time() - LISTS_KEPT_S
        self.objects.delete(
            list_.key for list_ in self.objects.below(LISTS) if list_.modified < old
        )
        key = f"{LISTS}/{uuid.uuid4().hex}.json"
        self.objects.write(key, _file_list(files))
        try:
            yield self.objects.uri(key)
        finally:
            with suppress(Exception):  # a later load deletes it
                self.objects.delete([key])

    def _replace(self, files: Mapping[str, LoadFile], listed: str) -> dict[str, dict]:
        entries = ", ".join(f"('{ticker}', {file.rows:d})" for ticker, file in files.items())
        sqls = [
            *(_SCHEMA, _TABLE, _PROCEDURE, _BATCH),
            f"INSERT INTO batch VALUES {entries}",  # noqa: S608 - tickers are checked
            *(_DELETE, _COPY.format(files=_quoted(listed), role=self._role)),
            *(_FINISH, _SUMMARY, _FORGET),
        ]
        try:
            transaction = self._data.transact(sqls)
        except StatementError as error:
            # Only loading and counting depend on the files; no data is to blame for all else.
            if error.number not in {7, 8} or _COMMON_FAULT.search(error.reason):
                raise self._refused(error) from error
            raise
        _, rows = self._data.rows(f"{transaction}:{sqls.index(_SUMMARY) + 1}")
        return {
            ticker: {"rows": count, "first_date": first, "last_date": last}
            for ticker, count, first, last in rows
        }

    def _refused(self, error: StatementError) -> RefusedError:
        cure = "run again; if it stays, look at the workgroup in the AWS console"
        if _COMMON_FAULT.search(error.reason):
            cure = (
                f"grant CREATE on database {self.database} and schema market_data to the database "
                f"user, and s3:GetObject on the lake to {self.role_arn or 'the default role'}"
            )
        elif _NO_DATABASE.search(error.reason):
            cure = "set CRYPTO_ASSETS_AWS_REDSHIFT_DATABASE to one that does"
        return RefusedError(f"Redshift: {error.reason}: {cure}")

    @property
    def _role(self) -> str:
        return f"'{_quoted(self.role_arn)}'" if self.role_arn else "default"

    @cached_property
    def _data(self) -> DataApi:
        client = self.aws.client("redshift-data")
        return DataApi(client, self.workgroup, self.database, self.poll_seconds, self.time_limit_s)


def _file_list(files: Iterable[LoadFile]) -> bytes:
    """The files as COPY wants them, which calls such a list a manifest."""
    entries = [
        {"url": file.uri, "mandatory": True, "meta": {"content_length": file.size_bytes}}
        for file in files
    ]
    return json.dumps({"entries": entries}).encode()


def _at_fault(reason: str, tickers: list[str]) -> list[str]:
    """The tickers that must be why a batch failed: a lone one, or the one Redshift names."""
    if len(tickers) == 1:
        return tickers
    named = {name.upper() for name in _NAMED.findall(reason)}
    return list(named) if len(named) == 1 and named <= set(tickers) else []


def _single_query(sql: str) -> str:
    """The query without a closing semicolon. Raises `UsageError` if it is not one SELECT."""
    query = sql.strip().rstrip(";").rstrip()
    words = [match for match in _SQL_TOKEN.finditer(query) if match.lastgroup]
    bare = [match["word"].upper() for match in words if match["word"]]
    if not bare or words[0]["word"] is None or bare[0] not in {"SELECT", "WITH"}:
        raise UsageError("the warehouse can only be read: write one SELECT")
    # What ends a string or a name elsewhere than here could hide a writing word.
    for odd in (";", "$", "'", '"', "\\"):
        if any(match["other"] == odd for match in words) or (odd == "\\" and "\\'" in query):
            raise UsageError(f"{odd} cannot stand here in a query; one SELECT can be run at a time")
    if writing := sorted(_WRITING.intersection(bare)):
        raise UsageError(
            f"the warehouse can only be read, {writing[0]} writes: quote it if it is a name"
        )
    return query


def _quoted(text: str) -> str:
    return text.replace("'", "''")
