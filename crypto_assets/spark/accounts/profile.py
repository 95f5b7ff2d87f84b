"""The profile of a snapshot: what its two files look like, before anything is mended in them.

Counted on bronze, two Spark actions for each file. Plain values that survive JSON come out, few
enough for a page; how they are shown is not decided here, nor is what makes a snapshot fail.
"""

from __future__ import annotations

import difflib
from collections import Counter
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from crypto_assets.spark.accounts.header import COLUMNS
from crypto_assets.spark.accounts.states import SPELLINGS, full_name
from crypto_assets.spark.accounts.tables import BRONZE_ACCOUNTS, BRONZE_CUSTOMERS
from crypto_assets.spark.storage import read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame, SparkSession

    from crypto_assets.spark.accounts.snapshot import Snapshot
    from crypto_assets.spark.job_spec import JobSpec
    from crypto_assets.spark.tables import Table

SHOWN_MISSPELT = 50
SHOWN_VALUES = 50
SHOWN_LETTERS = 60
UNKNOWN = "unknown"
OTHER = "other values"


def profile(session: SparkSession, spec: JobSpec, snapshot: Snapshot) -> dict[str, Any]:
    """What the snapshot's files hold, from bronze as staged by this job, else as published.

    `nulls` are shares (0 to 1) by column, `duplicates` the rows beyond the first of identical ones,
    `legacy_share` that of accounts without number; `states`, `genders`, `types` and `years` are
    counts of rows, the most frequent first; `misspelt` are the most frequent states that are none,
    each with its rows and the `nearest` real one (None: no state is near).
    """
    return {
        "customers": _customers(_rows(session, spec, snapshot, BRONZE_CUSTOMERS)),
        "accounts": _accounts(_rows(session, spec, snapshot, BRONZE_ACCOUNTS)),
    }


def _rows(session: SparkSession, spec: JobSpec, snapshot: Snapshot, table: Table) -> DataFrame:
    """The rows that were read well."""
    root = spec.staging if table.layer in spec.layers else spec.lake
    rows = read(session, root, table)
    this = F.col("snapshot") == snapshot.name
    return rows.where(this & (F.col("line") > 0) & F.col("problem").isNull())


def _customers(rows: DataFrame) -> dict[str, Any]:
    states: Counter[str] = Counter()
    genders: Counter[str] = Counter()
    misspelt: Counter[str] = Counter()
    for state, gender, count in _counted(rows, F.col("state"), F.col("gender")):
        name = full_name(state)
        states[name or UNKNOWN] += count
        genders[gender or UNKNOWN] += count
        if state and not name:
            misspelt[state] += count
    return {
        **_shape(rows, COLUMNS["customers"]),
        "states": dict(_frequent(states)),
        "genders": _most(genders),
        "misspelt_rows": misspelt.total(),
        "misspelt_states": len(misspelt),
        "misspelt": [
            {"state": state[:SHOWN_LETTERS], "rows": count, "nearest": nearest(state)}
            for state, count in _frequent(misspelt)[:SHOWN_MISSPELT]
        ],
    }


def _accounts(rows: DataFrame) -> dict[str, Any]:
    # What is no time is silver's matter; a year before a hyphen is enough to count by.
    year = F.regexp_extract("created_at", r"^(\d{4})-", 1)
    types: Counter[str] = Counter()
    years: Counter[str] = Counter()
    for kind, found, count in _counted(rows, F.lower("type_of_account"), year):
        types[kind or UNKNOWN] += count
        years[found or UNKNOWN] += count
    shape = _shape(rows, COLUMNS["accounts"])
    return {
        **shape,
        "legacy_share": shape["nulls"]["account_number"],
        "types": _most(types),
        "years": dict(sorted(_most(years).items())),
    }


def _shape(rows: DataFrame, columns: tuple[str, ...]) -> dict[str, Any]:
    """The number of rows, how many of them repeat another, and each column's share of nulls."""
    different = rows.groupBy(*columns).agg(F.count("*").alias("times"))
    nulls = [
        F.sum(F.when(F.col(column).isNull(), F.col("times"))).alias(column) for column in columns
    ]
    measures = different.agg(
        F.count("*").alias("different"), F.coalesce(F.sum("times"), F.lit(0)).alias("rows"), *nulls
    )
    row: dict[str, Any] = measures.toArrow().to_pylist()[0]
    return {
        "rows": row["rows"],
        "duplicates": row["rows"] - row["different"],
        "nulls": {column: round((row[column] or 0) / max(row["rows"], 1), 6) for column in columns},
    }


def _counted(rows: DataFrame, one: Column, other: Column) -> Iterable[tuple[str, str, int]]:
    """How many rows have each pair of values: these are few, where the rows are many."""
    pairs = rows.groupBy(one.alias("one"), other.alias("other")).agg(F.count("*").alias("times"))
    columns = pairs.toArrow().to_pydict()
    return zip(columns["one"], columns["other"], columns["times"], strict=True)


def _most(counts: Counter[str]) -> dict[str, int]:
    """The most frequent values and their counts; those of the rest are added up."""
    shown = {value[:SHOWN_LETTERS]: count for value, count in _frequent(counts)[:SHOWN_VALUES]}
    rest = counts.total() - sum(shown.values())
    return {**shown, OTHER: rest} if rest else shown


def _frequent(counts: Counter[str]) -> list[tuple[str, int]]:
    """The values and their counts, the most frequent first, the same in every run."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def nearest(state: str) -> str | None:
    """The real state whose spelling is most like this text, if one is like it."""
    text = " ".join(state[:SHOWN_LETTERS].lower().split())
    found = difflib.get_close_matches(text, SPELLINGS, n=1)
    return SPELLINGS[found[0]] if found else None
