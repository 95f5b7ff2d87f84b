"""Gold: one row per day on which there is a price or a trend, with the columns analysts use.

Pure DataFrame code, one plan for any number of tickers. The rules and window lengths stand here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.window import WindowSpec

PRICE_FILL_ROWS = 2
MOVING_AVERAGE_ROWS = 14
TREND_EDGE_DAYS = 6


def gold(history: DataFrame, trend: DataFrame) -> DataFrame:
    """Prices and trend by day: ticker, date, price, trend, pricema, trend_i.

    `history` has ticker, date, price; `trend` has ticker, date, g_trend. `pricema` is the mean of
    the prices of a row and the 13 before it, `trend_i` the trend interpolated in time.
    """
    filled_from = _last_rows(PRICE_FILL_ROWS + 1)
    days = (
        history.withColumn("has_price_row", F.lit(True))
        .join(trend_line(trend), ["ticker", "date"], "full")
        .where(F.col("has_price_row") | F.col("trend").isNotNull())
        .withColumn("price", F.last("price", ignorenulls=True).over(filled_from))
    )
    prices = F.count("price").over(_last_rows(MOVING_AVERAGE_ROWS)).cast("double")
    return _with_sum(days, "price", MOVING_AVERAGE_ROWS).select(
        "ticker",
        "date",
        "price",
        "trend",
        (F.col("sum") / F.nullif(prices, F.lit(0.0))).alias("pricema"),
        "trend_i",
    )


def trend_line(trend: DataFrame) -> DataFrame:
    """The trend of every day: ticker, date, trend (null between observations), trend_i.

    The days between two observations lie on the straight line in time; `TREND_EDGE_DAYS` before
    the first and after the last one have its value.
    """
    by_date = _by_date()
    steps = trend.select(
        "ticker",
        F.col("date").alias("since"),
        F.lead("date").over(by_date).alias("until"),
        F.lag("date").over(by_date).isNull().alias("is_first"),
        F.col("g_trend").alias("trend"),
        (F.lead("g_trend").over(by_date) - F.col("g_trend")).alias("rise"),
    )
    begin = F.when(F.col("is_first"), F.date_sub("since", TREND_EDGE_DAYS)).otherwise(
        F.col("since")
    )
    end = F.coalesce(F.date_sub("until", 1), F.date_add("since", TREND_EDGE_DAYS))
    elapsed, step = F.datediff("date", "since"), F.datediff("until", "since")
    flat = (elapsed <= 0) | F.col("until").isNull()
    sloped = F.col("trend") + F.col("rise") * elapsed / F.nullif(step, F.lit(0))
    return steps.withColumn("date", F.explode(F.sequence(begin, end))).select(
        "ticker",
        "date",
        F.when(elapsed == 0, F.col("trend")).alias("trend"),
        F.when(flat, F.col("trend")).otherwise(sloped).alias("trend_i"),
    )


def _with_sum(frame: DataFrame, value: str, rows: int) -> DataFrame:
    """Adds `sum`, that of the last `rows` rows, made of sums of 1, 2, 4, 8 … rows by doubling.

    Adds up afresh: Sail's `avg` over a sliding frame subtracts what leaves it, so after a fall from
    1e16 to 0.1 it gives 0 (pysail 0.7.2); and every engine adds in this same order.
    """
    by_date = _by_date()
    frame = frame.withColumn("part", F.coalesce(value, F.lit(0.0))).withColumn("sum", F.lit(0.0))
    summed, part = 0, 1
    while summed < rows:
        if rows & part:
            frame = frame.withColumn("sum", F.col("sum") + F.lag("part", summed, 0.0).over(by_date))
            summed += part
        frame = frame.withColumn("part", F.col("part") + F.lag("part", part, 0.0).over(by_date))
        part *= 2
    return frame


def _by_date() -> WindowSpec:
    return Window.partitionBy("ticker").orderBy("date")


def _last_rows(rows: int) -> WindowSpec:
    return _by_date().rowsBetween(1 - rows, 0)
