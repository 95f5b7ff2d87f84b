"""The warehouse on AWS: Redshift Serverless, loaded from S3 by COPY.

A batch of tickers is one transaction: old rows out, one COPY of all its files, a count of what was
loaded, views for new tickers. So are the customer accounts, which are replaced as a whole. Here is
the SQL and who is at fault when it fails; how statements are run is `data_api`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.errors import RefusedError, StatementError, UsageError
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.resources.warehouse.copy_lists import CopyLists
from crypto_assets.resources.warehouse.currencies import (
    ARRIVING_VERDICTS,
    COPY_VERDICTS,
    REPLACE_VERDICTS,
    as_parquet,
)
from crypto_assets.resources.warehouse.data_api import DataApi, single_query
from crypto_assets.resources.warehouse.redshift_setup import (
    ACCOUNTS,
    AGAIN,
    MARKET_DATA,
    NO_DATABASE,
    PARTS,
    Setup,
    is_denied,
    refusal,
)
from crypto_assets.resources.warehouse.warehouse import NO_VERDICTS, LoadFile, Warehouse
from crypto_assets.spark.accounts.tables import CUSTOMER_ACCOUNTS
from crypto_assets.spark.market_data.tables import LOAD
from crypto_assets.spark.tables import Table, sql_columns

BATCH_TICKERS = 1000  # their INSERT stays well below the 100 KB that a statement may have
REFUSALS = 50  # failing transactions after which the rest of a batch is left as it was
CHECK_LIMIT_S = 60  # of the check before a job: a slower workgroup is left to the load
_TICKER = re.compile(r"[A-Z0-9]{1,20}")
_BATCH = "CREATE TEMP TABLE batch (ticker VARCHAR(20), row_count BIGINT)"
_DELETE = "DELETE FROM market_data.prices WHERE ticker IN (SELECT ticker FROM batch)"
_COPY = "COPY market_data.prices FROM '{files}' IAM_ROLE {role} FORMAT AS PARQUET MANIFEST"
_FINISH = "CALL market_data.sp_finish_batch()"
_SUMMARY = """
SELECT ticker, COUNT(*), MIN(date), MAX(date) FROM market_data.prices
WHERE ticker IN (SELECT ticker FROM batch) GROUP BY ticker
"""
_FORGET = "DROP TABLE batch"
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
# Loads of nothing: they need all rights that those of files need.
_NOTHING = "INSERT INTO {0} SELECT * FROM {0} WHERE 1 = 0"
_REHEARSALS = {
    MARKET_DATA: (
        *(_BATCH, _DELETE, *map(_NOTHING.format, MARKET_DATA.table_names), _FINISH, _FORGET),
        "DELETE FROM market_data.last_verdicts WHERE 1 = 0",
    ),
    ACCOUNTS: (
        f"{_DELETE_ACCOUNTS} WHERE 1 = 0",
        *map(_NOTHING.format, ACCOUNTS.table_names),
    ),
}
_COUNT = "SELECT COUNT(*), COUNT(DISTINCT ticker) FROM market_data.prices"
_ABSENT = re.compile(r"(relation|schema) \"?[\w.\"]+\"? does not exist", re.IGNORECASE)
_COMMON_FAULT = re.compile(
    r"access ?denied|not authorized|permission denied|must be owner|forbidden|expired ?token|"
    r"invalidaccesskey",
    re.IGNORECASE,
)
_NAMED = re.compile(r"ticker(?:=|%3D)([A-Z0-9]{1,20})/", re.IGNORECASE)


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

    def replace(
        self,
        files: Mapping[str, LoadFile],
        verdicts: Mapping[str, Mapping[str, Any]] = NO_VERDICTS,
    ) -> tuple[dict[str, dict], dict[str, str]]:
        good = [ticker for ticker in files if _TICKER.fullmatch(ticker)]
        if good:
            self._setup.prepare(MARKET_DATA)
        loaded: dict[str, dict] = {}
        problems = {t: "not a ticker: not loaded" for t in files if t not in set(good)}
        parts = [good[n : n + BATCH_TICKERS] for n in range(0, len(good), BATCH_TICKERS)][::-1]
        refusals = 0
        while parts:
            part = parts.pop()
            try:
                loaded |= self._load({ticker: files[ticker] for ticker in part}, verdicts)
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
        if self._is_empty():
            return
        self._setup.prepare(MARKET_DATA)
        sqls = (
            *(
                f"DELETE FROM {name} WHERE ticker = '{ticker}'"  # noqa: S608 - checked
                for name in MARKET_DATA.table_names
            ),
            f"CALL market_data.sp_drop_view('{ticker}')",
        )
        try:
            self._data.transact(sqls)
        except StatementError as error:
            raise self._refused(error) from error

    def describe(self, currencies: Sequence[Mapping[str, Any]]) -> None:
        if not currencies:
            return
        self._setup.prepare(MARKET_DATA)
        with self._describing(currencies) as sqls:
            try:
                self._data.transact(sqls)
            except StatementError as error:
                raise self._refused(error) from error

    def load_accounts(self, files: Sequence[LoadFile]) -> str | None:
        self._setup.prepare(ACCOUNTS)
        with self._lists.of(files) as listed:
            sqls = [
                _ARRIVING,
                _COPY_ACCOUNTS.format(files=_quoted(listed), role=self._role),
                _ALL_ARRIVED.format(rows=sum(file.rows for file in files)),
                *(_DELETE_ACCOUNTS, _INSERT_ACCOUNTS, "DROP TABLE arriving"),
            ]
            try:
                self._data.transact(sqls)
            except StatementError as error:
                if error.number not in {2, 3} or _COMMON_FAULT.search(error.reason):
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
        """The columns and rows of one SELECT, or of SHOW TABLES; all else is refused, not sent.

        The Data API opens the transactions itself; none of them can be read-only.
        """
        data, statement = self._data, single_query(sql)
        try:
            return data.rows(data.execute(statement))
        except StatementError as error:
            if _ABSENT.search(error.reason) and self._is_empty():
                raise UsageError(
                    "the warehouse is still empty: run `crypto-assets materialize` first"
                ) from error
            if NO_DATABASE.search(error.reason):
                raise self._refused(error) from error
            raise UsageError(error.reason) from error

    def check(self) -> str:
        place = f"database {self.database} of workgroup {self.workgroup}"
        if not self._setup.check(_REHEARSALS):
            return f"{place}: empty so far"
        _, rows = self.query(_COUNT)
        return "{}: {:,} rows of {:,} currencies".format(place, *rows[0])

    def check_load(self, table: Table) -> None:
        if table in self._checked:
            return
        (part,) = (part for part in PARTS if table.path in part.table_names)
        limit_s = min(CHECK_LIMIT_S, self.time_limit_s)
        setup = replace(self._setup, data=replace(self._data, time_limit_s=limit_s))
        setup.check({part: _REHEARSALS[part]}, quick=True)
        self._checked.add(table)

    def fix(self, publishers: Sequence[str], show: Callable[[str], None]) -> None:
        self._setup.fix(publishers, show)

    def _is_empty(self) -> bool:
        """Whether nothing was ever loaded."""
        return MARKET_DATA.schema not in self._setup.look().owners

    def _load(
        self, files: Mapping[str, LoadFile], verdicts: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, dict]:
        """Replaces these tickers in one transaction; any error leaves them as they were."""
        known = [verdicts[ticker] for ticker in files if ticker in verdicts]
        with self._lists.of(files.values()) as listed, self._describing(known) as describing:
            return self._replace(files, listed, describing)

    @contextmanager
    def _describing(self, currencies: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
        """The statements that replace what is said of these currencies, valid in the block."""
        if not currencies:
            yield []
            return
        with self._lists.of_content(as_parquet(currencies), len(currencies)) as listed:
            copy = COPY_VERDICTS.format(files=_quoted(listed), role=self._role)
            yield [ARRIVING_VERDICTS, copy, *REPLACE_VERDICTS]

    def _replace(
        self, files: Mapping[str, LoadFile], listed: str, describing: Sequence[str]
    ) -> dict[str, dict]:
        entries = ", ".join(f"('{ticker}', {file.rows:d})" for ticker, file in files.items())
        sqls = [
            _BATCH,
            f"INSERT INTO batch VALUES {entries}",  # noqa: S608 - tickers are checked
            *(_DELETE, _COPY.format(files=_quoted(listed), role=self._role)),
            *(_FINISH, _SUMMARY, _FORGET, *describing),
        ]
        try:
            transaction = self._data.transact(sqls)
        except StatementError as error:
            # Only loads and the count depend on what is loaded; no data is to blame for all else.
            if error.number not in {4, 5, 9} or _COMMON_FAULT.search(error.reason):
                raise self._refused(error) from error
            raise
        _, rows = self._data.rows(f"{transaction}:{sqls.index(_SUMMARY) + 1}")
        return {
            ticker: {"rows": count, "first_date": first, "last_date": last}
            for ticker, count, first, last in rows
        }

    def _refused(self, error: StatementError) -> RefusedError:
        cure = AGAIN
        if is_denied(error):
            cure = "run `crypto-assets doctor`, which says who has to grant it"
        elif _COMMON_FAULT.search(error.reason):
            cure = f"allow s3:GetObject on the lake to {self.role_arn or 'the default role'}"
        return refusal(error, cure)

    @property
    def _role(self) -> str:
        return f"'{_quoted(self.role_arn)}'" if self.role_arn else "default"

    @cached_property
    def _checked(self) -> set[Table]:
        """The tables whose loads were found to be possible."""
        return set()

    @property
    def _lists(self) -> CopyLists:
        return CopyLists(self.objects)

    @cached_property
    def _setup(self) -> Setup:
        return Setup(self._data, self.database)

    @cached_property
    def _data(self) -> DataApi:
        client = self.aws.client("redshift-data")
        return DataApi(client, self.workgroup, self.database, self.poll_seconds, self.time_limit_s)


def _at_fault(reason: str, tickers: list[str]) -> list[str]:
    """The tickers that must be why a batch failed: a lone one, or the one Redshift names."""
    if len(tickers) == 1:
        return tickers
    named = {name.upper() for name in _NAMED.findall(reason)}
    return list(named) if len(named) == 1 and named <= set(tickers) else []


def _quoted(text: str) -> str:
    return text.replace("'", "''")
