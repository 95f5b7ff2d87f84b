"""Silver: typed rows, one per day (prices) or per observation (trend), missing values settled.

Pure DataFrame code over the `data` lines of bronze, for any number of tickers in one plan. How far
back a missing price is filled stands here; days without any row are gold's matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from crypto_assets.spark.exports.numbers import MISSING_PRICES, MISSING_WORDS
from crypto_assets.spark.exports.scale import BELOW_ONE as BELOW_ONE_PATTERN

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

FILL_ROWS = 10
BELOW_ONE = 0.5


def prices(bronze: DataFrame) -> DataFrame:
    """The price of each data line: ticker, date (text), price (null: missing), unreadable."""
    word = F.lower(F.trim("value"))
    number = word.try_cast("double")
    missing = F.col("value").isNull() | word.isin(*MISSING_WORDS) | number.isin(*MISSING_PRICES)
    return _data_lines(bronze).select(
        "ticker",
        "date",
        F.when(~missing, number).alias("price"),
        (~F.coalesce(missing, F.lit(False)) & number.isNull()).alias("unreadable"),
    )


def trends(bronze: DataFrame) -> DataFrame:
    """The trend of each data line: ticker, date (text), g_trend (null: missing), unreadable.

    Google writes `<1` for an interest above zero that rounds to it, also with a blank of any kind:
    stored as `BELOW_ONE`. Any other `<n` is unreadable.
    """
    word = F.lower(F.trim("value"))
    below = F.col("value").rlike(BELOW_ONE_PATTERN)
    number = F.when(below, F.lit(BELOW_ONE)).otherwise(word.try_cast("double"))
    missing = F.col("value").isNull() | word.isin(*MISSING_WORDS)
    return _data_lines(bronze).select(
        "ticker",
        "date",
        F.when(~missing, number).alias("g_trend"),
        (~missing & number.isNull()).alias("unreadable"),
    )


def history(prices: DataFrame, settings: DataFrame) -> DataFrame:
    """Prices, identical rows collapsed, missing ones filled or left out: ticker, date, price.

    `settings` holds `ticker` and `missing` (`fill`: the last price at most `FILL_ROWS` rows back,
    else null; `drop`: the row is left out).
    """
    recent = Window.partitionBy("ticker").orderBy("date").rowsBetween(-FILL_ROWS, 0)
    return (
        prices.select("ticker", "date", "price")
        .distinct()
        .withColumn("date", _date())
        .join(F.broadcast(settings.select("ticker", "missing")), "ticker")
        .withColumn("filled", F.last("price", ignorenulls=True).over(recent))
        .where((F.col("missing") == "fill") | F.col("price").isNotNull())
        .select("ticker", "date", F.coalesce("price", "filled").alias("price"))
    )


def trend(trends: DataFrame) -> DataFrame:
    """Trend observations with identical rows collapsed and missing ones left out."""
    return (
        trends.where(F.col("g_trend").isNotNull())
        .select("ticker", "date", "g_trend")
        .distinct()
        .withColumn("date", _date())
    )


def _data_lines(bronze: DataFrame) -> DataFrame:
    return bronze.where(F.col("role") == "data")


def _date() -> Column:
    """The reader's ISO text as a date; null if it is none, which the audit refuses."""
    return F.col("date").try_cast("date")
