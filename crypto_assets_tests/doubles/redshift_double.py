"""A double of Redshift's Data API: real HTTP, real transactions on a real PostgreSQL, strict.

Requests are validated against botocore's model of the service. Statements run in their own thread
and walk SUBMITTED, PICKED, STARTED to an end. What SQL is accepted and how COPY works is
`redshift_sql`, what is said of a statement `redshift_statement`.
"""

from __future__ import annotations

import functools
import json
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import psycopg
from botocore import loaders, model

from crypto_assets_tests.doubles.model_check import problems
from crypto_assets_tests.doubles.redshift_postgres import add_user, clear, postgres
from crypto_assets_tests.doubles.redshift_sql import (
    STATEMENT_BYTES,
    Copier,
    RedshiftError,
    is_copy,
    refuse,
    translated,
)
from crypto_assets_tests.doubles.redshift_statement import (
    Part,
    Statement,
    column,
    described,
    fail,
    field_of,
)
from crypto_assets_tests.doubles.router import serving
from crypto_assets_tests.helpers.roles import COPY, client_of

ROLE = "arn:aws:iam::123456789012:role/crypto-assets-copy"
OPERATIONS = {
    *("ExecuteStatement", "BatchExecuteStatement", "DescribeStatement"),
    *("GetStatementResult", "CancelStatement"),
}
ENDED = {"FINISHED", "FAILED", "ABORTED"}
REFUSED_REQUESTS = {"ThrottlingException", "ActiveStatementsExceededException"}
FAILURES = {
    "1023": "1023\nDETAIL: Serializable isolation violation on table - 100, transactions forming "
    "the cycle are: 1, 2 (pid:3)",
    "S3 slow down": "S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown",
    "lock": "canceling statement due to lock timeout",
}


