"""Reading and writing the lake's tables with Spark, so that both ends agree on columns and types.

What the tables are is `tables`; publishing what was written is the lake's matter (`resources/`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs
from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from crypto_assets.spark.tables import Table

# The folder of the rows whose partition is not known, by Hive's convention.
_NULL = "__HIVE_DEFAULT_PARTITION__"
_COMPRESSION = "snappy"
_ARROW = {"int": pa.int32(), "string": pa.string(), "timestamp": pa.timestamp("us", "UTC")}


def read(session: SparkSession, root: str, table: Table) -> DataFrame:
    """The rows of every ticker (or year) below `root`.

    The schema is given, never inferred: a partition `ticker=007` would become the number 7. One
    path, never several: Sail then leaves the partition columns null (pysail 0.7.2).
    """
    columns = _columns(table)
    numbers = {name: columns[name] for name in table.partitions if columns[name] != "string"}
    # Read as text and cast here: Sail cannot take Hive's name for null as a number (pysail 0.7.2).
    schema = _ddl({**columns, **dict.fromkeys(numbers, "string")})
    frame = session.read.schema(schema).parquet(f"{root}/{table.path}")
    for name, kind in numbers.items():
        frame = frame.withColumn(name, frame[name].try_cast(kind))
    return frame


def read_partition(session: SparkSession, root: str, table: Table, partition: str) -> DataFrame:
    """The rows of one snapshot below `root`, without the column that names it."""
    return session.read.schema(_ddl(_file_columns(table))).parquet(
        f"{root}/{table.folders(partition)[0]}"
    )


def write(frame: DataFrame, root: str, table: Table, order: str | None = None) -> None:
    """Writes one file per ticker or year (bronze: per ticker and kind), its rows by `order`.

    Without an order the rows of a ticker must stand in one partition of the frame.
    """
    columns = [_written(table, name) for name in _columns(table)]
    rows = frame.select(*columns)
    (
        (_in_order(rows, table.partitions[-1], order) if order else rows)
        .write.mode("overwrite")
        .option("compression", _COMPRESSION)
        .partitionBy(*table.partitions)
        .parquet(f"{root}/{table.path}")
    )


def write_partition(
    frame: DataFrame, root: str, table: Table, partition: str, order: str | None = None
) -> None:
    """Writes the rows of one snapshot as one file, as `write` does; without rows it is empty.

    Engines write no file at all for a partition without rows.
    """
    write(frame.withColumn(table.partitions[-1], F.lit(partition)), root, table, order)
    files, folder = fs.FileSystem.from_uri(f"{root}/{table.folders(partition)[0]}")
    written = files.get_file_info(fs.FileSelector(folder, allow_not_found=True))
    if not any(file.path.endswith(".parquet") for file in written):
        if isinstance(files, fs.LocalFileSystem):  # a folder in S3 would be an object of its own
            files.create_dir(folder)
        schema = pa.schema([(c, _ARROW[kind]) for c, kind in _file_columns(table).items()])
        pq.write_table(
            schema.empty_table(),
            f"{folder}/part-empty.parquet",
            filesystem=files,
            compression=_COMPRESSION,
        )


def files_by_folder(root: str, table: Table) -> dict[str, int]:
    """How many Parquet files stand in each folder of the table below `root`, by its name."""
    files, folder = fs.FileSystem.from_uri(f"{root}/{table.path}")
    found = files.get_file_info(fs.FileSelector(folder, allow_not_found=True, recursive=True))
    counts: dict[str, int] = {}
    for file in found:
        if file.path.endswith(".parquet"):
            name = file.path.split("/")[-2]
            counts[name] = counts.get(name, 0) + 1
    return counts


def partition_folder(table: Table, partition: object) -> str:
    """The name of the folder of one partition, of that of null too."""
    return f"{table.partitions[-1]}={_NULL if partition is None else partition}"


def _in_order(frame: DataFrame, partition: str, order: str) -> DataFrame:
    """The rows of each partition together and in order.

    A numbering that is used makes the order part of the result. A plain sort is not: Sail drops it
    below a partitioned write and the files come out shuffled (pysail 0.7.2).
    """
    position = F.row_number().over(Window.partitionBy(partition).orderBy(order))
    return frame.withColumn("position", position).where("position > 0").drop("position")


def _written(table: Table, name: str) -> Column:
    """The column as it goes to `write`: Sail would put a null number into folder 0."""
    column = F.col(name)
    if name in table.partitions and _columns(table)[name] != "string":
        return F.coalesce(column.cast("string"), F.lit(_NULL)).alias(name)
    return column


def _columns(table: Table) -> dict[str, str]:
    """The table's columns with their types, in order."""
    return dict(column.split() for column in table.columns.split(", "))


def _file_columns(table: Table) -> dict[str, str]:
    return {name: kind for name, kind in _columns(table).items() if name not in table.partitions}


def _ddl(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())
