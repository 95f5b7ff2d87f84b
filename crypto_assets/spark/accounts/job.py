"""The job of the customer accounts: one snapshot from its uploads to the changes for the store.

Every layer is written below `spec.staging` and audited there. Publishing, and writing the changes
into the store, are done by whoever wrote the job spec (`resources/`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from crypto_assets.spark.accounts import audit, transform
from crypto_assets.spark.accounts.bronze import bronze_layer
from crypto_assets.spark.accounts.changes import changes, items, stored_after
from crypto_assets.spark.accounts.profile import profile
from crypto_assets.spark.accounts.snapshot import Snapshot
from crypto_assets.spark.accounts.tables import (
    BRONZE_ACCOUNTS,
    BRONZE_CUSTOMERS,
    CHANGES,
    CUSTOMER_ACCOUNTS,
    SILVER_ACCOUNTS,
    SILVER_CUSTOMERS,
    STORED,
)
from crypto_assets.spark.job_spec import Verdict
from crypto_assets.spark.storage import (
    files_by_folder,
    partition_folder,
    read,
    read_partition,
    write,
    write_partition,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import Column, DataFrame, SparkSession

    from crypto_assets.spark.job_spec import JobSpec, Partition
    from crypto_assets.spark.tables import Table

_NUMBER = "account_number"


@dataclass(frozen=True)
class _Kind:
    """One of the two kinds of rows a snapshot is made of, and how its silver comes about."""

    bronze: Table
    silver: Table
    checked: Callable[[DataFrame], DataFrame]
    rows: Callable[[DataFrame, DataFrame | None], DataFrame]
    key: str
    columns: Sequence[str]
    flags: Mapping[str, Column]


def _silver(session: SparkSession, spec: JobSpec, snapshot: Snapshot) -> Verdict:
    problems: list[str] = []
    measures: dict[str, Any] = {}
    for name, kind in _kinds().items():
        wrong, measures[name] = _cleaned(session, spec, snapshot, kind)
        problems += [f"{name}: {problem}" for problem in wrong]
    measures["profile"] = profile(session, spec, snapshot)
    return Verdict(snapshot.name, "accounts_silver", tuple(problems), measures)


def _kinds() -> dict[str, _Kind]:
    return {
        "customers": _Kind(
            bronze=BRONZE_CUSTOMERS,
            silver=SILVER_CUSTOMERS,
            checked=transform.customers,
            rows=lambda checked, _: transform.distinct_customers(checked),
            key="customer_id",
            columns=transform.CUSTOMER,
            flags=_unknown("first_name", "last_name", "gender", "state"),
        ),
        "accounts": _Kind(
            bronze=BRONZE_ACCOUNTS,
            silver=SILVER_ACCOUNTS,
            checked=transform.accounts,
            rows=transform.numbered_accounts,
            key=_NUMBER,
            columns=transform.ACCOUNT,
            flags={
                **_unknown("type_of_account"),
                "unlisted_type_of_account": ~F.col("type_of_account").isin(
                    *transform.TYPES, transform.UNKNOWN
                ),
                "no_customer_id": F.col("customer_id").isNull(),
                "no_created_at": F.col("created_at").isNull(),
            },
        ),
    }


def _unknown(*columns: str) -> dict[str, Column]:
    return {f"unknown_{name}": F.col(name) == transform.UNKNOWN for name in columns}


def _cleaned(
    session: SparkSession, spec: JobSpec, snapshot: Snapshot, kind: _Kind
) -> tuple[list[str], dict[str, Any]]:
    """Writes one silver table, unless a line is bad; problems and measures."""
    bronze = _read(session, spec, snapshot, kind.bronze)
    facts = json.loads(_row(bronze.where("line = 0").select("facts"))["facts"])
    checked = kind.checked(bronze.where("line > 0"))
    given = _row(audit.checked_measures(checked))
    if given["bad"]:
        bad = _rows(audit.bad_lines(checked))
        return [audit.told_lines(given["bad"], "bad lines", bad)], given
    rows = kind.rows(checked, _stored(session, spec, snapshot))
    write_partition(rows, spec.staging, kind.silver, snapshot.name, kind.key)
    table = _row(
        audit.table_measures(_read(session, spec, snapshot, kind.silver), kind.key, kind.flags)
    )
    distinct = given["kept"]
    if table["rows"] != distinct:
        distinct = audit.distinct_rows(checked, kind.columns)
    problems = list(audit.silver_problems(facts, given, distinct, table, snapshot))
    if table["keys"] != table["rows"]:
        again = _rows(audit.conflicts(checked, kind.key, kind.columns))
        what = f"lines contradict one before of the same {kind.key}"
        problems.append(audit.told_lines(table["rows"] - table["keys"], what, again))
    dropped = _rows(audit.dropped_lines(checked)) if given["dropped"] else []
    return problems, {
        "lines": given["lines"],
        "rows": table["rows"],
        "duplicates": given["kept"] - distinct,
        "dropped": given["dropped"],
        "dropped_lines": [f"line {row['line']}: {row['dropped']}" for row in dropped],
        **{name: table[name] for name in kind.flags},
    }


def _customer_accounts(session: SparkSession, spec: JobSpec, snapshot: Snapshot) -> Verdict:
    customers = _read(session, spec, snapshot, SILVER_CUSTOMERS)
    accounts = _read(session, spec, snapshot, SILVER_ACCOUNTS)
    joined = transform.customer_accounts(customers, accounts)
    write(joined, spec.staging, CUSTOMER_ACCOUNTS, _NUMBER)
    written = _read(session, spec, snapshot, CUSTOMER_ACCOUNTS)
    made = {"legacy": ~F.col(_NUMBER).rlike(transform.UUID)}
    table = _row(audit.table_measures(written, _NUMBER, made))
    owners = _row(audit.owners(customers, accounts))
    problems = list(audit.accounts_problems(owners.pop("accounts"), table))
    files = files_by_folder(spec.staging, CUSTOMER_ACCOUNTS)
    years: dict[str, dict[str, int]] = {}
    for found in _rows(audit.years(written).orderBy("created_at_year")):
        year = found["created_at_year"]
        count = files.get(partition_folder(CUSTOMER_ACCOUNTS, year), 0)
        problems += audit.year_problems(found, count)
        name = transform.UNKNOWN if year is None else str(year)
        years[name] = {"files": count, "rows": found["rows"]}
    measures = {
        "rows": table["rows"],
        "years": years,
        **owners,
        "legacy": table["legacy"],
    }
    return Verdict(snapshot.name, "customer_accounts", tuple(problems), measures)


def _store(session: SparkSession, spec: JobSpec, snapshot: Snapshot) -> Verdict:
    accounts = _read(session, spec, snapshot, CUSTOMER_ACCOUNTS)
    stored = _stored(session, spec, snapshot)
    before = {"items": 0, "live": 0} if stored is None else _row(audit.live(stored))
    found = changes(accounts, stored, snapshot)
    write_partition(found, spec.staging, CHANGES, snapshot.name, _NUMBER)
    written = _read(session, spec, snapshot, CHANGES)
    write_partition(stored_after(stored, written), spec.staging, STORED, snapshot.name, _NUMBER)
    after = _read(session, spec, snapshot, STORED)
    done, wanted = _row(audit.done_measures(written)), _row(audit.live(items(accounts)))
    keys = _row(audit.table_measures(after, _NUMBER, {}))["keys"]
    problems = list(audit.store_problems(before, done, wanted, _row(audit.live(after)), keys))
    examples: dict[str, list[str]] = {name: [] for name in done}
    for row in _rows(audit.examples(written)):
        examples[audit.DONE[row["operation"]]].append(row[_NUMBER])
    changed = done["inserted"] + done["changed"] + done["restored"]
    measures = {
        **done,
        "unchanged": wanted["live"] - changed,
        "live_before": before["live"],
        "examples": {name: sorted(numbers) for name, numbers in examples.items()},
    }
    return Verdict(snapshot.name, "customer_account_store", tuple(problems), measures)


def _stored(session: SparkSession, spec: JobSpec, snapshot: Snapshot) -> DataFrame | None:
    """What the store holds, if it holds anything."""
    if not snapshot.stored:
        return None
    return read_partition(session, spec.lake, STORED, snapshot.stored)


def _read(session: SparkSession, spec: JobSpec, snapshot: Snapshot, table: Table) -> DataFrame:
    """The rows of this snapshot, from staging if this job computes the table, else published."""
    root = spec.staging if table.layer in spec.layers else spec.lake
    if table is CUSTOMER_ACCOUNTS:
        return read(session, root, table)
    return read_partition(session, root, table, snapshot.name)


def _row(measures: DataFrame) -> dict[str, Any]:
    (row,) = _rows(measures)
    return row


def _rows(measures: DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = measures.toArrow().to_pylist()
    return rows


def _each(
    step: Callable[[SparkSession, JobSpec, Snapshot], Verdict],
) -> Callable[[SparkSession, JobSpec, list[Partition]], Iterator[Verdict]]:
    """The step for any number of snapshots, one after the other."""

    def steps(
        session: SparkSession, spec: JobSpec, partitions: list[Partition]
    ) -> Iterator[Verdict]:
        for partition in partitions:
            yield step(session, spec, Snapshot.of(partition))

    return steps


STEPS = {
    "accounts_bronze": _each(bronze_layer),
    "accounts_silver": _each(_silver),
    "customer_accounts": _each(_customer_accounts),
    "customer_account_store": _each(_store),
}
