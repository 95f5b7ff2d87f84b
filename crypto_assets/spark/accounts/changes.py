"""The changes that lead from what the store holds to a snapshot, and what it holds after them.

Pure DataFrame code. Writing the changes into a store is the matter of `resources/`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from crypto_assets.spark.accounts import tables

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from crypto_assets.spark.accounts.snapshot import Snapshot

INSERT, CHANGE, DELETE, RESTORE = OPERATIONS = ("insert", "change", "delete", "restore")
UNKNOWN_YEAR = 0

ITEM = tuple(column.name for column in tables.ITEM)
# What an item says of an account; `account_number` is what it is known by.
VALUES = tuple(name for name in ITEM if name not in ("account_number", "deleted_at"))


def changes(
    customer_accounts: DataFrame, stored: DataFrame | None, snapshot: Snapshot
) -> DataFrame:
    """One row per item to be written: operation, previous_year and the columns of `ITEM`.

    `stored` is the store's last `STORED`; without one everything is inserted. An account that is
    missing now is deleted at the snapshot's arrival and keeps its other values.
    """
    found = items(customer_accounts)
    none = F.lit(None).cast("int")
    if stored is None:
        return found.select(F.lit(INSERT).alias("operation"), none.alias("previous_year"), *ITEM)
    both = found.alias("new").join(
        stored.alias("old"), F.col("new.account_number") == F.col("old.account_number"), "full"
    )
    is_new, is_gone = (F.col(f"{side}.account_number").isNull() for side in ("old", "new"))
    was_deleted = F.col("old.deleted_at").isNotNull()
    operation = (
        F.when(is_new, F.lit(INSERT))
        .when(is_gone & ~was_deleted, F.lit(DELETE))
        .when(~is_gone & was_deleted, F.lit(RESTORE))
        .when(~is_gone & reduce(or_, map(_differs, VALUES)), F.lit(CHANGE))
    )
    moved = ~is_gone & _differs("created_at_year")
    arrived_at = datetime.fromisoformat(snapshot.arrived_at)
    values = [
        F.when(is_gone, F.col(f"old.{name}")).otherwise(F.col(f"new.{name}")).alias(name)
        for name in ITEM
        if name != "deleted_at"
    ]
    return both.select(
        operation.alias("operation"),
        F.when(moved, F.col("old.created_at_year")).alias("previous_year"),
        *values,
        F.when(is_gone, F.lit(_in_utc(arrived_at))).alias("deleted_at"),
    ).where(F.col("operation").isNotNull())


def stored_after(stored: DataFrame | None, changes: DataFrame) -> DataFrame:
    """What the store holds once these changes are in it: the columns of `ITEM`."""
    written = changes.select(*ITEM)
    if stored is None:
        return written
    untouched = stored.join(changes.select("account_number"), "account_number", "left_anti")
    return untouched.select(*ITEM).unionByName(written)


def items(customer_accounts: DataFrame) -> DataFrame:
    """The accounts as items of the store: the columns of `ITEM`, none deleted.

    The year is part of an item's key and cannot be null there.
    """
    year = F.coalesce("created_at_year", F.lit(UNKNOWN_YEAR))
    return (
        customer_accounts.withColumn("created_at_year", year)
        .withColumn("deleted_at", F.lit(None).cast("timestamp"))
        .select(*ITEM)
    )


def _differs(name: str) -> Column:
    return ~F.col(f"new.{name}").eqNullSafe(F.col(f"old.{name}"))


def _in_utc(time: datetime) -> datetime:
    """A time without a zone is UTC's; an engine would take it for one of its machine's zone."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)