class ServiceError(Exception):
    """An answer other than 200."""

    def __init__(self, code: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.body = {"__type": code, "Message": message, **more}


@dataclass
class RedshiftDouble:
    """A workgroup with one database.

    `users` are database users by the access key of the identity that each is made of; whoever else
    asks is a superuser, as who makes a namespace is.
    """

    postgres: str
    copier: Copier
    url: str = ""
    workgroup: str = "analytics"
    database: str = "dev"
    delay_s: float = 0.02
    page_rows: int = 100
    calls: Counter[str] = field(default_factory=Counter)
    statements: dict[str, Statement] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    _faults: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail_next(self, fault: str, times: int = 1, operation: str = "") -> None:
        """Makes the next statements fail or hang, or the next requests to start one refused.

        With `operation`, only those that it starts.
        """
        assert fault in {*FAILURES, *REFUSED_REQUESTS, "hang"}
        self._faults += [(fault, operation)] * times

    def add_user(self, name: str, key: str) -> None:
        """A database user without rights of its own; only who owns a procedure may call it."""
        add_user(self.postgres, name)
        self.users[key] = name

    def connect(self) -> psycopg.Connection:
        """A connection of somebody else, who reads what is committed."""
        return psycopg.connect(self.postgres, autocommit=True)

    def reset(self) -> None:
        """An empty warehouse that has seen nothing."""
        for statement in self.statements.values():
            statement.cancelled.set()
        clear(self.postgres, self.users.values())
        self.users.clear()
        self.calls.clear()
        self.statements.clear()
        self._faults.clear()
        self.copier.damaged = ""

    def answer(self, operation: str, request: dict[str, Any], key: str = "") -> dict[str, Any]:
        if operation not in OPERATIONS:
            raise ServiceError("UnknownOperationException", operation)
        self.calls[operation] += 1
        if wrong := problems(request, _service().operation_model(operation).input_shape):
            raise ServiceError("ValidationException", "; ".join(wrong))
        if operation.endswith("ExecuteStatement"):
            return self._start(operation, request, self.users.get(key))
        identifier, _, number = request["Id"].partition(":")
        statement = self.statements.get(identifier)
        if statement is None or (number and not 1 <= int(number) <= len(statement.parts)):
            raise ServiceError(
                "ResourceNotFoundException", "Query does not exist.", ResourceId=request["Id"]
            )
        if operation == "CancelStatement":
            return self._cancel(statement)
        if operation == "DescribeStatement":
            return described(statement)
        return self._result(statement, number, request)

    def _start(self, operation: str, request: dict[str, Any], user: str | None) -> dict[str, Any]:
        batch = operation == "BatchExecuteStatement"
        sqls = request["Sqls"] if batch else [request["Sql"]]
        if any(len(sql.encode()) > STATEMENT_BYTES for sql in sqls):
            raise ServiceError("ValidationException", "Query text is longer than 100 KB.")
        if request.get("WorkgroupName") != self.workgroup:
            raise ServiceError(
                "ValidationException", "Redshift endpoint doesn't exist in this region."
            )
        if "Database" not in request:
            raise ServiceError("ValidationException", "Database must be given.")
        with self._lock:
            fault = self._fault(operation)
            if fault in REFUSED_REQUESTS:
                raise ServiceError(fault, "made by the double")
            statement = self._same(request)
            if statement is None:
                parts = [Part(sql) for sql in sqls]
                statement = Statement(str(uuid.uuid4()), parts, batch, request, time.time(), user)
                self.statements[statement.id] = statement
                threading.Thread(target=self._run, args=(statement, fault), daemon=True).start()
        return {
            "Id": statement.id,
            "CreatedAt": statement.created,
            "Database": request["Database"],
            "WorkgroupName": self.workgroup,
        }

    def _fault(self, operation: str) -> str:
        """What is to happen to a statement that starts now."""
        for place, (fault, wanted) in enumerate(self._faults):
            if wanted in ("", operation):
                del self._faults[place]
                return fault
        return ""

    def _same(self, request: dict[str, Any]) -> Statement | None:
        """The statement that was started with this token."""
        token = request.get("ClientToken")
        for statement in self.statements.values() if token else ():
            if statement.request.get("ClientToken") == token:
                if statement.request != request:
                    raise ServiceError("ValidationException", "ClientToken was used for another.")
                return statement
        return None

    def _run(self, statement: Statement, fault: str) -> None:
        for status in ("SUBMITTED", "PICKED", "STARTED"):
            statement.status = status
            if statement.cancelled.wait(self.delay_s):
                self._abort(statement)
                return
        if fault == "hang":
            statement.cancelled.wait()
            self._abort(statement)
            return
        if statement.request["Database"] != self.database:
            name = statement.request["Database"]
            fail(statement, f'FATAL: database "{name}" does not exist')
            return
        with psycopg.connect(self.postgres, user=statement.user) as connection:
            statement.connection = connection
            connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            self._transact(statement, connection, fault)

    def _transact(self, statement: Statement, connection: psycopg.Connection, fault: str) -> None:
        part = statement.parts[0]
        try:
            for part in statement.parts:
                part.status = "STARTED"
                self._execute(part, connection.cursor(), batch=statement.batch)
                part.status = "FINISHED"
            if fault:
                raise RedshiftError(FAILURES[fault])  # noqa: TRY301 - as a commit would
            connection.commit()
            statement.status = "FINISHED"
        except (psycopg.Error, RedshiftError) as error:
            connection.rollback()
            if statement.cancelled.is_set():
                self._abort(statement)
                return
            part.status, part.error = "FAILED", f"ERROR: {_words(error)}"
            number = statement.parts.index(part) + 1
            prefix = f"Query #{number} failed with " if statement.batch else ""
            fail(statement, prefix + part.error)

    def _execute(self, part: Part, cursor: psycopg.Cursor, *, batch: bool) -> None:
        if is_copy(part.sql):
            self.copier.run(cursor, part.sql)
            return
        refuse(part.sql, batch=batch)
        cursor.execute(translated(part.sql).encode(), prepare=False)
        if cursor.description is not None:
            part.columns = [column(found) for found in cursor.description]
            part.rows = cursor.fetchall()

    def _abort(self, statement: Statement) -> None:
        statement.status = "ABORTED"
        for part in statement.parts:
            part.status = "ABORTED"

    def _cancel(self, statement: Statement) -> dict[str, Any]:
        if statement.status in ENDED:
            raise ServiceError(
                "ValidationException",
                f"Could not cancel a query that is already in {statement.status} state with ID: "
                f"{statement.id}",
            )
        statement.cancelled.set()
        while statement.status not in ENDED:  # PostgreSQL forgets it between two statements
            if statement.connection:
                statement.connection.cancel()
            time.sleep(0.01)
        return {"Status": True}

    def _result(self, statement: Statement, number: str, request: dict[str, Any]) -> dict[str, Any]:
        part = statement.parts[int(number or 1) - 1]
        none = statement.status != "FINISHED" or part.columns is None
        if none or (statement.batch and not number):
            raise ServiceError(
                "ResourceNotFoundException",
                "Query does not have result. Please check query status with DescribeStatement.",
                ResourceId=request["Id"],
            )
        token = re.fullmatch(r"page-(\d+)", request.get("NextToken", "page-0"))
        if not token:
            raise ServiceError("ValidationException", "NextToken is not valid.")
        start = int(token[1]) * self.page_rows
        page = {
            "ColumnMetadata": part.columns,
            "TotalNumRows": len(part.rows),
            "Records": [
                [field_of(value) for value in row]
                for row in part.rows[start : start + self.page_rows]
            ],
        }
        if start + self.page_rows < len(part.rows):
            page["NextToken"] = f"page-{int(token[1]) + 1}"
        return page


def _words(error: Exception) -> str:
    """PostgreSQL's error in Redshift's words."""
    conflict = isinstance(error, psycopg.errors.SerializationFailure)
    if conflict or "concurrently updated" in str(error):
        return FAILURES["1023"]
    if isinstance(error, psycopg.Error):
        words = re.sub(r'^role (".*" does not exist)', r"user \1", error.diag.message_primary or "")
        return re.sub(
            "^permission denied for (table|view)", "permission denied for relation", words
        )
    return str(error)


@functools.cache
def _service() -> model.ServiceModel:
    return model.ServiceModel(loaders.Loader().load_service_model("redshift-data", "service-2"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    double: RedshiftDouble

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prefix, _, operation = self.headers["X-Amz-Target"].partition(".")
        try:
            name = operation if prefix == "RedshiftData" else prefix
            key = re.search("Credential=([^/]+)", self.headers["Authorization"])
            status, answer = 200, self.double.answer(name, request, key[1] if key else "")
        except ServiceError as error:
            status, answer = 400, error.body
        body = json.dumps(answer).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing: what was asked is in `RedshiftDouble.calls`."""


@contextmanager
def serving_redshift(s3_url: str) -> Iterator[RedshiftDouble]:
    """A workgroup that reads S3 at this address."""
    s3 = client_of(COPY, s3_url, "s3")
    with postgres() as address:
        double = RedshiftDouble(address, Copier(s3, ROLE))
        with serving(type("Handler", (_Handler,), {"double": double})) as url:
            double.url = url
            yield double
