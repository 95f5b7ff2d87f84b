"""The lake's tables: where each stands below a root, which columns it has, how it is partitioned.

Known without pyspark, so that whoever publishes the files need not import it. `storage` reads and
writes them; what the rows mean is `bronze`, `silver` and `gold`.
"""

from __future__ import annotations

from dataclasses import dataclass

from crypto_assets.spark.job_spec import KINDS, Layer


@dataclass(frozen=True)
class Table:
    """One table; `path` is relative to a lake's root, `columns` is Spark DDL for all columns.

    The last columns are the partition columns.
    """

    path: str
    layer: Layer
    columns: str
    partitions: tuple[str, ...] = ("ticker",)

    def folders(self, partition: str) -> tuple[str, ...]:
        """The folders below the root that hold this ticker's or snapshot's files, one file each."""
        kinds = [f"kind={kind}/" for kind in KINDS] if "kind" in self.partitions else [""]
        return tuple(f"{self.path}/{kind}{self.partitions[-1]}={partition}" for kind in kinds)


BRONZE = Table(
    path="bronze",
    layer="bronze",
    columns=(
        "line int, role string, cells array<string>, date string, value string, problem string, "
        "file_lines int, reading string, file string, etag string, kind string, ticker string"
    ),
    partitions=("kind", "ticker"),
)
SILVER_HISTORY = Table("silver/history", "silver", "date date, price double, ticker string")
SILVER_TREND = Table("silver/trend", "silver", "date date, g_trend double, ticker string")
GOLD = Table(
    "gold",
    "gold",
    "date date, price double, trend double, pricema double, trend_i double, ticker string",
)
TABLES = (BRONZE, SILVER_HISTORY, SILVER_TREND, GOLD)

# Gold as a warehouse wants it that takes columns by position and knows no partition columns: the
# ticker comes first, and again to name the folder, for engines leave that column out of the files.
# It stays in staging and is never published.
LOAD = Table(
    "load",
    "warehouse",
    "symbol string, date date, price double, trend double, pricema double, trend_i double, "
    "ticker string",
)
