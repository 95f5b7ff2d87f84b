"""The audit between writing and publishing: what was measured of a currency and what is wrong.

`*_measures` look at the footers of the written files and count the rest in another way than the
data was made; `*_findings` are plain Python over one such row: which rules of `rules` it breaks.
Rows are counted on both sides of every step. Nothing here changes data.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from crypto_assets.spark.exports.steps import JUMP
from crypto_assets.spark.job_spec import Finding
from crypto_assets.spark.market_data.silver import NO_DAY
from crypto_assets.spark.market_data.tables import GOLD, SILVER_HISTORY, SILVER_TREND
from crypto_assets.spark.problems import SHOWN_PROBLEMS, bad_line_texts, bad_lines

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


def bronze_findings(row: Row, currency: Currency, kind: str) -> Iterator[Finding]:
    """What is wrong with one file's bronze."""
    upload, lines = currency.files[kind], row["file_lines"]
    name = upload.name
    if row["lines"] != lines or not row["numbered"]:
        problem = f"{row['lines']} rows for a file of {lines} lines: some were lost, doubled or"
        yield Finding("lines", f"{name}: {problem} taken twice", lines, row["lines"])
    elif (known := sum(row[part] for part in PARTS)) != lines:
        problem = f"{name}: only {known} of {lines} lines have a role that is known"
        yield Finding("roles", problem, lines, known)
    if row["etag"] != upload.etag:
        problem = f"{name}: another file's content was stored for it"
        yield Finding("content", problem, upload.etag, row["etag"])
    if not row["data"]:
        yield Finding("data", f"{name}: there is no data line", "a data line", 0)
    elif (row["last_head"] or 0) > row["first_data"]:
        at = f"line {row['last_head']}"
        problem = f"{name}: {at} between the data was taken for a header"
        yield Finding("header", problem, f"above line {row['first_data']}", at)
    elif row["first_foot"] and row["first_foot"] < row["last_data"]:
        at = f"line {row['first_foot']}"
        problem = f"{name}: {at} between the data was taken for a footer"
        yield Finding("footer", problem, f"below line {row['last_data']}", at)
    if row["bad"]:
        examples = tuple(bad_line_texts(row))
        yield Finding("bad_lines", f"{name}: {bad_lines(row)}", 0, row["bad"], examples)


def step_warnings(steps: list[str]) -> Iterator[Finding]:
    """The steps of a price that the reader remarked, if there are any."""
    if steps:
        count = "1 step" if len(steps) == 1 else f"{len(steps):,} steps"
        problem = f"{count} of the price of {JUMP:.0f} times or more"
        yield Finding("steps", problem, 0, len(steps), tuple(steps[:SHOWN_PROBLEMS]), warns=True)


def given_measures(lines: pa.Table, values: Values) -> Row:
    """What silver was given: data lines, their dates, and those without a value.

    `missing` are dates where a date has several lines. `last_observed` is the last with a value.
    """
    none, dates = np.isnan(values.series.values), lines["date"]
    observed = values.series.days[~none]
    distinct = _distinct(values.series.days, dates)
    missing = int(np.count_nonzero(none))
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
    return len(days) - int(np.count_nonzero(np.diff(np.sort(days)) == 0))


def series_measures(series: Series, file: Written, value: str) -> Row:
    """Of a written table of silver: rows, dates, order, the values' count and range."""
    return _table_measures(series.days, {value: series.values}, file)


def gold_measures(gold: Gold, file: Written) -> Row:
    """Of written gold the same, and the rows that have both a price and a trend."""
    values = {name: getattr(gold, name) for name in GOLD.numbers}
    covered = ~np.isnan(gold.price) & ~np.isnan(gold.trend_i)
    return {**_table_measures(gold.days, values, file), "covered": int(np.count_nonzero(covered))}


def _table_measures(
    days: NDArray[np.int32], values: dict[str, NDArray[np.float64]], file: Written
) -> Row:
    first, last, dateless = file.range("date")
    row: Row = {
        "rows": file.rows,
        "dates": file.rows - dateless,
        "first_date": first,
        "last_date": last,
        "out_of_order": int(np.count_nonzero(np.diff(days) <= 0)),
    }
    for name, column in values.items():
        low, high, nulls = file.range(name)
        row |= {
            f"{name}_count": file.rows - nulls,
            f"{name}_min": low,
            f"{name}_max": high,
            f"{name}_infinite": int(np.count_nonzero(np.isinf(column))),
        }
    return row


