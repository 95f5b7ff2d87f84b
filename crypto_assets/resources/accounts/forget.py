"""Erasing a customer from everything: uploads, every table of the lake, warehouse and store.

The record of it is written first: from then on no run lets the customer in again. All the rest can
be repeated, so that another attempt completes what a crash left undone.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crypto_assets.resources.accounts.refresh import AccountsRefresh
from crypto_assets.resources.accounts.tables import OF_THE_NEWEST, year_of
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.inbox.stored import StoredUpload, pinned_key
from crypto_assets.resources.storage.clock import utc_text
from crypto_assets.spark.accounts.tables import CUSTOMER_ACCOUNTS

if TYPE_CHECKING:
    import pyarrow as pa

Erased = dict[str, int]


def forget(accounts: AccountsRefresh, inbox: Inbox, customer_id: int) -> Erased:
    """Erases a customer; returns how many lines, rows and items there were in each place.

    Raises `UsageError` if nothing is known of the customer, `BusyError` if a run is under way.
    """
    registry, tables = accounts.registry, accounts.tables
    known = customer_id in registry.forgotten()
    with tables.working():
        record: dict[str, Any] = {
            "customer_id": customer_id,
            "at": utc_text(),
        }
        registry.record_forgotten(customer_id, record)
        erased = {"uploads": _from_uploads(accounts, inbox, customer_id)}
        gone, rewritten = _from_tables(accounts, customer_id)
        erased |= gone
        erased["warehouse"] = accounts.warehouse.forget_customer(customer_id)
        erased["store"] = accounts.store.forget(customer_id)
        _keep_versions(accounts, rewritten)
    if not known and not any(erased.values()):
        registry.admit(customer_id)
        raise UsageError(f"nothing is known of customer {customer_id}")
    registry.record_forgotten(customer_id, {**record, "erased": erased})
    return erased


def _from_uploads(accounts: AccountsRefresh, inbox: Inbox, customer_id: int) -> int:
    """Takes the customer's lines out of every upload; how many there were.

    Also out of those that wait for the other file of their pair, or were paired last.
    """
    done: dict[str, StoredUpload] = {}
    lines = 0
    for kind, upload in accounts.registry.every_upload():
        if upload.etag not in done:
            done[upload.etag], found = _from_upload(inbox, kind, upload, customer_id)
            lines += found
    accounts.registry.replace_contents(done)
    inbox.objects.delete(pinned_key(etag) for etag, upload in done.items() if etag != upload.etag)
    return lines


def _from_upload(
    inbox: Inbox, kind: str, upload: StoredUpload, customer_id: int
) -> tuple[StoredUpload, int]:
    """Keeps the upload without the customer's rows, also where it was delivered; their number."""
    from crypto_assets.spark.accounts.erasing import without_customer

    content = inbox.objects.read(pinned_key(upload.etag))
    content, found = without_customer(content, kind, customer_id)
    if not found:
        return upload, 0
    if inbox.current(upload):
        inbox.objects.write(upload.key, content)
        if arrival := inbox.arrival(upload.key):
            Ledger(inbox.objects).decide(arrival, "assigned")
    return inbox.pin(upload.key, content), found


def _from_tables(accounts: AccountsRefresh, customer_id: int) -> tuple[Erased, set[str]]:
    """Takes the customer's rows out of every file of every table.

    Gives their number in each layer, and the keys of the files that are others now.
    """
    rewritten: set[str] = set()
    lake, tables, data_set = accounts.lake, accounts.tables, accounts.data_set
    erased: Erased = dict.fromkeys(data_set.layers, 0)
    years = dict(tables.progress.rows_by_year)
    for table in data_set.tables:
        for file in lake.parquet_files(table.path):
            content, gone = _without_rows(lake.objects.read(file.key), customer_id)
            if gone.num_rows:
                erased[table.layer] += gone.num_rows
                lake.objects.write(file.key, content)
                rewritten.add(file.key)
                if table is CUSTOMER_ACCOUNTS:
                    years[year_of(file.key)] -= gone.num_rows
    tables.change(rows_by_year=years)
    return erased, rewritten


def _without_rows(content: bytes, customer_id: int) -> tuple[bytes, pa.Table]:
    """A Parquet file without the customer's rows, and these; both with all columns."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.ParquetFile(io.BytesIO(content)).read(use_threads=False)
    own = pc.equal(pc.cast(table["customer_id"], pa.string()), str(customer_id))
    gone = table.filter(own)
    if not gone.num_rows:
        return content, gone
    sink = io.BytesIO()
    kept = table.filter(pc.invert(pc.fill_null(own, fill_value=False)))
    pq.write_table(kept, sink, compression="snappy")
    return sink.getvalue(), gone


def _keep_versions(accounts: AccountsRefresh, rewritten: Collection[str]) -> None:
    """The tables are what the changed uploads would give: they count as made from these."""
    objects = accounts.lake.objects
    registry, progress = accounts.registry, accounts.tables.progress
    entries = registry.get_all(registry.names())
    for name, (manifest, etag) in accounts.lake.current(accounts.data_set, entries).items():
        versions = {layer: registry.version(entries[name], layer) for layer in manifest.versions}
        accounts.outcomes.restate(accounts.data_set.name, name, versions)
        found = {key: objects.find(key) for key in rewritten & manifest.etags.keys()}
        etags = {key: file.etag for key, file in found.items() if file}
        sizes = {key: file.size for key, file in found.items() if file}
        new = replace(
            manifest,
            versions=versions,
            etags=manifest.etags | etags,
            sizes=manifest.sizes | sizes,
        )
        accounts.lake.restate(accounts.data_set, name, new, etag)
    held = dict(zip(OF_THE_NEWEST, (progress.published, progress.stored), strict=True))
    made = {
        layer: (name, registry.version(entries[name], layer))
        for layer, name in held.items()
        if name in entries and layer in progress.versions
    }
    for layer, (name, version) in made.items():
        accounts.outcomes.restate(accounts.data_set.name, name, {layer: version})
    accounts.tables.change(versions={layer: version for layer, (_, version) in made.items()})
