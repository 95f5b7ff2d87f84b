"""Gold: one row per day on which there is a price or a trend, with the columns analysts use.

Pure DataFrame code, one plan for any number of tickers. The rules and window lengths stand here.
"""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PRICE_FILL_ROWS = 2
MOVING_AVERAGE_ROWS = 14
TREND_EDGE_DAYS = 6


def gold(history: DataFrame, trend: DataFrame) -> DataFrame:
    """Prices and trend by day: ticker, date, price, trend, pricema, trend_i.

    `history` has ticker, date, price; `trend` has ticker, date, g_trend. `pricema` is the mean of
    the prices of a row and the 13 before it, `trend_i` the trend interpolated in time.
    """
    recent = Window.partitionBy("ticker").orderBy("date").rowsBetween(-PRICE_FILL_ROWS, 0)
    return (
        history.withColumn("has_price_row", F.lit(True))
        .join(trend_line(trend), ["ticker", "date"], "full")
        .where(F.col("has_price_row") | F.col("trend").isNotNull())
        .withColumn("price", F.last("price", ignorenulls=True).over(recent))
        .select(
            "ticker",
            "date",
            "price",
            "trend",
            _moving_average("price").alias("pricema"),
            "trend_i",
        )
    )


def trend_line(trend: DataFrame) -> DataFrame:
    """The trend of every day: ticker, date, trend (null between observations), trend_i.

    The days between two observations lie on the straight line in time; `TREND_EDGE_DAYS` before
    the first and after the last one have its value.
    """
    by_date = Window.partitionBy("ticker").orderBy("date")
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


def _moving_average(price: str) -> Column:
    """The mean of the non-null prices of this row and the 13 before.

    Adds the rows up afresh: Sail's `avg` over a sliding frame subtracts what leaves it, so after a
    fall from 1e16 to 0.1 it gives 0 (pysail 0.7.2); and every engine adds in this same order.
    """
    by_date = Window.partitionBy("ticker").orderBy("date")
    before = [F.lag(price, back).over(by_date) for back in range(1, MOVING_AVERAGE_ROWS)]
    total = reduce(add, [F.coalesce(value, F.lit(0.0)) for value in (F.col(price), *before)])
    count = F.count(price).over(by_date.rowsBetween(1 - MOVING_AVERAGE_ROWS, 0))
    return total / F.nullif(count.cast("double"), F.lit(0.0))
