"""The audit between writing and publishing: what was measured per ticker and what is wrong.

`*_measures` are Spark aggregates over staged tables (one row per ticker); `*_problems` are plain
Python over one such row. Rows are counted on both sides of every step, because engines and readers
do lose and double rows. Nothing here changes data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from crypto_assets.spark.market_data.tables import GOLD, SILVER_HISTORY, SILVER_TREND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import Column, DataFrame

    from crypto_assets.spark.market_data.currency import Currency

SHOWN_PROBLEMS = 10
VALUES = {"history": SILVER_HISTORY.numbers[0], "trend": SILVER_TREND.numbers[0]}
ROUNDING = 1e-9
MIN_COVERED = 0.5  # of the days with a price, or it is warned of
ROLES = ("data", "blank", "left_out", "refused")  # those that are counted one by one
PARTS = ("data", "text", "blank", "left_out", "bad")  # every line of a file is in one of them

Row = dict[str, Any]


def bronze_measures(bronze: DataFrame) -> DataFrame:
    """Per ticker and kind: lines by role, the file's identity, the first bad lines."""
    bad = F.col("role").isin("bad", "refused")
    return bronze.groupBy("ticker", "kind").agg(
        F.count("*").alias("lines"),
        F.sum("line").alias("line_sum"),
        F.max("file_lines").alias("file_lines"),
        *[F.count_if(F.col("role") == role).alias(role) for role in ROLES],
        F.count_if(F.col("role").isin("header", "preamble", "footer")).alias("text"),
        F.min(F.when(F.col("role") == "data", F.col("line"))).alias("first_data"),
        F.max(F.when(F.col("role") == "data", F.col("line"))).alias("last_data"),
        F.max(F.when(F.col("role").isin("header", "preamble"), F.col("line"))).alias("last_head"),
        F.min(F.when(F.col("role") == "footer", F.col("line"))).alias("first_foot"),
        F.count_if(bad).alias("bad"),
        F.max("file").alias("file"),
        F.max("etag").alias("etag"),
        F.max("reading").alias("reading"),
        F.slice(
            F.array_sort(F.collect_list(F.when(bad, F.struct("line", "problem")))),
            1,
            SHOWN_PROBLEMS,
        ).alias("bad_lines"),
    )


