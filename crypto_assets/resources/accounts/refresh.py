"""Brings a snapshot of customer accounts to the table, the warehouse and the store.

Like `refresh` for the market data, with one difference: an older snapshot never replaces a newer
one. Knows the resources but neither Spark nor Dagster's runs.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from crypto_assets.resources.accounts.digest import digest_of, too_many_deletes
from crypto_assets.resources.accounts.snapshots import Snapshots, StoredSnapshot
from crypto_assets.resources.accounts.store import AccountStore
from crypto_assets.resources.accounts.tables import AccountTables, FilesMissing
from crypto_assets.resources.engine.engine import Engine
from crypto_assets.resources.notifier.notifier import Notifier
from crypto_assets.resources.storage.lake import Lake
from crypto_assets.resources.warehouse.warehouse import Warehouse
from crypto_assets.spark.job_spec import ACCOUNT_LAYERS, Layer, LayerResult, Verdict

Report = Callable[[LayerResult], None]
_OF_THE_NEWEST: tuple[Layer, ...] = ("customer_accounts", "customer_account_store")


@dataclass(frozen=True)
class AccountsPlatform:
    """The resources a refresh of customer accounts works with."""

    snapshots: Snapshots
    engine: Engine
    lake: Lake
    warehouse: Warehouse
    store: AccountStore
    notifier: Notifier


@dataclass(frozen=True)
class Superseded:
    """These layers of a snapshot were not made: those of a newer one stand there."""

    snapshot: str
    by: str
    layers: tuple[Layer, ...]


def refresh_accounts(
    platform: AccountsPlatform,
    name: str,
    layers: Collection[Layer],
    run_id: str,
    on_layer: Report,
    *,
    max_deleted_share: float,
) -> Iterator[LayerResult | Superseded]:
    """Computes, audits and publishes these layers of the snapshot; a verdict for each that began.

    First ends what a killed run left half stored, with a verdict on that snapshot's store. A
    snapshot that would delete more than `max_deleted_share` of the live accounts is refused.
    Raises `WrongUse` if there is no such snapshot.
    """
    snapshot = platform.snapshots.get(name)
    tables = AccountTables(platform.lake)
    with tables.working():
        wanted = tuple(layer for layer in ACCOUNT_LAYERS if layer in layers)
        if tables.note.storing:
            ended = _store(platform, tables)
            yield ended
            if ended.verdicts[0].partition == name:
                wanted = tuple(layer for layer in wanted if layer != "customer_account_store")
        if newer := _newer(tables, name):
            held = tuple(layer for layer in wanted if layer in _OF_THE_NEWEST)
            wanted = tuple(layer for layer in wanted if layer not in _OF_THE_NEWEST)
            if held:
                yield Superseded(name, newer, held)
        if problem := _without_input(tables, snapshot, wanted):
            yield problem
        elif wanted:
            work = _Refresh(platform, tables, snapshot, max_deleted_share, on_layer)
            yield from work.run(wanted, run_id)


def _newer(tables: AccountTables, name: str) -> str | None:
    """The snapshot that stands in the tables if it came after this one."""
    newest = max(tables.note.published, tables.note.stored)
    return newest if newest > name else None


def _without_input(
    tables: AccountTables, snapshot: StoredSnapshot, layers: tuple[Layer, ...]
) -> LayerResult | None:
    """Refuses a layer whose input is neither made now nor stands in the lake in this version."""
    for layer in layers:
        at = ACCOUNT_LAYERS.index(layer)
        before = ACCOUNT_LAYERS[at - 1]
        if not at or before in layers:
            continue
        if not tables.note.has(snapshot.name, before, snapshot.version(before)):
            problem = f"its {before} is stale or missing: run it too"
            version = snapshot.version(layer)
            verdict = Verdict(snapshot.name, layer, (problem,), version=version)
            return LayerResult(layer, 0.0, (verdict,))
    return None


@dataclass(frozen=True)
class _Refresh:
    """One snapshot on its way through the layers."""

    platform: AccountsPlatform
    tables: AccountTables
    snapshot: StoredSnapshot
    max_deleted_share: float
    on_layer: Report

    def run(self, layers: tuple[Layer, ...], run_id: str) -> Iterator[LayerResult]:
        """Computes all layers, then publishes them one after the other up to the first refused."""
        order = self.platform.snapshots.order(
            self.snapshot,
            layers,
            self.platform.lake.staging(run_id),
            self.platform.lake.uri,
            self.tables.note.stored_in or None,
        )
        computed = []
        with self.platform.engine.running() as run:
            for result in run(order):
                computed.append(self._versioned(result))
                self.on_layer(computed[-1])
        for result in self._guarded(computed):
            published = self._published(result)
            yield published
            if not published.passed:
                break
        for staging in {order.staging, *(result.staging for result in computed)}:
            self.platform.lake.discard(staging)

    def _versioned(self, result: LayerResult) -> LayerResult:
        version = self.snapshot.version(result.layer)
        return replace(result, verdicts=tuple(replace(v, version=version) for v in result.verdicts))

    def _guarded(self, computed: list[LayerResult]) -> list[LayerResult]:
        """Refuses the table and the store of a snapshot that lacks too many accounts."""
        store = computed[-1]
        if store.layer != "customer_account_store" or not store.passed:
            return computed
        measures = store.verdicts[0].measures
        problem = too_many_deletes(
            measures["deleted"], measures["live_before"], self.max_deleted_share
        )
        if not problem:
            return computed
        first = next(n for n, result in enumerate(computed) if result.layer in _OF_THE_NEWEST)
        return [*computed[:first], _refused(computed[first], problem)]

    def _published(self, result: LayerResult) -> LayerResult:
        """Publishes a layer that passed; its verdict is against it if that cannot be done."""
        if not result.passed:
            return result
        started, problem = time.monotonic(), None
        try:
            if result.layer == "customer_account_store":
                return self._publish_store(result)
            if result.layer == "customer_accounts":
                problem = self._publish_table(result)
            else:
                self._publish(result)
        except FilesMissing as missing:
            problem = str(missing)
        result = replace(result, seconds=result.seconds + time.monotonic() - started)
        return _refused(result, problem) if problem else result

    def _publish(self, result: LayerResult, **changes: str | bool) -> None:
        version, name = result.verdicts[0].version, self.snapshot.name
        self.tables.publish(result.staging, name, result.layer, version, **changes)

    def _publish_table(self, result: LayerResult) -> str | None:
        """Puts the years' files in place and loads them; why that failed, if it did."""
        years = result.verdicts[0].measures["years"]
        rows = {year: found["rows"] for year, found in years.items()}
        self.tables.change(published=self.snapshot.name, publishing=True, rows_by_year=rows)
        self._publish(result)
        problem = self.platform.warehouse.load_accounts(self.tables.accounts_files())
        if not problem:
            self.tables.change(publishing=False)
        return problem

    def _publish_store(self, result: LayerResult) -> LayerResult:
        """Keeps the changes in the lake, from where they go to the store, now or after a crash."""
        self._publish(result, stored=self.snapshot.name, storing=True)
        stored = _store(self.platform, self.tables)
        (verdict,) = stored.verdicts
        measures = {
            name: result.verdicts[0].measures[name] for name in ("unchanged", "live_before")
        }
        return replace(
            stored,
            seconds=stored.seconds + result.seconds,
            verdicts=(replace(verdict, measures=verdict.measures | measures),),
        )


def _store(platform: AccountsPlatform, tables: AccountTables) -> LayerResult:
    """Writes the changes that the note speaks of to the store and tells people what changed."""
    import pyarrow.parquet as pq

    started, name = time.monotonic(), tables.note.stored
    file = pq.ParquetFile(io.BytesIO(tables.changes_file()))
    digest = digest_of(name, file.iter_batches(columns=["operation", "account_number"]))
    platform.store.apply(file.iter_batches(), file.metadata.num_rows)
    if file.metadata.num_rows:
        platform.notifier.tell(digest.subject(), digest.text(), level=logging.INFO)
    tables.change(storing=False)
    tables.drop_old_stored()
    version = tables.note.versions[name]["customer_account_store"]
    verdict = Verdict(
        name, "customer_account_store", measures=digest.as_metadata(), version=version
    )
    return LayerResult("customer_account_store", time.monotonic() - started, (verdict,))


def _refused(result: LayerResult, problem: str) -> LayerResult:
    verdicts = tuple(replace(v, problems=(*v.problems, problem)) for v in result.verdicts)
    return replace(result, verdicts=verdicts)
