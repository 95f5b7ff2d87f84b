"""The transformations of the customer accounts: text to typed rows, and those to one clean table.

Pure DataFrame code for one snapshot. What fills a gap, which spellings are one and which rows are
refused stands here and nowhere else; what a store makes of the result is `changes`.
"""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import Window
from pyspark.sql import functions as F

from crypto_assets.spark.accounts.states import SPELLINGS
from crypto_assets.spark.accounts.tables import ACCOUNT_TEXTS, CUSTOMER_TEXTS
from crypto_assets.spark.made import made

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

UNKNOWN = "unknown"
LEGACY = "legacy"
LEGACY_BECOMES = "checking"
TYPES = ("checking", "forex", "retirement", "saving", "trading")
YEARS = (1900, 2100)  # a year out of these is a slip or stands for "not known"
NO_CUSTOMER_ID = "no customer_id"
NO_OWNER = "neither customer_id nor account_number"
CUSTOMER = tuple(column.name for column in CUSTOMER_TEXTS)
ACCOUNT = tuple(column.name for column in ACCOUNT_TEXTS)
IDENTITY = ("customer_id", "type_of_account", "created_at")  # of an account without a number

# `\d`, `\s` and `$` mean other things to Sail than to Spark (Rust's and Java's); these do not.
_ID = r"\A-?[0-9]{1,10}\z"
UUID = r"\A[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\z"
_TIME = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{3})?Z\z"
_SPACES = r"[\p{Z}\t\n\x0b\f\r]+"
_SHOWN_LETTERS = 40
_DAY_MILLIS = 86_400_000


def customers(bronze: DataFrame) -> DataFrame:
    """The lines of `BRONZE_CUSTOMERS`, typed and cleaned, none left out.

    line, problem (null: none), dropped (why the row is to be left out; null: it is not), and the
    columns of `CUSTOMER`.
    """
    spelling = F.lower(F.regexp_replace("state", _SPACES, " "))
    return (
        bronze.withColumn("spelling", spelling)
        .join(F.broadcast(_states(bronze)), "spelling", "left")
        .select(
            "line",
            F.coalesce("problem", _id_problem()).alias("problem"),
            F.when(F.col("customer_id").isNull(), F.lit(NO_CUSTOMER_ID)).alias("dropped"),
            _customer_id().alias("customer_id"),
            _or_unknown("first_name"),
            _or_unknown("last_name"),
            _or_unknown("gender"),
            _or_unknown("full_name").alias("state"),
        )
    )


def accounts(bronze: DataFrame) -> DataFrame:
    """The lines of `BRONZE_ACCOUNTS`, typed and cleaned, none left out.

    line, problem and dropped as for customers, the columns of `ACCOUNT`, and `number_type`, the
    type as it was given; an account_number is null where none was given.
    """
    number, kind = F.lower("account_number"), F.lower("type_of_account")
    created_at = _time(F.col("created_at"))
    no_uuid = F.when(~number.rlike(UUID), _told("account_number", "is no UUID"))
    no_time = F.when(
        F.col("created_at").isNotNull() & created_at.isNull(),
        _told("created_at", f"is no time like 2024-02-29T13:45:00.000Z from {YEARS[0]} on"),
    )
    unowned = F.coalesce("customer_id", "account_number").isNull()
    return bronze.select(
        "line",
        F.coalesce("problem", _id_problem(), no_uuid, no_time).alias("problem"),
        F.when(unowned, F.lit(NO_OWNER)).alias("dropped"),
        _customer_id().alias("customer_id"),
        number.alias("account_number"),
        F.when(kind == LEGACY, F.lit(LEGACY_BECOMES))
        .otherwise(F.coalesce(kind, F.lit(UNKNOWN)))
        .alias("type_of_account"),
        created_at.alias("created_at"),
        F.coalesce(kind, F.lit(UNKNOWN)).alias("number_type"),
    )


def kept(checked: DataFrame) -> DataFrame:
    """The good lines of what `customers` or `accounts` gave, without those to be dropped."""
    return checked.where(F.col("problem").isNull() & F.col("dropped").isNull())


def distinct_customers(checked: DataFrame) -> DataFrame:
    """The customers kept of what `customers` gave, identical ones once."""
    return kept(checked).select(*CUSTOMER).distinct()


def numbered_accounts(checked: DataFrame, stored: DataFrame | None) -> DataFrame:
    """The accounts kept of what `accounts` gave, identical ones once, each with a number.

    One without a number keeps the number it has in `stored`, what the store holds: it is known by
    customer, type and creation. A new one gets `<customer_id><type>`. Where that is in use, and
    for a customer's later ones of that type, `-` and the milliseconds of its creation since 1970
    follow. So no account is renamed when another one disappears.
    """
    rows = kept(checked).select(*ACCOUNT, "number_type")
    has_number = F.col("account_number").isNotNull()
    # Apart, because numbering all of them takes twice as long.
    bare = rows.where(~has_number).groupBy(*IDENTITY).agg(F.min("number_type").alias("number_type"))
    return (
        _numbered(bare, stored)
        .select(*ACCOUNT)
        .unionByName(rows.where(has_number).select(*ACCOUNT).distinct())
    )


