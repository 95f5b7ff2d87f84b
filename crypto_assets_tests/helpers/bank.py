"""What the tests of customer accounts look at: table, warehouse, store, notices, and the truth."""

from __future__ import annotations

from collections import Counter

import duckdb
import pyarrow.dataset as ds

from crypto_assets.resources import wiring
from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from sample_data.accounts import Snapshot

DONE = {"insert": "inserted", "change": "changed", "delete": "deleted", "restore": "restored"}
COLUMNS = (
    *("customer_id", "name", "gender", "state", "account_number", "type_of_account"),
    *("created_at", "created_at_year"),
)


def register(snapshots: SnapshotRegistry, settings, snapshot: Snapshot) -> str:
    """Registers a snapshot without running it."""
    inbox = wiring.inbox(settings)
    files = {
        kind: inbox.pin(f"{kind}.csv", getattr(snapshot, kind).read_bytes())
        for kind in ACCOUNTS.files
    }
    return snapshots.register(files).partition


def table(settings) -> dict[str, dict]:
    """The published table by account number, as any tool reads it."""
    folder = settings.lake_folder / "customer_accounts"
    partitioning = ds.partitioning(flavor="hive")
    rows = ds.dataset(folder, partitioning=partitioning).to_table().to_pylist()
    found = {row["account_number"]: {name: row[name] for name in COLUMNS} for row in rows}
    assert len(found) == len(rows)
    return found


def warehouse(settings) -> dict[str, dict]:
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as connection:
        cursor = connection.execute("SELECT * FROM accounts.customer_accounts")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["account_number"]: row for row in rows}


def items(settings) -> dict[tuple[str, int], dict]:
    """Every item of the store by its key."""
    with duckdb.connect(str(settings.store_file), read_only=True) as connection:
        cursor = connection.execute("SELECT * FROM accounts.customer_account_store")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    found = {(row["account_number"], row["created_at_year"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def expected_items(bank: list[Snapshot], names: list[str], snapshots: SnapshotRegistry) -> dict:
    """What the store ought to hold after these snapshots, deleted items too."""
    held: dict[str, dict] = {}
    for truth, name in zip(bank, names, strict=True):
        arrived_at = snapshots.snapshot(name).facts["arrived_at"]
        for change in truth.changes:
            item = {k: v for k, v in change.items() if k not in ("operation", "previous_year")}
            held[item["account_number"]] = {**item, "deleted_at": item["deleted_at"] and arrived_at}
    return {(i["account_number"], i["created_at_year"]): i for i in held.values()}


def plain(rows: dict, *columns: str) -> dict:
    """Rows with their times as text of one form, so that they can be compared."""
    return {key: {name: _text(row[name]) for name in columns or row} for key, row in rows.items()}


def _text(value):
    if hasattr(value, "isoformat"):
        value = value.isoformat(timespec="milliseconds")
    return value.replace("+00:00", "") if isinstance(value, str) else value


def check_store(settings, bank, names, snapshots):
    expected = expected_items(bank, names, snapshots)
    assert plain(items(settings), *next(iter(expected.values()))) == plain(expected)


def notices(settings) -> list[str]:
    """The subjects of the notices so far."""
    if not settings.notices.exists():
        return []
    entries = settings.notices.read_text().split("\n\n")
    return [entry.split(" ", 1)[1].splitlines()[0] for entry in entries if entry.strip()]


def counts(truth: Snapshot) -> dict[str, int]:
    return Counter(DONE[change["operation"]] for change in truth.changes)


def subject(truth: Snapshot) -> str:
    """The heading of the digest that a snapshot ought to have."""
    done = counts(truth)
    parts = [f"{done[what]:,} {what}" for what in DONE.values() if done[what]]
    return f"customer accounts: {', '.join(parts)}"
