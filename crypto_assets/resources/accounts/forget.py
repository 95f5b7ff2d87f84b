"""Erasing a customer from everything: uploads, every table of the lake, warehouse and store.

The record that he was erased is written first: from then on no run lets him in again. All the rest
can be repeated, so that a crash leaves what another attempt ends.
"""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crypto_assets.resources.accounts.refresh import AccountsPlatform
from crypto_assets.resources.accounts.tables import TABLES, AccountTables, year_of
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.market_data.registry import StoredUpload, WrongUse, pinned_key
from crypto_assets.spark.accounts.tables import CUSTOMER_ACCOUNTS
from crypto_assets.spark.job_spec import ACCOUNT_KINDS, ACCOUNT_LAYERS, AccountKind

if TYPE_CHECKING:
    import pyarrow as pa

Erased = dict[str, int]


def forget(platform: AccountsPlatform, inbox: Inbox, customer_id: int) -> Erased:
    """Erases a customer; says how many lines, rows and items there were of him in each place.

    Raises `WrongUse` if nothing is known of him, `LakeBusy` if a run is under way.
    """
    snapshots, tables = platform.snapshots, AccountTables(platform.lake)
    known = customer_id in snapshots.forgotten()
    with tables.working():
        record: dict[str, Any] = {
            "customer_id": customer_id,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        snapshots.note_forgotten(customer_id, record)
        erased = {"uploads": _from_uploads(platform, inbox, customer_id)}
        erased |= _from_tables(platform, tables, customer_id)
        erased["warehouse"] = platform.warehouse.forget_customer(customer_id)
        erased["store"] = platform.store.forget(customer_id)
        _keep_versions(platform, tables)
    if not known and not any(erased.values()):
        snapshots.admit(customer_id)
        raise WrongUse(f"nothing is known of customer {customer_id}")
    snapshots.note_forgotten(customer_id, {**record, "erased": erased})
    return erased


def _from_uploads(platform: AccountsPlatform, inbox: Inbox, customer_id: int) -> int:
    """Takes his lines out of every upload that a snapshot is made from; how many there were."""
    done: dict[str, StoredUpload] = {}
    lines = 0
    snapshots = [platform.snapshots.get(name) for name in platform.snapshots.names()]
    for snapshot in snapshots:
        for kind in ACCOUNT_KINDS:
            upload = getattr(snapshot, kind)
            if upload.etag not in done:
                done[upload.etag], found = _from_upload(inbox, kind, upload, customer_id)
                lines += found
    for snapshot in snapshots:
        customers, accounts = (
            _with_content(getattr(snapshot, kind), done) for kind in ACCOUNT_KINDS
        )
        platform.snapshots.replace_uploads(snapshot, customers, accounts)
    inbox.objects.delete(pinned_key(etag) for etag, upload in done.items() if etag != upload.etag)
    return lines


def _with_content(upload: StoredUpload, contents: dict[str, StoredUpload]) -> StoredUpload:
    """The upload with the content that took the place of its own."""
    new = contents[upload.etag]
    return replace(upload, etag=new.etag, size=new.size)


def _from_upload(
    inbox: Inbox, kind: AccountKind, upload: StoredUpload, customer_id: int
) -> tuple[StoredUpload, int]:
    """Keeps the upload without his rows, also where it was dropped; how many there were."""
    from crypto_assets.spark.accounts.erasing import without_customer

    content = inbox.objects.read(pinned_key(upload.etag))
    content, found = without_customer(content, kind, customer_id)
    if not found:
        return upload, 0
    if inbox.standing(upload):
        inbox.objects.write(upload.key, content)
        if arrival := inbox.arrival(upload.key):
            Ledger(inbox.objects).note(arrival, "taken")
    return inbox.pin(upload.key, content), found


def _from_tables(platform: AccountsPlatform, tables: AccountTables, customer_id: int) -> Erased:
    """Takes his rows out of every file of every table; how many there were in each layer."""
    erased: Erased = dict.fromkeys(ACCOUNT_LAYERS, 0)
    years = dict(tables.note.rows_by_year)
    for table in TABLES:
        for file in tables.files(table.path):
            content, gone = _without_rows(platform.lake.objects.read(file.key), customer_id)
            if gone.num_rows:
                erased[table.layer] += gone.num_rows
                platform.lake.objects.write(file.key, content)
                if table is CUSTOMER_ACCOUNTS:
                    years[year_of(file.key)] -= gone.num_rows
    tables.change(rows_by_year=years)
    return erased


def _without_rows(content: bytes, customer_id: int) -> tuple[bytes, pa.Table]:
    """A Parquet file without the customer's rows, and these; both with all columns."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.ParquetFile(io.BytesIO(content)).read()
    own = pc.equal(pc.cast(table["customer_id"], pa.string()), str(customer_id))
    gone = table.filter(own)
    if not gone.num_rows:
        return content, gone
    sink = io.BytesIO()
    kept = table.filter(pc.invert(pc.fill_null(own, fill_value=False)))
    pq.write_table(kept, sink, compression="snappy")
    return sink.getvalue(), gone


def _keep_versions(platform: AccountsPlatform, tables: AccountTables) -> None:
    """The tables are what the changed uploads would give: they count as made from these."""
    snapshots = {name: platform.snapshots.get(name) for name in tables.note.versions}
    tables.change(
        versions={
            name: {
                layer: snapshots[name].version(layer) for layer in ACCOUNT_LAYERS if layer in old
            }
            for name, old in tables.note.versions.items()
        }
    )
