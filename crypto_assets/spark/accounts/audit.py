"""The audit of the customer accounts: what was measured of each layer and what is wrong with it.

`*_measures` are Spark aggregates that give one row, `*_problems` plain Python over such rows. Rows
are counted on both sides of every step. Nothing here changes data.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from crypto_assets.spark import problems
from crypto_assets.spark.accounts import transform
from crypto_assets.spark.accounts.changes import ITEM, OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyspark.sql import Column, DataFrame

    from crypto_assets.spark.accounts.snapshot import Snapshot

Row = dict[str, Any]

# How the digest calls what an operation did.
DONE = dict(zip(OPERATIONS, ("inserted", "changed", "deleted", "restored"), strict=True))


def checked_measures(checked: DataFrame) -> DataFrame:
    """Of lines typed and cleaned: how many there are, are bad, are to be dropped, are kept."""
    good = F.col("problem").isNull()
    return checked.agg(
        F.count("*").alias("lines"),
        F.count_if(~good).alias("bad"),
        F.count_if(good & F.col("dropped").isNotNull()).alias("dropped"),
        F.count_if(good & F.col("dropped").isNull()).alias("kept"),
    )


def bad_lines(checked: DataFrame) -> DataFrame:
    """The first bad lines: line, problem."""
    return _first(checked.where(F.col("problem").isNotNull()).select("line", "problem"))


def dropped_lines(checked: DataFrame) -> DataFrame:
    """The first lines to be dropped: line, dropped."""
    return _first(checked.where(F.col("dropped").isNotNull()).select("line", "dropped"))


def conflicts(checked: DataFrame, key: str, values: Sequence[str]) -> DataFrame:
    """The first lines whose key stands with other values in a line before: line, problem."""
    rows = transform.kept(checked).where(F.col(key).isNotNull())
    lines = rows.groupBy(*values).agg(F.min("line").alias("line"))
    first = lines.groupBy(key).agg(F.min("line").alias("first_line"))
    later = lines.join(first, key).where(F.col("line") > F.col("first_line"))
    problem = F.concat(F.lit("differs from line "), F.col("first_line").cast("string"))
    return _first(later.select("line", problem.alias("problem")))


def distinct_rows(checked: DataFrame, values: Sequence[str]) -> int:
    """How many different rows are kept, counted without what writes them."""
    return transform.kept(checked).groupBy(*values).agg(F.count("*")).count()


def table_measures(table: DataFrame, key: str, flags: Mapping[str, Column]) -> DataFrame:
    """Of a table: its rows, how many keys they have, and how many rows have each flag."""
    by_key = table.groupBy(key).agg(
        F.count("*").alias("rows"), *[F.count_if(flag).alias(name) for name, flag in flags.items()]
    )
    sums = [_sum(F.col(name)).alias(name) for name in ("rows", *flags)]
    return by_key.agg(*sums, F.count(key).alias("keys"))


def silver_problems(
    facts: Row, given: Row, distinct: int, table: Row, snapshot: Snapshot
) -> Iterator[str]:
    """What is wrong with a silver table, given its file's facts and the rows that were to be kept.

    Only where customers are left out who are to be forgotten, nobody may be left.
    """
    if given["lines"] != facts["rows"]:
        yield f"{given['lines']} rows were read, the file has {facts['rows']}"
    if table["rows"] != distinct:
        yield f"{distinct} rows expected, {table['rows']} written: some were lost or doubled"
    if not table["rows"] and not snapshot.forgotten:
        yield "there is no row in it: upload the whole file again"


def told_lines(count: int, kind: str, first: Sequence[Row]) -> str:
    """So many lines are of a kind; the first of them with the problem of each."""
    return f"{count} {kind}: {problems.bad_lines({'bad': count, 'bad_lines': first})}"


def years(customer_accounts: DataFrame) -> DataFrame:
    """Per year's folder: rows, and how many of them are of another year."""
    right = transform.utc_year("created_at").eqNullSafe(F.col("created_at_year"))
    return customer_accounts.groupBy("created_at_year").agg(
        F.count("*").alias("rows"), F.count_if(~right).alias("strangers")
    )


def owners(customers: DataFrame, accounts: DataFrame) -> DataFrame:
    """How many accounts there are, how many have no customer, how many customers no account."""
    by_id = accounts.groupBy("customer_id").agg(F.count("*").alias("accounts"))
    known = customers.select("customer_id", F.lit(True).alias("known"))
    # A null id meets no customer's.
    return known.join(by_id, "customer_id", "full").agg(
        _sum(F.col("accounts")).alias("accounts"),
        _sum(F.when(F.col("known").isNull(), F.col("accounts"))).alias("accounts_without_customer"),
        F.count_if(F.col("accounts").isNull()).alias("customers_without_account"),
    )


def year_problems(found: Row, files: int) -> Iterator[str]:
    """What is wrong with one year's folder."""
    year = found["created_at_year"]
    if files != 1:
        yield f"year {year}: one file is wanted, found {files}"
    if found["strangers"]:
        yield f"year {year}: {found['strangers']} rows are of another year"


def accounts_problems(given: int, table: Row) -> Iterator[str]:
    """What is wrong with the joined table, given the accounts and what was written."""
    if table["rows"] != given:
        yield f"{given} accounts, {table['rows']} rows written: some were lost or doubled"
    if table["keys"] != table["rows"]:
        yield f"{table['rows'] - table['keys']} rows repeat an account number"


def done_measures(changes: DataFrame) -> DataFrame:
    """How many changes there are of each operation, by the digest's words."""
    return changes.agg(
        *[F.count_if(F.col("operation") == name).alias(done) for name, done in DONE.items()]
    )


def examples(changes: DataFrame) -> DataFrame:
    """The first account numbers of each operation: operation, account_number."""
    return reduce(
        lambda above, below: above.unionAll(below),
        (
            changes.where(F.col("operation") == operation)
            .select("operation", "account_number")
            .orderBy("account_number")
            .limit(problems.SHOWN_PROBLEMS)
            for operation in OPERATIONS
        ),
    )


def live(stored: DataFrame) -> DataFrame:
    """How many of the store's items are live, and a hash of all that those say."""
    is_live = F.col("deleted_at").isNull()
    return stored.agg(
        F.count("*").alias("items"),
        F.count_if(is_live).alias("live"),
        F.bit_xor(F.when(is_live, F.xxhash64(*ITEM))).alias("content"),
    )


def store_problems(before: Row, done: Row, wanted: Row, after: Row, keys: int) -> Iterator[str]:
    """What is wrong with what the store would hold, given what it holds and the changes."""
    if (after["live"], after["content"]) != (wanted["live"], wanted["content"]):
        yield (
            f"the store would hold {after['live']} live accounts that are not the "
            f"{wanted['live']} of this snapshot"
        )
    expected = {
        "items": before["items"] + done["inserted"],
        "live": before["live"] + done["inserted"] + done["restored"] - done["deleted"],
    }
    for name, count in expected.items():
        if after[name] != count:
            yield f"{name}: {count} expected after the changes, {after[name]} written"
    if keys != after["items"]:
        yield f"{after['items'] - keys} items repeat an account number"


def _sum(values: Column) -> Column:
    """Their sum, 0 of none."""
    return F.coalesce(F.sum(values), F.lit(0))


def _first(lines: DataFrame) -> DataFrame:
    return lines.orderBy("line").limit(problems.SHOWN_PROBLEMS)
