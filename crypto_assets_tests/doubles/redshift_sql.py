"""Redshift's SQL on PostgreSQL: what is refused, what is translated, and COPY from a manifest.

Strict where we rely on it: what Redshift's documentation does not have is an error here though
PostgreSQL has it. How statements are sent and waited for is `redshift_double`.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError
from psycopg import Cursor

STATEMENT_BYTES = 100_000
_CONTEXT_CHARACTERS = 120  # Redshift cuts the context of a Spectrum error short
_COPY = re.compile(
    r"COPY\s+(?P<table>[\w.]+)\s+FROM\s+'(?P<uri>s3://[^']+)'\s+"
    r"IAM_ROLE\s+(?:'(?P<role>[^']*)'|default)\s+FORMAT\s+(?:AS\s+)?PARQUET\s+MANIFEST",
    re.IGNORECASE,
)
_UNKNOWN_TO_REDSHIFT = {
    "VALUES lists as tables": r"(FROM|JOIN|AS)\s*\(\s*VALUES\b",
    "arrays": r"\bARRAY\s*\[|\[\s*\]|\bunnest\b|\bFOREACH\b|\bANY\s*\(\s*\$",
    "ON CONFLICT": r"\bON\s+CONFLICT\b",
    "RETURNING": r"\bRETURNING\b",
    "indexes": r"\bCREATE\s+(UNIQUE\s+)?INDEX\b",
    "triggers": r"\bCREATE\s+TRIGGER\b",
    "FILTER": r"\bFILTER\s*\(",
    "LATERAL": r"\bLATERAL\b",
    "DO": r"^\s*DO\b",
    "PERFORM": r"\bPERFORM\b",
    "EXECUTE with USING": r"\bEXECUTE\b[^;]*\bUSING\b",
    "IF NOT EXISTS here": r"\b(VIEW|COLUMN|USER|GROUP|PROCEDURE)\s+IF\s+NOT\s+EXISTS\b",
    "IF EXISTS here": r"\bDROP\s+PROCEDURE\s+IF\s+EXISTS\b",
    "this function": r"\b(string_agg|array_agg|format|generate_series|regexp_split_to_\w+)\s*\(",
    "this type": r"\b(bytea|jsonb?|uuid|serial|bigserial|money|text\[\])\b",
}
_CATALOG = re.compile(
    r"\b(pg_views|pg_class|pg_namespace|pg_tables|information_schema)\b", re.IGNORECASE
)
_TABLE_OF_ROWS = re.compile(r"\bmarket_data\.prices\b|\bFROM\s+batch\b", re.IGNORECASE)
_TRANSLATED = (
    (r"\bDISTSTYLE\s+(AUTO|EVEN|ALL|KEY)\b", ""),
    (r"\bDISTKEY\s*\(\s*\w+\s*\)", ""),
    (r"\b(COMPOUND\s+|INTERLEAVED\s+)?SORTKEY\s*\([^)]*\)", ""),
    (r"\bENCODE\s+\w+", ""),
    (r"\bVARCHAR\s*\(\s*MAX\s*\)", "VARCHAR(65535)"),
)
_PARQUET = {
    "character varying": ("BYTE_ARRAY", "STRING"),
    "date": ("INT32", "DATE"),
    "double precision": ("DOUBLE", "NONE"),
    "real": ("FLOAT", "NONE"),
    "bigint": ("INT64", "NONE"),
    "integer": ("INT32", "NONE"),
    "timestamp without time zone": ("INT64", "TIMESTAMP"),
}


class RedshiftError(Exception):
    """An error in Redshift's words."""


