"""The audit between writing and publishing: what was measured of a currency and what is wrong.

`*_measures` look at the footers of the written files and count the rest in another way than the
data was made; `*_problems` are plain Python over one such row. Rows are counted on both sides of
every step. Nothing here changes data.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from crypto_assets.spark.market_data.silver import NO_DAY
from crypto_assets.spark.market_data.tables import GOLD, SILVER_HISTORY, SILVER_TREND
from crypto_assets.spark.problems import SHOWN_PROBLEMS, bad_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from crypto_assets.spark.files import Written
    from crypto_assets.spark.market_data.currency import Currency
    from crypto_assets.spark.market_data.gold import Gold
    from crypto_assets.spark.market_data.silver import Series, Values

VALUES = {"history": SILVER_HISTORY.numbers[0], "trend": SILVER_TREND.numbers[0]}
ROUNDING = 1e-9
MIN_COVERED = 0.5  # of the days with a price, or it is warned of
READ_BACK = 100  # of so many currencies one has its files read back whole
ROLES = ("data", "blank", "left_out", "bad")  # those that are counted one by one
HEAD, FOOT, DATA = ("header", "preamble"), ("footer",), ("data",)
PARTS = ("data", "text", "blank", "left_out", "bad")  # every line of a file is in one of them
_EPOCH = date(1970, 1, 1)

Row = dict[str, Any]


def is_read_back(currency: Currency) -> bool:
    """Whether this currency's files are read back whole: another choice with other uploads."""
    return int(currency.files["history"].etag[:8], 16) % READ_BACK == 0


def bronze_measures(lines: pa.Table, file: Written) -> Row:
    """Lines by role, the file's identity, the first bad lines."""
    runs = _runs(lines["role"].combine_chunks())
    counts = Counter[str]()
    for role, first, last in runs:
        counts[role] += last - first + 1
    head, foot, data = ([run for run in runs if run[0] in roles] for roles in (HEAD, FOOT, DATA))
    low, high, nulls = file.range("etag")
    numbers = file.range("line")[:2]
    return {
        "lines": file.rows,
        "numbered": numbers == (1, file.rows),
        "file_lines": len(lines),
        **{role: counts[role] for role in ROLES},
        "text": sum(counts[role] for role in (*HEAD, *FOOT)),
        "first_data": data[0][1] if data else None,
        "last_data": data[-1][2] if data else None,
        "last_head": head[-1][2] if head else None,
        "first_foot": foot[0][1] if foot else None,
        "file": lines["file"][0].as_py(),
        "etag": low if low == high and not nulls else "",
        "reading": lines["reading"][0].as_py(),
        "bad_lines": _bad_lines(lines) if counts["bad"] else [],
    }


def _runs(roles: pa.Array) -> list[tuple[str, int, int]]:
    """The lines that follow each other with one role: it, and the numbers of the first and last."""
    runs = pc.run_end_encode(roles)
    lasts = runs.run_ends.to_pylist()
    firsts = [last + 1 for last in (0, *lasts[:-1])]
    return list(zip(runs.values.to_pylist(), firsts, lasts, strict=True))


def _bad_lines(lines: pa.Table) -> list[Row]:
    bad = lines.filter(pc.equal(lines["role"], "bad")).slice(0, SHOWN_PROBLEMS)
    found: list[Row] = bad.select(["line", "problem"]).to_pylist()
    return found


def bronze_problems(row: Row, currency: Currency, kind: str) -> Iterator[str]:
    """What is wrong with one file's bronze."""
    upload, lines = currency.files[kind], row["file_lines"]
    if row["lines"] != lines or not row["numbered"]:
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


def given_measures(lines: pa.Table, values: Values) -> Row:
    """What silver was given: data lines, their dates, and those without a value.

    `missing` are dates where a date has several lines. `last_observed` is the last with a value.
    """
    none, dates = np.isnan(values.series.values), lines["date"]
    observed = values.series.days[~none]
    distinct = _distinct(values.series.days, dates)
    missing = int(none.sum())
    if distinct != len(lines):
        missing = pc.count_distinct(dates.filter(none)).as_py()
    return {
        "given": len(lines),
        "dates": distinct,
        "missing": missing,
        "unreadable": values.unreadable,
        "last_observed": _EPOCH + timedelta(int(observed.max())) if len(observed) else None,
    }


def _distinct(days: NDArray[np.int32], dates: pa.ChunkedArray) -> int:
    """How many different `dates` there are, whose `days` these are."""
    if (days == NO_DAY).any():  # one for whatever is no date
        return int(pc.count_distinct(dates).as_py())
    return len(days) - int((np.diff(np.sort(days)) == 0).sum())


def series_measures(series: Series, file: Written, value: str) -> Row:
    """Of a written table of silver: rows, dates, order, the values' count and range."""
    return _table_measures(series.days, {value: series.values}, file)


def gold_measures(gold: Gold, file: Written) -> Row:
    """Of written gold the same, and the rows that have both a price and a trend."""
    values = {name: getattr(gold, name) for name in GOLD.numbers}
    covered = ~np.isnan(gold.price) & ~np.isnan(gold.trend_i)
    return {**_table_measures(gold.days, values, file), "covered": int(covered.sum())}


def _table_measures(
    days: NDArray[np.int32], values: dict[str, NDArray[np.float64]], file: Written
) -> Row:
    first, last, dateless = file.range("date")
    row: Row = {
        "rows": file.rows,
        "dates": file.rows - dateless,
        "first_date": first,
        "last_date": last,
        "out_of_order": int((np.diff(days) <= 0).sum()),
    }
    for name, column in values.items():
        low, high, nulls = file.range(name)
        row |= {
            f"{name}_count": file.rows - nulls,
            f"{name}_min": low,
            f"{name}_max": high,
            f"{name}_infinite": int(np.isinf(column).sum()),
        }
    return row


def silver_problems(kind: str, given: Row, table: Row | None, currency: Currency) -> Iterator[str]:
    """What is wrong with one silver table, given what bronze held and what was written."""
    value = VALUES[kind]
    if table is None or not table[f"{value}_count"]:
        yield f"{kind}: no valid {value} in {given['given']} data lines"
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


def gold_expectations(history: Series, trend: Series) -> Row:
    """What gold must hold, counted on silver without gold's own union."""
    days = np.concatenate([history.days, trend.days])
    return {
        "rows": len({*days.tolist()}),
        "first_date": _EPOCH + timedelta(int(days.min())),
        "last_date": _EPOCH + timedelta(int(days.max())),
        "price_count": int((~np.isnan(history.values)).sum()),
        "g_trend_count": len(trend),
    }


def gold_problems(expected: Row, table: Row) -> Iterator[str]:
    """What is wrong with a currency's gold, given what silver held and what was written."""
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


def load_problems(gold: Row, table: Row) -> Iterator[str]:
    """What is wrong with a currency's file for the warehouse, given gold's own measures."""
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
