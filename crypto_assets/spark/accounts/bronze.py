"""Bronze of the customer accounts: every row of both uploads, cell by cell as text, and its audit.

One Python function reads a file inside the engine (`mapInArrow`), so no row passes through the
driver and any engine runs it. Recognising and cutting a file is `reading`; deciding what a value
means is silver's matter.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from crypto_assets.spark import objects
from crypto_assets.spark.accounts.reading import Drop, schema
from crypto_assets.spark.accounts.tables import BRONZE_ACCOUNTS, BRONZE_CUSTOMERS
from crypto_assets.spark.job_spec import Verdict
from crypto_assets.spark.made import made
from crypto_assets.spark.problems import SHOWN_PROBLEMS, ReadError, ServiceError, bad_lines
from crypto_assets.spark.storage import read, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

    from crypto_assets.spark.accounts.snapshot import Snapshot
    from crypto_assets.spark.job_spec import JobSpec, Upload
    from crypto_assets.spark.tables import Table

BRONZE: dict[str, Table] = {"customers": BRONZE_CUSTOMERS, "accounts": BRONZE_ACCOUNTS}

Row = dict[str, Any]


def bronze(session: SparkSession, snapshot: Snapshot, kind: str) -> DataFrame:
    """The rows of the snapshot's file of this kind, in its order: the columns of `BRONZE[kind]`.

    The last row, of line 0, is the file as a whole: the facts that were counted in it, or the
    problem for which it was refused, or the fault of a service that kept it from being read; then
    the rows before it mean nothing.
    """
    task = {
        **dataclasses.asdict(snapshot.files[kind]),
        "kind": kind,
        "snapshot": snapshot.name,
        "forgotten": json.dumps(snapshot.forgotten),
    }
    return made(session, lambda _: _read_file(task), BRONZE[kind].ddl)


def bronze_layer(session: SparkSession, spec: JobSpec, snapshot: Snapshot) -> Verdict:
    """Writes both tables below `spec.staging` and says what was measured and what is wrong."""
    measures: dict[str, Any] = {}
    problems: list[str] = []
    for kind, table in BRONZE.items():
        write(bronze(session, snapshot, kind), spec.staging, table)
        staged = read(session, spec.staging, table).where(F.col("snapshot") == snapshot.name)
        row = bronze_measures(staged)
        if fault := row["facts"].get("fault"):
            return Verdict(snapshot.name, "accounts_bronze", (fault,), passing=True)
        problems += bronze_problems(row, snapshot.files[kind])
        measures[kind] = _file_measures(row, snapshot.files[kind])
    return Verdict(snapshot.name, "accounts_bronze", tuple(problems), measures)


def bronze_measures(staged: DataFrame) -> Row:
    """What stands in one staged table: rows, the sum of their lines, the file's facts, bad rows."""
    is_row = F.col("line") > 0
    bad = is_row & F.col("problem").isNotNull()
    row: Row = (
        staged.agg(
            F.count_if(is_row).alias("rows"),
            F.coalesce(F.sum("line"), F.lit(0)).alias("line_sum"),
            F.count_if(bad).alias("bad"),
            F.count_if(~is_row).alias("files"),
            F.max(F.when(~is_row, F.col("problem"))).alias("refused"),
            F.max("facts").alias("facts"),
        )
        .toArrow()
        .to_pylist()[0]
    )
    row["bad_lines"] = []
    if row["bad"]:
        first = staged.where(bad).orderBy("line").limit(SHOWN_PROBLEMS).select("line", "problem")
        row["bad_lines"] = first.toArrow().to_pylist()
    row["facts"] = json.loads(row["facts"] or "{}")
    return row


def bronze_problems(row: Row, upload: Upload) -> Iterator[str]:
    """What is wrong with the table of one upload, given what was measured."""
    facts = row["facts"]
    if row["files"] != 1:
        yield f"{upload.name}: the engine returned {row['files']} results for this file, not one"
    elif row["refused"]:
        yield f"{upload.name}: {row['refused']}"
    else:
        if (row["rows"], row["line_sum"]) != (facts["rows"], facts["line_sum"]):
            yield (
                f"{upload.name}: {row['rows']} rows for a file of {facts['rows']}: some were lost, "
                "doubled or taken twice"
            )
        parts = ("header", "rows", "blank", "forgotten", "continued")
        if sum(facts[part] for part in parts) != facts["lines"]:
            counted = ", ".join(f"{facts[part]} {part}" for part in parts)
            yield f"{upload.name}: its {facts['lines']} lines are not all accounted for: {counted}"
        if facts["etag"] != upload.etag:
            yield f"{upload.name}: another file's content was stored for it"
        if not facts["rows"] + facts["forgotten"]:
            yield f"{upload.name}: there is no row below the header"
        if row["bad"]:
            yield f"{upload.name}: {bad_lines(row)}"


def _file_measures(row: Row, upload: Upload) -> Row:
    facts = {name: value for name, value in row["facts"].items() if name != "line_sum"}
    return {**facts, "file": upload.name, "etag": upload.etag, "bad": row["bad"]}


def _read_file(task: Row) -> Iterator[pa.RecordBatch]:
    try:
        yield from _rows(task)
    except ReadError as reason:
        yield _of_file(task, problem=str(reason))
    except ServiceError as fault:
        yield _of_file(task, facts=json.dumps({"fault": str(fault)}))
    except Exception as error:  # noqa: BLE001 - the verdict must come back, whatever broke
        # The error's text may quote a person's data.
        what = type(error).__name__
        yield _of_file(task, problem=f"the reader broke on this file ({what}); please report it")


def _rows(task: Row) -> Iterator[pa.RecordBatch]:
    """The rows of a file, which must have the content that its etag (SHA-256) names, and its facts.

    Raises `ReadError` if it is gone, has other content or cannot be read, `ServiceError` if S3 does
    not give it.
    """
    try:
        with objects.opened(task["uri"]) as stream:
            drop = Drop(stream, task["kind"], json.loads(task["forgotten"]))
            for batch in drop.batches():
                yield _with_file(batch, task)
    except OSError as error:
        raise ReadError(f"the upload cannot be read: {error}; upload it again") from error
    if drop.lines.digest != task["etag"]:
        raise ReadError("what is stored of this upload is not what was uploaded: upload it again")
    facts = json.dumps({**drop.facts(), "etag": drop.lines.digest})
    yield _of_file(task, facts=facts)


def _of_file(task: Row, *, problem: str | None = None, facts: str | None = None) -> pa.RecordBatch:
    """The row of line 0."""
    batch = pa.RecordBatch.from_pylist([{"line": 0, "problem": problem}], schema(task["kind"]))
    return _with_file(batch, task, facts)


def _with_file(batch: pa.RecordBatch, task: Row, facts: str | None = None) -> pa.RecordBatch:
    facts_column = pa.repeat(pa.scalar(facts, pa.string()), len(batch))
    snapshot = pa.repeat(pa.scalar(task["snapshot"], pa.string()), len(batch))
    return batch.append_column("facts", facts_column).append_column("snapshot", snapshot)