@dataclass
class Copier:
    """Does COPY: reads a manifest and its Parquet files from S3 with this client.

    Files whose address has the text `damaged` in it are no Parquet when they arrive.
    """

    s3: Any
    role_arn: str
    damaged: str = ""

    def run(self, cursor: Cursor, sql: str) -> int:
        """Loads the files into the table within the cursor's transaction; returns the rows."""
        match = _COPY.fullmatch(sql.strip())
        if not match:
            raise RedshiftError(f'syntax error in COPY: "{sql.strip()[:80]}"')
        if match["role"] is not None and match["role"] != self.role_arn:
            raise RedshiftError(
                f"User arn:aws:redshift:eu-central-1:123456789012:dbuser:serverless/IAM:etl is not "
                f"authorized to assume IAM Role {match['role']}"
            )
        columns = _columns(cursor, match["table"])
        tables = [self._file(entry, columns) for entry in _entries(self._object(match["uri"]))]
        rows = 0
        with cursor.copy(f"COPY {match['table']} FROM STDIN") as copy:
            for table in tables:
                for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
                    copy.write_row(row)
                rows += len(table)
        return rows

    def _object(self, uri: str) -> bytes:
        parts = urlsplit(uri)
        try:
            answer = self.s3.get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise _spectrum(uri, f": S3ServiceException:{code},Status {status}") from error
        return answer["Body"].read()

    def _file(self, entry: dict[str, Any], columns: list[tuple[str, str, int | None]]) -> pa.Table:
        uri = entry["url"]
        content = self._object(uri)
        length = entry.get("meta", {}).get("content_length")
        if length is None:
            raise RedshiftError(f"manifest entry without meta.content_length: {uri}")
        if length != len(content):
            raise _spectrum(uri, f" has {len(content)} bytes, content_length is {length}")
        if self.damaged and self.damaged in uri:
            content = content[::-1]
        try:
            file = pq.ParquetFile(io.BytesIO(content))
            types = [
                (column.physical_type, column.logical_type.type)
                for column in (file.schema.column(i) for i in range(len(file.schema)))
            ]
            table = file.read()
        except (pa.ArrowInvalid, OSError) as error:
            raise _spectrum(uri, " has an invalid version number.") from error
        if len(types) != len(columns):
            raise _spectrum(
                uri, f" has {len(types)} columns, the table to load has {len(columns)}."
            )
        for number, ((name, wanted, limit), found) in enumerate(zip(columns, types, strict=True)):
            if _PARQUET[wanted] != found:
                raise _spectrum(
                    uri,
                    f" has an incompatible Parquet schema for column '{uri}.{name}'. "
                    f"Column type: {wanted.upper()}, Parquet schema: {found[0].lower()}",
                )
            if limit is not None and any(
                len(text.encode()) > limit for text in table[number].drop_null().to_pylist()
            ):
                raise _spectrum(uri, f": the data of {name} is longer than the column")
        return table


def refuse(sql: str, *, batch: bool) -> None:
    """Raises `RedshiftError` for what Redshift has not, or not inside a batch's transaction."""
    bare = re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL))
    for what, pattern in _UNKNOWN_TO_REDSHIFT.items():
        if found := re.search(pattern, bare, re.IGNORECASE):
            raise RedshiftError(f'{what} not supported at or near "{found[0].strip()}"')
    if "$$" not in bare and ";" in bare.strip().rstrip(";"):
        raise RedshiftError("cannot insert multiple commands into a prepared statement")
    if batch and re.match(
        r"\s*(TRUNCATE|BEGIN|START|COMMIT|END|ROLLBACK|VACUUM)\b", bare, re.IGNORECASE
    ):
        raise RedshiftError(f"{bare.split()[0]} ends the transaction of a batch")
    if batch and re.search(r"\bALTER\s+TABLE\b.*\bAPPEND\b", bare, re.IGNORECASE | re.DOTALL):
        raise RedshiftError("ALTER TABLE APPEND cannot run inside a transaction block")
    for statement in re.split(r";|\b(?:LOOP|THEN|BEGIN)\b", bare, flags=re.IGNORECASE):
        if _CATALOG.search(statement) and _TABLE_OF_ROWS.search(statement):
            raise RedshiftError(
                "Specified types or functions (one per INFO message) not supported on Redshift "
                "tables."
            )


def translated(sql: str) -> str:
    """The statement without Redshift's own words of DDL."""
    if re.match(r"\s*CREATE\s+(TEMP\w*\s+)?TABLE\b", sql, re.IGNORECASE):
        for pattern, replacement in _TRANSLATED:
            sql = re.sub(pattern, replacement, sql, flags=re.IGNORECASE)
    return sql


def is_copy(sql: str) -> bool:
    return re.match(r"\s*COPY\b", sql, re.IGNORECASE) is not None


def _entries(manifest: bytes) -> list[dict[str, Any]]:
    try:
        entries = json.loads(manifest)["entries"]
        assert all(isinstance(entry["url"], str) for entry in entries)
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise RedshiftError("Problem reading manifest file - Invalid JSON object") from error
    return entries


def _columns(cursor: Cursor, table: str) -> list[tuple[str, str, int | None]]:
    cursor.execute(
        "SELECT column_name, data_type, character_maximum_length FROM information_schema.columns "
        "WHERE table_schema || '.' || table_name = %s "
        "OR (table_schema LIKE 'pg\\_temp\\_%%' AND table_name = %s) ORDER BY ordinal_position",
        (table, table),
    )
    columns = cursor.fetchall()
    if not columns:
        raise RedshiftError(f"Cannot COPY into nonexistent table {table.rpartition('.')[2]}")
    return columns


def _spectrum(uri: str, what: str) -> RedshiftError:
    """An error as Redshift words it: over several lines, the context cut short."""
    address = uri.replace("s3://", "https://s3.eu-central-1.amazonaws.com/")
    context = f"File '{address}'{what}"[:_CONTEXT_CHARACTERS]
    rule = "-" * 47
    return RedshiftError(
        f"Spectrum Scan Error\n  Detail: \n  {rule}\n  error:  Spectrum Scan Error\n"
        f"  code:      15007\n  context:   {context}\n  query:     0\n"
        f"  location:  dory_util.cpp:1615\n  process:   worker_thread [pid=4711]\n  {rule}"
    )