def silver_findings(
    kind: str, given: Row, table: Row | None, currency: Currency
) -> Iterator[Finding]:
    """What is wrong with one silver table, given what bronze held and what was written."""
    value = VALUES[kind]
    if table is None or not table[f"{value}_count"]:
        problem = f"{kind}: no valid {value} in {given['given']} data lines"
        yield Finding("values", problem, "a valid value", 0)
        return
    if unreadable := given["unreadable"]:
        problem = f"{kind}: {unreadable} rows whose {value} cannot be read"
        yield Finding("readable_values", problem, 0, unreadable)
    expected, rows = rows_expected(kind, given, currency), table["rows"]
    if rows != expected:
        problem = f"{kind}: {expected} rows expected, {rows} written: lost, or several a date"
        yield Finding("rows", problem, expected, rows)
    yield from _table_findings(kind, table, value)
    if kind == "history" and not (low := table["price_min"]) > 0:
        yield Finding("range", f"{kind}: a price of {low}; prices are above 0", "> 0", low)
    if kind == "trend" and (low := table["g_trend_min"]) < 0:
        yield Finding("range", f"{kind}: a trend of {low}; trends are 0 or more", ">= 0", low)


def rows_expected(kind: str, given: Row, currency: Currency) -> int:
    """How many rows silver writes: one for each date it keeps."""
    return int(given["dates"]) - dropped_missing(kind, given, currency)


def dropped_missing(kind: str, given: Row, currency: Currency) -> int:
    """How many rows silver leaves out because their value is missing."""
    drops = kind == "trend" or currency.choices.missing == "drop"
    return int(given["missing"]) if drops else 0


def gold_expectations(history: Series, trend: Series) -> Row:
    """What gold must hold, counted on silver without gold's own union."""
    days = np.sort(np.concatenate([history.days, trend.days]))
    return {
        "rows": 1 + int(np.count_nonzero(np.diff(days))),
        "first_date": _EPOCH + timedelta(int(days[0])),
        "last_date": _EPOCH + timedelta(int(days[-1])),
        "price_count": int(np.count_nonzero(~np.isnan(history.values))),
        "g_trend_count": len(trend),
    }


def gold_findings(expected: Row, table: Row) -> Iterator[Finding]:
    """What is wrong with a currency's gold, given what silver held and what was written."""
    for name in ("rows", "first_date", "last_date"):
        wanted, found = expected[name], table[name]
        if found != wanted:
            problem = f"{name} should be {wanted}, is {found}"
            yield Finding(name, problem, wanted, found)
    wanted, found = expected["g_trend_count"], table["trend_count"]
    if found != wanted:
        problem = f"{wanted} trend observations in silver, {found} here"
        yield Finding("trends", problem, wanted, found)
    wanted, found = expected["price_count"], table["price_count"]
    if found < wanted:
        problem = f"{wanted} prices in silver, {found} here"
        yield Finding("prices", problem, f">= {wanted}", found)
    yield from _table_findings("gold", table, *GOLD.numbers)
    yield from _outside("pricema", table, "price")
    yield from _outside("trend_i", table, "trend")


def load_findings(gold: Row, table: Row) -> Iterator[Finding]:
    """What is wrong with a currency's file for the warehouse, given gold's own measures."""
    for name, value in gold.items():
        if table[name] != value:
            problem = f"{name} is {value} in gold, {table[name]} in the file for the warehouse"
            yield Finding("load_file", problem, value, table[name])


def gold_warnings(table: Row) -> Iterator[Finding]:
    """What a reader of gold should know of how history and trend lie to each other."""
    covered, wanted = table["covered"], f">= {MIN_COVERED:.0%} of {table['price_count']} days"
    if not covered:
        yield Finding("overlap", "history and trend share no day", wanted, covered, warns=True)
    elif covered < MIN_COVERED * table["price_count"]:
        problem = f"the trend covers {covered / table['price_count']:.0%} of the days with a price"
        yield Finding("overlap", problem, wanted, covered, warns=True)


def _table_findings(name: str, table: Row, *values: str) -> Iterator[Finding]:
    if lacking := table["rows"] - table["dates"]:
        problem = f"{name}: {lacking} rows whose date cannot be read"
        yield Finding("dates", problem, table["rows"], table["dates"])
    if behind := table["out_of_order"]:
        problem = (
            f"{name}: {behind} rows do not come after the date before them: a date has several "
            "values, or rows are out of order"
        )
        yield Finding("order", problem, 0, behind)
    for value in values:
        if infinite := table[f"{value}_infinite"]:
            problem = f"{name}: {infinite} values of {value} are not finite numbers"
            yield Finding("finite", problem, 0, infinite)


def _outside(derived: str, table: Row, source: str) -> Iterator[Finding]:
    """A mean or an interpolation lies within the range of what it was made from."""
    if not table[f"{derived}_count"]:
        return
    low, high = table[f"{source}_min"], table[f"{source}_max"]
    least, most = table[f"{derived}_min"], table[f"{derived}_max"]
    if least < low * (1 - ROUNDING) or most > high * (1 + ROUNDING):
        wanted, found = f"{low}..{high}", f"{least}..{most}"
        problem = f"{derived} {found} leaves the range of {source} {wanted}"
        yield Finding(f"{derived}_range", problem, wanted, found)