def bronze_problems(row: Row | None, currency: Currency, kind: str) -> Iterator[str]:
    """What is wrong with one file's bronze; `row` is None when the engine returned nothing."""
    upload = currency.files[kind]
    if row is None:
        yield f"{upload.name}: the engine returned no row for this {kind} file"
    elif row["refused"]:
        yield f"{upload.name}: {row['bad_lines'][0]['problem']}"
    else:
        lines = row["file_lines"]
        if (row["lines"], row["line_sum"]) != (lines, lines * (lines + 1) // 2):
            yield (
                f"{upload.name}: {row['lines']} rows for a file of {lines} lines: some were lost, "
                "doubled or taken twice"
            )
        elif (known := sum(row[part] for part in PARTS)) != lines:
            yield f"{upload.name}: only {known} of {lines} lines have a role that is known"
        if row["etag"] != upload.etag:
            yield f"{upload.name}: another file's content was stored for it"
        if not row["data"]:
            yield f"{upload.name}: there is no data line"
        elif (row["last_head"] or 0) > row["first_data"]:
            yield f"{upload.name}: line {row['last_head']} between the data was taken for a header"
        elif row["first_foot"] and row["first_foot"] < row["last_data"]:
            yield f"{upload.name}: line {row['first_foot']} between the data was taken for a footer"
        if row["bad"]:
            yield f"{upload.name}: {bad_lines(row)}"


def parsed_measures(values: DataFrame, value: str) -> DataFrame:
    """Per ticker, what silver was given: lines, and how many are missing or unreadable.

    Every line counts as a date of its own, which holds where as many rows were written; for the
    other tickers `date_measures` tells more.
    """
    return values.groupBy("ticker").agg(
        F.count("*").alias("given"),
        F.count("*").alias("dates"),
        F.count_if(F.col(value).isNull()).alias("missing"),
        F.count_if("unreadable").alias("unreadable"),
    )


def date_measures(values: DataFrame, value: str) -> DataFrame:
    """Per ticker, the dates silver was given, and those of them whose value is missing.

    Counted by grouping twice: Sail's `countDistinct` by group takes gigabytes.
    """
    dates = values.groupBy("ticker", "date").agg(
        F.max(F.col(value).isNull().cast("int")).alias("missing")
    )
    return dates.groupBy("ticker").agg(
        F.count("*").alias("dates"), F.sum("missing").alias("missing")
    )


def table_measures(table: DataFrame, *values: str) -> DataFrame:
    """Per ticker of a table: rows, dates, each value column's count and range, rows out of order.

    A row is out of order if its date is not after that of the row before it in the file; a ticker
    without any has its rows in order and one row per date.
    """
    columns = ", ".join(f"{value} double" for value in values)
    return (
        table.select("ticker", "date", *values)
        .mapInArrow(_mark_order, f"ticker string, date date, {columns}, out_of_order boolean")
        .groupBy("ticker")
        .agg(
            F.count("*").alias("rows"),
            F.count("date").alias("dates"),
            F.min("date").alias("first_date"),
            F.max("date").alias("last_date"),
            F.count_if("out_of_order").alias("out_of_order"),
            *[measure for value in values for measure in _value_measures(value)],
            *[F.count_if(both).alias("covered") for both in _covered(values)],
        )
    )


def _covered(values: tuple[str, ...]) -> list[Column]:
    """Which rows of gold have a price and a trend."""
    if "trend_i" not in values:
        return []
    return [F.col("price").isNotNull() & F.col("trend_i").isNotNull()]


def _mark_order(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Adds whether each row is out of order: no aggregate sees how rows stand in the files."""
    last = None
    for batch in filter(len, batches):
        rows = pa.Table.from_batches([batch] if last is None else [last, batch]).combine_chunks()
        before, after = rows.slice(0, len(rows) - 1), rows.slice(1)
        wrong = pc.and_(
            pc.equal(after["ticker"], before["ticker"]),
            pc.less_equal(after["date"], before["date"]),
        ).combine_chunks()
        if last is None:
            wrong = pa.concat_arrays([pa.array([False]), wrong])
        last = batch.slice(len(batch) - 1)
        yield batch.append_column("out_of_order", wrong)


def silver_problems(
    kind: str, given: Row | None, table: Row | None, currency: Currency
) -> Iterator[str]:
    """What is wrong with one silver table, given what bronze held and what was written."""
    value = VALUES[kind]
    if given is None or table is None or not table[f"{value}_count"]:
        yield f"{kind}: no valid {value} in {given['given'] if given else 0} data lines"
        return
    if given["unreadable"]:
        yield f"{kind}: {given['unreadable']} rows whose {value} cannot be read"
    expected = rows_expected(kind, given, currency)
    if table["rows"] != expected:
        yield f"{kind}: {expected} rows expected, {table['rows']} written: lost, or several a date"
    yield from _table_problems(kind, table, value)
    if kind == "history" and not table["price_min"] > 0:
        yield f"{kind}: a price of {table['price_min']}; prices are above 0"
    if kind == "trend" and table["g_trend_min"] < 0:
        yield f"{kind}: a trend of {table['g_trend_min']}; trends are 0 or more"


def rows_expected(kind: str, given: Row, currency: Currency) -> int:
    """How many rows silver writes: one for each date it keeps."""
    return int(given["dates"]) - dropped_missing(kind, given, currency)


def dropped_missing(kind: str, given: Row, currency: Currency) -> int:
    """How many rows silver leaves out because their value is missing."""
    drops = kind == "trend" or currency.choices.missing == "drop"
    return int(given["missing"]) if drops else 0


def gold_expectations(history: DataFrame, trend: DataFrame) -> DataFrame:
    """Per ticker, what gold must hold, counted on silver without gold's own join."""
    none = F.lit(None).cast("double")
    days = history.select("ticker", "date", "price", none.alias("g_trend")).unionByName(
        trend.select("ticker", "date", none.alias("price"), "g_trend")
    )
    by_day = days.groupBy("ticker", "date").agg(
        F.count("price").alias("prices"), F.count("g_trend").alias("trends")
    )
    return by_day.groupBy("ticker").agg(
        F.count("*").alias("rows"),
        F.min("date").alias("first_date"),
        F.max("date").alias("last_date"),
        F.sum("prices").alias("price_count"),
        F.sum("trends").alias("g_trend_count"),
    )


def gold_problems(expected: Row | None, table: Row | None) -> Iterator[str]:
    """What is wrong with a currency's gold, given what silver held and what was written."""
    if expected is None or table is None:
        yield "no rows were written"
        return
    for name in ("rows", "first_date", "last_date"):
        if table[name] != expected[name]:
            yield f"{name} should be {expected[name]}, is {table[name]}"
    if table["trend_count"] != expected["g_trend_count"]:
        yield (
            f"{expected['g_trend_count']} trend observations in silver, {table['trend_count']} here"
        )
    if table["price_count"] < expected["price_count"]:
        yield f"{expected['price_count']} prices in silver, {table['price_count']} here"
    yield from _table_problems("gold", table, *GOLD.numbers)
    yield from _outside("pricema", table, "price")
    yield from _outside("trend_i", table, "trend")


def load_problems(gold: Row, table: Row | None) -> Iterator[str]:
    """What is wrong with a currency's file for the warehouse, given gold's own measures."""
    if table is None:
        yield "no rows were written for the warehouse"
        return
    for name, value in gold.items():
        if table[name] != value:
            yield f"{name} is {value} in gold, {table[name]} in the file for the warehouse"


def gold_warnings(table: Row) -> Iterator[str]:
    """What a reader of gold should know of how history and trend lie to each other."""
    if not table["covered"]:
        yield "history and trend share no day"
    elif table["covered"] < MIN_COVERED * table["price_count"]:
        share = table["covered"] / table["price_count"]
        yield f"the trend covers {share:.0%} of the days with a price"


def bad_lines(row: Row) -> str:
    """The first bad lines and what is wrong with each, and how many there are beyond them."""
    shown = "; ".join(f"line {bad['line']}: {bad['problem']}" for bad in row["bad_lines"])
    more = f"; and {row['bad'] - SHOWN_PROBLEMS} more" if row["bad"] > SHOWN_PROBLEMS else ""
    return shown + more


def _value_measures(value: str) -> list[Column]:
    finite = ~F.isnan(value) & (F.abs(F.col(value)) < float("inf"))
    return [
        F.count(value).alias(f"{value}_count"),
        F.min(value).alias(f"{value}_min"),
        F.max(value).alias(f"{value}_max"),
        F.count_if(~finite).alias(f"{value}_infinite"),
    ]


def _table_problems(name: str, table: Row, *values: str) -> Iterator[str]:
    if table["dates"] != table["rows"]:
        yield f"{name}: {table['rows'] - table['dates']} rows whose date cannot be read"
    if table["out_of_order"]:
        yield (
            f"{name}: {table['out_of_order']} rows do not come after the date before them: a date "
            "has several values, or rows are out of order"
        )
    for value in values:
        if table[f"{value}_infinite"]:
            yield f"{name}: {table[f'{value}_infinite']} values of {value} are not finite numbers"


def _outside(derived: str, table: Row, source: str) -> Iterator[str]:
    """A mean or an interpolation lies within the range of what it was made from."""
    if not table[f"{derived}_count"]:
        return
    low, high = table[f"{source}_min"], table[f"{source}_max"]
    if table[f"{derived}_min"] < low * (1 - ROUNDING) or table[f"{derived}_max"] > high * (
        1 + ROUNDING
    ):
        yield (
            f"{derived} {table[f'{derived}_min']}..{table[f'{derived}_max']} leaves the range of "
            f"{source} {low}..{high}"
        )
