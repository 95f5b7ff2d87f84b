"""One statement of the double of Redshift: what became of it, as the Data API describes it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import psycopg

_TYPE_NAMES = {
    "bool": (16,),
    "int8": (20,),
    "int2": (21,),
    "int4": (23,),
    "float8": (701,),
    "varchar": (25, 1043, 705),
    "name": (19,),
    "bpchar": (1042,),
    "date": (1082,),
    "timestamp": (1114,),
    "timestamptz": (1184,),
    "numeric": (1700,),
}


@dataclass
class Part:
    """One SQL of a statement: what became of it."""

    sql: str
    status: str = "SUBMITTED"
    error: str = ""
    columns: list[dict[str, Any]] | None = None
    rows: list[tuple] = field(default_factory=list)


@dataclass
class Statement:
    """What one call of (Batch)ExecuteStatement started."""

    id: str
    parts: list[Part]
    batch: bool
    request: dict[str, Any]
    created: float
    user: str | None = None
    status: str = "SUBMITTED"
    error: str = ""
    cancelled: threading.Event = field(default_factory=threading.Event)
    connection: psycopg.Connection | None = None


def fail(statement: Statement, error: str) -> None:
    for part in statement.parts:
        if part.status not in {"FINISHED", "FAILED"}:
            part.status = "ABORTED"
    statement.error = error
    statement.status = "FAILED"


def described(statement: Statement) -> dict[str, Any]:
    answer = {
        "Id": statement.id,
        "Status": statement.status,
        "CreatedAt": statement.created,
        "UpdatedAt": time.time(),
        "Database": statement.request["Database"],
        "WorkgroupName": statement.request["WorkgroupName"],
        "HasResultSet": any(part.columns is not None for part in statement.parts),
        **({"Error": statement.error} if statement.error else {}),
    }
    if not statement.batch:
        return {**answer, "QueryString": statement.parts[0].sql}
    parts = [
        {
            "Id": f"{statement.id}:{number}",
            "Status": part.status,
            "QueryString": part.sql,
            "HasResultSet": part.columns is not None,
            **({"Error": part.error} if part.error else {}),
        }
        for number, part in enumerate(statement.parts, 1)
    ]
    return {**answer, "SubStatements": parts}


def column(found: psycopg.Column) -> dict[str, Any]:
    (name,) = [name for name, codes in _TYPE_NAMES.items() if found.type_code in codes]
    return {"name": found.name, "label": found.name, "typeName": name, "nullable": 1}


def field_of(value: object) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    for kind, name in ((bool, "booleanValue"), (int, "longValue"), (float, "doubleValue")):
        if isinstance(value, kind):
            return {name: value}
    return {"stringValue": str(value)}
