"""Redshift's Data API: runs statements in one transaction, waits for them, reads their results.

What goes wrong becomes one of four exceptions: `StatementError` (this SQL), `RefusedError` (no SQL:
permissions, names), `BusyError` and its `ConflictError`, which is tried again here. Which SQL is
run is in `redshift`.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crypto_assets.resources.aws import aws_errors, error_code, one_line
from crypto_assets.resources.errors import (
    BusyError,
    ConflictError,
    StatementError,
    UsageError,
)

TRIES = 6
_LONGEST_POLL_S = 10
_CONFLICT = re.compile(
    r"\bERROR:\s*1023\b|serializable isolation violation|lock timeout|deadlock detected|"
    r"concurrent transaction|concurrently updated|S3ServiceException.*(Status 50[03]|SlowDown)|"
    r"requested abort|terminating connection",
    re.IGNORECASE,
)
_CROWDED = {"ActiveStatementsExceededException", "ActiveSessionsExceededException"}
_TYPES: dict[str, Callable[[str], Any]] = {
    "date": date.fromisoformat,
    "numeric": Decimal,
    "timestamp": datetime.fromisoformat,
    "timestamptz": datetime.fromisoformat,
}
_SQL_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<word>[^\W\d]\w*)|"
    r"(?P<other>\S)",
    re.DOTALL,
)
_SHOW_TABLES = re.compile(r"SHOW\s+TABLES", re.IGNORECASE)
# Redshift's own statement wants a database and a schema.
_TABLES = """
SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
WHERE table_schema IN ('market_data', 'accounts') ORDER BY 1, 2
"""
_WRITING = {"INTO", "INSERT", "UPDATE", "DELETE", "MERGE"}


@dataclass(frozen=True)
class DataApi:
    """Statements on one database of a Redshift Serverless workgroup."""

    client: Any
    workgroup: str
    database: str
    poll_seconds: float
    time_limit_s: float

    def transact(self, sqls: Sequence[str]) -> str:
        """Runs the statements as one transaction and returns its id; that of the nth is `id:n`.

        A conflict with other transactions is tried again, `TRIES` times in all.
        """
        return self._trying(self.client.batch_execute_statement, Sqls=list(sqls))

    def execute(self, sql: str) -> str:
        """Runs a single statement, as `transact` does, and returns its id."""
        return self._trying(self.client.execute_statement, Sql=sql)

    def rows(self, statement: str) -> tuple[list[str], list[tuple]]:
        """The columns and all rows of the result of a statement that has finished."""
        columns: list[Mapping[str, Any]] = []
        rows: list[tuple] = []
        with self._asking():
            for page in self.client.get_paginator("get_statement_result").paginate(Id=statement):
                columns = columns or page["ColumnMetadata"]
                types = [column["typeName"] for column in columns]
                rows += [tuple(map(_value, record, types)) for record in page["Records"]]
        return [column["label"] for column in columns], rows

    def _trying(self, start: Callable[..., Mapping[str, Any]], **statements: Any) -> str:
        from tenacity import (
            Retrying,
            retry_if_exception_type,
            stop_after_attempt,
            wait_random_exponential,
        )

        retrying = Retrying(
            retry=retry_if_exception_type(ConflictError),
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=self.poll_seconds, max=30),
            reraise=True,
        )
        return retrying(self._run, start, **statements)

    def _run(self, start: Callable[..., Mapping[str, Any]], **statements: Any) -> str:
        with self._asking():
            # The token makes boto3's own repetitions of this request one statement.
            statement: str = start(
                **statements,
                WorkgroupName=self.workgroup,
                Database=self.database,
                ClientToken=uuid.uuid4().hex,
            )["Id"]
        ended = False
        try:
            described = self._wait(statement)
            ended = True
        finally:
            if not ended:
                self._cancel(statement)
        if described["Status"] == "FAILED":
            raise _failure(described)
        if described["Status"] == "ABORTED":
            raise BusyError("the statement was cancelled in Redshift: run again")
        return statement

    def _wait(self, statement: str) -> Mapping[str, Any]:
        """What became of a statement. Raises `BusyError` when it takes too long."""
        deadline, pause = time.monotonic() + self.time_limit_s, self.poll_seconds
        while True:
            with self._asking():
                described = self.client.describe_statement(Id=statement)
            if described["Status"] in {"FINISHED", "FAILED", "ABORTED"}:
                return described
            if time.monotonic() + pause > deadline:
                raise BusyError(
                    f"Redshift has not ended within {self.time_limit_s:g} s and was cancelled: "
                    "run again, or look at what else its workgroup does"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, max(_LONGEST_POLL_S, self.poll_seconds))

    def _cancel(self, statement: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        with suppress(BotoCoreError, ClientError):  # it ended meanwhile, or cannot be reached
            self.client.cancel_statement(Id=statement)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Says in our words what the service answers."""
        workgroup = f"workgroup {self.workgroup}"
        permission = (
            f"allow redshift-data:* and redshift-serverless:GetCredentials on {workgroup}, as "
            "deploy/iam/orchestrator.json does"
        )
        name = (
            "set CRYPTO_ASSETS_AWS_REDSHIFT_WORKGROUP and _REGION to a workgroup that is there "
            f"(now {self.workgroup})"
        )
        try:
            with aws_errors(permission=permission, name=name):
                yield
        except BusyError as busy:
            if error_code(busy.__cause__) in _CROWDED:
                raise ConflictError(str(busy)) from busy.__cause__
            raise


def _failure(described: Mapping[str, Any]) -> Exception:
    """Which statement failed and why, in one line."""
    parts = list(enumerate(described.get("SubStatements", ()), 1))
    failed = next(((n, part) for n, part in parts if part["Status"] == "FAILED"), None)
    number, part = failed or (None, described)
    text = part.get("Error") or described.get("Error") or "no reason given"
    if _CONFLICT.search(text):
        tried = f"it was tried {TRIES} times: run again later"
        return ConflictError(f"Redshift: {_line(text)}; {tried}")
    return StatementError(_line(text), number)


def _line(text: str) -> str:
    """Redshift's words as one line, without rules, process ids or the query of a signed URL."""
    first, *more = (line.strip() for line in text.splitlines() if line.strip(" -"))
    context = [line.removeprefix("context:").strip() for line in more if "context:" in line]
    detail = [line for line in more if line.startswith("DETAIL:")]
    line = re.sub(r"^(Query #\d+ failed with )?(ERROR:\s*)?", "", first)
    line = re.sub(r"\s*Detail:\s*$", "", line)
    return one_line(": ".join([line, *context, *detail]))


def _value(field: Mapping[str, Any], type_name: str) -> Any:
    if field.get("isNull"):
        return None
    (value,) = field.values()
    return _TYPES[type_name](value) if type_name in _TYPES else value


def single_query(sql: str) -> str:
    """The query without a closing semicolon; `SHOW TABLES` as one of the catalog.

    Raises `UsageError` if it is not one SELECT.
    """
    query = sql.strip().rstrip(";").rstrip()
    if _SHOW_TABLES.fullmatch(query):
        return _TABLES
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