def _numbered(bare: DataFrame, stored: DataFrame | None) -> DataFrame:
    base = F.concat(F.col("customer_id").cast("string"), "number_type")
    created = F.coalesce(F.unix_millis("created_at").cast("string"), F.lit("undated"))
    bare = bare.withColumn("base", base).withColumn("later", F.concat("base", F.lit("-"), created))
    known = _known_numbers(bare, stored)
    by_creation = Window.partitionBy("base").orderBy(F.col("created_at").asc_nulls_last(), "later")
    new = known.where(F.col("known").isNull()).withColumn(
        "first", (F.row_number().over(by_creation) == 1) & ~F.col("in_use")
    )
    number = F.when(F.col("first"), F.col("base")).otherwise(F.col("later"))
    old = known.where(F.col("known").isNotNull()).withColumn("account_number", F.col("known"))
    return new.withColumn("account_number", number).drop("first").unionByName(old)


def _known_numbers(bare: DataFrame, stored: DataFrame | None) -> DataFrame:
    """Adds `known`, the number in the store of this very account, and whether `base` is in use."""
    if stored is None:
        none = F.lit(None).cast("string")
        return bare.withColumn("known", none).withColumn("in_use", F.lit(False))
    made = stored.where(~F.col("account_number").rlike(UUID))
    # Live items first: an earlier numbering may have left deleted ones of the same account.
    best = F.min(F.struct(F.col("deleted_at").isNotNull().alias("gone"), "account_number"))
    held = made.groupBy(*IDENTITY).agg(best.alias("best"))
    same = [F.col(f"bare.{name}").eqNullSafe(F.col(f"held.{name}")) for name in IDENTITY]
    joined = bare.alias("bare").join(held.alias("held"), reduce(and_, same), "left")
    found = joined.select("bare.*", F.col("best.account_number").alias("known"))
    used = made.select(F.col("account_number").alias("base"), F.lit(True).alias("used")).distinct()
    return (
        found.join(used, "base", "left")
        .withColumn("in_use", F.coalesce("used", F.lit(False)))
        .drop("used")
    )


def customer_accounts(customers: DataFrame, accounts: DataFrame) -> DataFrame:
    """Each account with its customer: the columns of `CUSTOMER_ACCOUNTS`.

    An account whose customer is not among `customers` is kept, with `unknown` for what would come
    from there.
    """
    owners = customers.select(
        "customer_id", F.concat_ws(" ", "first_name", "last_name").alias("name"), "gender", "state"
    )
    return accounts.join(owners, "customer_id", "left").select(
        "customer_id",
        F.coalesce("name", F.lit(f"{UNKNOWN} {UNKNOWN}")).alias("name"),
        _or_unknown("gender"),
        _or_unknown("state"),
        "account_number",
        "type_of_account",
        "created_at",
        utc_year("created_at").alias("created_at_year"),
    )


def utc_year(time: str) -> Column:
    """The year of a column of times in UTC; `year` would tell that of the session's time zone."""
    return F.year(_utc_day(F.col(time)))


def _states(frame: DataFrame) -> DataFrame:
    """Every accepted spelling of a state with its full name.

    Joined, because Sail takes 20 times as long to look a text up in a map (pysail 0.7.2).
    """
    names = {"spelling": list(SPELLINGS), "full_name": list(SPELLINGS.values())}
    return made(
        frame.sparkSession,
        lambda _: [pa.RecordBatch.from_pydict(names)],
        "spelling string, full_name string",
    )


def _or_unknown(column: str) -> Column:
    return F.coalesce(column, F.lit(UNKNOWN)).alias(column)


def _told(column: str, wrong: str) -> Column:
    shown = F.substring(column, 1, _SHOWN_LETTERS)
    return F.concat(F.lit(f"{column} '"), shown, F.lit(f"' {wrong}"))


def _customer_id() -> Column:
    text = F.col("customer_id")
    return F.when(text.rlike(_ID), text.try_cast("int"))


def _id_problem() -> Column:
    """The text itself is not told: where cells have shifted, a name stands there."""
    wrong = F.col("customer_id").isNotNull() & _customer_id().isNull()
    return F.when(wrong, F.lit("customer_id is no whole number, or too great a one"))


def _time(text: Column) -> Column:
    """The time an ISO text says; null if it is no real time or out of `YEARS`.

    An engine's cast may bend what it reads (an 8-digit year, a day that is not there): the day must
    come back as it was written.
    """
    time = text.try_cast("timestamp")
    day = _utc_day(time)
    same_day = day.cast("string") == F.substring(text, 1, 10)
    return F.when(text.rlike(_TIME) & same_day & F.year(day).between(*YEARS), time)


def _utc_day(time: Column) -> Column:
    """Counted from milliseconds: Sail rounds seconds before 1970 the wrong way (pysail 0.7.2)."""
    return F.date_from_unix_date(F.floor(F.unix_millis(time) / _DAY_MILLIS).cast("int"))
