"""Frames of literal rows with the columns of a table, and a frame's rows in order."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from crypto_assets.spark.accounts.bronze import bronze_layer
from crypto_assets.spark.accounts.snapshot import Snapshot

ARROW = {"int": pa.int32(), "string": pa.string(), "timestamp": pa.timestamp("us", "UTC")}


def snapshot_of(spec):
    """The one snapshot of a job spec."""
    (partition,) = spec.partitions
    return Snapshot.of(partition)


def stage_bronze(session, spec):
    """Writes bronze of the job spec's snapshot below its staging; the verdict."""
    return bronze_layer(session, spec, snapshot_of(spec))


def frame_of(session, columns, rows):
    """A frame with these columns (DDL), in which what a row does not name is null."""
    if not rows:
        return session.createDataFrame([], columns)
    schema = pa.schema([(name, ARROW[kind]) for name, kind in map(str.split, columns.split(", "))])
    return session.createDataFrame(pa.Table.from_pylist(rows, schema))


def rows_of(frame, *order):
    """The frame's rows as dictionaries, in the order of these columns."""
    rows = frame.toArrow().to_pylist()
    return sorted(rows, key=lambda row: [(row[name] is not None, row[name]) for name in order])


def published_rows(root, table):
    """The rows of a table below `root` by account number, as DuckDB reads them."""
    files = f"read_parquet('{root}/{table.path}/**/*.parquet', hive_partitioning = true)"
    found = duckdb.sql(f"SELECT * FROM {files} ORDER BY account_number")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
