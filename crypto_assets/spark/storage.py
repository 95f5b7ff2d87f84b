"""Reading and writing the lake's tables with Spark, so that both ends agree on columns and types.

What the tables are is `tables`; publishing what was written is the lake's matter (`resources/`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Window
from pyspark.sql import functions as F

from crypto_assets.spark import objects
from crypto_assets.spark.tables import arrow_schema, spark_ddl

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from crypto_assets.spark.tables import Column as TableColumn
    from crypto_assets.spark.tables import Table

# The folder of the rows whose partition is not known, by Hive's convention.
_NULL = "__HIVE_DEFAULT_PARTITION__"
_COMPRESSION = "snappy"


def read(session: SparkSession, root: str, table: Table) -> DataFrame:
    """The rows of every ticker (or year) below `root`.

    The schema is given, never inferred: a partition `ticker=007` would become the number 7. One
    path, never several: Sail then leaves the partition columns null (pysail 0.7.2).
    """
    frame = session.read.schema(_read_as_text(table)).parquet(f"{root}/{table.path}")
    for column in _numbered(table):
        frame = frame.withColumn(column.name, frame[column.name].try_cast(column.type))
    return frame


def read_partition(session: SparkSession, root: str, table: Table, partition: str) -> DataFrame:
    """The rows of one snapshot below `root`, without the column that names it."""
    return session.read.schema(spark_ddl(table.file_columns)).parquet(
        f"{root}/{table.folders(partition)[0]}"
    )


def write(frame: DataFrame, root: str, table: Table, order: str | None = None) -> None:
    """Writes one file per ticker or year (bronze: per ticker and kind), its rows by `order`.

    Without an order the rows of a ticker must stand in one partition of the frame.
    """
    columns = [_written(table, column) for column in table.columns]
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
    folder = f"{root}/{table.folders(partition)[0]}"
    if not any(path.endswith(".parquet") for path in objects.below(folder)):
        empty = pa.BufferOutputStream()
        rows = arrow_schema(table.file_columns).empty_table()
        pq.write_table(rows, empty, compression=_COMPRESSION)
        objects.write(f"{folder}/part-empty.parquet", empty.getvalue())


def files_by_folder(root: str, table: Table) -> dict[str, int]:
    """How many Parquet files stand in each folder of the table below `root`, by its name."""
    found = objects.below(f"{root}/{table.path}")
    return dict(Counter(path.split("/")[-2] for path in found if path.endswith(".parquet")))


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


def _written(table: Table, column: TableColumn) -> Column:
    """The column as it goes to `write`: Sail would put a null number into folder 0."""
    if column in _numbered(table):
        text = F.col(column.name).cast("string")
        return F.coalesce(text, F.lit(_NULL)).alias(column.name)
    return F.col(column.name)


def _numbered(table: Table) -> list[TableColumn]:
    """The partition columns that are no text."""
    return [c for c in table.columns if c.name in table.partitions and c.type != "string"]


def _read_as_text(table: Table) -> str:
    """The columns as they are read: Sail cannot take Hive's name for null as a number (0.7.2)."""
    texts = [replace(c, type="string") if c in _numbered(table) else c for c in table.columns]
    return spark_ddl(tuple(texts))
