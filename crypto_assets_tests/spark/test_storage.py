"""Partitions whose name is not known, and those without rows, on every engine."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from crypto_assets.spark.storage import read, read_partition, write, write_partition
from crypto_assets.spark.tables import Column, Table

NAME = Column("name", "string")
YEARS = Table("years", "gold", (NAME, Column("year", "int")), ("year",))
PARTS = Table(
    "parts", "gold", (NAME, Column("at", "timestamp"), Column("part", "string")), ("part",)
)


def test_rows_of_an_unknown_year_are_read_back_as_null_by_the_engine_and_by_duckdb(
    session, tmp_path
):
    rows = [("a", 2020), ("b", None), ("c", 0), ("d", 2020)]
    names, years = zip(*rows, strict=True)
    frame = session.createDataFrame(pa.table({"name": names, "year": pa.array(years, pa.int32())}))
    write(frame, str(tmp_path), YEARS, "name")
    folders = sorted(path.name for path in (tmp_path / "years").glob("year=*"))
    assert folders == ["year=0", "year=2020", "year=__HIVE_DEFAULT_PARTITION__"]
    written = read(session, str(tmp_path), YEARS)
    found = written.toArrow()
    assert found.schema.field("year").type == pa.int32()
    assert sorted(tuple(row.values()) for row in found.to_pylist()) == rows
    assert written.where("year IS NULL").toArrow()["name"].to_pylist() == ["b"]
    files = f"read_parquet('{tmp_path}/years/**/*.parquet', hive_partitioning = true)"
    assert duckdb.sql(f"SELECT name, year FROM {files} ORDER BY name").fetchall() == rows


def test_a_partition_without_rows_is_an_empty_file_with_the_tables_columns(session, tmp_path):
    frame = session.createDataFrame([], PARTS.ddl).drop("part")
    write_partition(frame, str(tmp_path), PARTS, "x", "name")
    written = read_partition(session, str(tmp_path), PARTS, "x")
    assert written.toArrow().to_pylist() == []
    (file,) = (tmp_path / "parts" / "part=x").glob("*.parquet")
    assert duckdb.sql(f"DESCRIBE SELECT * FROM '{file}'").fetchall()[1][:2] == (
        "at",
        "TIMESTAMP WITH TIME ZONE",
    )
