"""Reading and writing the lake's tables with Spark, so that both ends agree on columns and types.

What the tables are is `tables`; publishing what was written is the lake's matter (`resources/`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from crypto_assets.spark.tables import Table


def read(session: SparkSession, root: str, table: Table) -> DataFrame:
    """The rows of every ticker below `root`.

    The schema is given, never inferred: a partition `ticker=007` would become the number 7. One
    path, never several: Sail then leaves the partition columns null (pysail 0.7.2).
    """
    return session.read.schema(table.columns).parquet(f"{root}/{table.path}")


def in_order(frame: DataFrame) -> DataFrame:
    """The rows of each ticker in one partition, in the order of their dates, as `write` wants them.

    A numbering that is used makes the order part of the result. A plain sort is not: Sail drops it
    below a partitioned write and the files come out shuffled (pysail 0.7.2).
    """
    position = F.row_number().over(Window.partitionBy("ticker").orderBy("date"))
    return frame.withColumn("position", position).where("position > 0").drop("position")


def write(frame: DataFrame, root: str, table: Table) -> None:
    """Writes one file per ticker (bronze: per ticker and kind).

    The rows of a ticker must stand in one partition of the frame, in the order wanted.
    """
    (
        frame.select(*[column.split()[0] for column in table.columns.split(", ")])
        .write.mode("overwrite")
        .option("compression", "snappy")
        .partitionBy(*table.partitions)
        .parquet(f"{root}/{table.path}")
    )
