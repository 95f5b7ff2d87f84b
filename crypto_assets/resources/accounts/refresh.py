"""Brings a snapshot of customer accounts to the table, the warehouse and the store.

As any data set, with one difference: table and store hold one snapshot, and an older one never
replaces a newer one.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crypto_assets.resources.accounts.assign import SnapshotAssigner
from crypto_assets.resources.accounts.digest import digest_of, too_many_deletes
from crypto_assets.resources.accounts.snapshots import SnapshotRegistry
from crypto_assets.resources.accounts.store import AccountStore, as_inserts
from crypto_assets.resources.accounts.tables import OF_THE_NEWEST, AccountTables
from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.refresh import Entries, Refresh
from crypto_assets.resources.data_set.results import OnLayer
from crypto_assets.resources.errors import DataError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.notifier.notifier import Notifier
from crypto_assets.resources.storage.lake import Made, Manifest
from crypto_assets.resources.warehouse.warehouse import Warehouse
from crypto_assets.spark.accounts.snapshot import Snapshot
from crypto_assets.spark.accounts.tables import WAREHOUSE_ACCOUNTS
from crypto_assets.spark.job_spec import LayerResult, Partition, Verdict

TABLE, STORE = OF_THE_NEWEST


@dataclass(frozen=True)
class AccountsRefresh(Refresh):
    """The refreshing of snapshots.

    A snapshot that would delete more than `max_deleted_share` of the live accounts is refused.
    """

    registry: SnapshotRegistry
    warehouse: Warehouse
    store: AccountStore
    notifier: Notifier
    max_deleted_share: float = 0.2
    tables: AccountTables = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", AccountTables(self.lake))

    def with_options(self, options: Mapping[str, Any]) -> AccountsRefresh:
        """With `confirm_mass_delete` a snapshot may delete as many accounts as it likes."""
        return replace(self, max_deleted_share=1.0) if options["confirm_mass_delete"] else self

    def assigner(self, inbox: Inbox) -> SnapshotAssigner:
        return SnapshotAssigner(self.registry, inbox)

    def results(
        self, partitions: Sequence[str], layers: Collection[str], run_id: str, on_layer: OnLayer
    ) -> Iterator[list[LayerResult]]:
        """As `Refresh.results`, one snapshot after the other.

        First ends what a killed run left half stored, with a verdict on that snapshot's store.
        """
        for name in sorted(partitions):
            with self.tables.working():
                wanted = self._in_order(layers)
                if self.tables.progress.storing:
                    ended = self._store()
                    yield [ended]
                    if ended.verdicts[0].partition == name:
                        wanted = [layer for layer in wanted if layer != STORE]
                if newer := self._newer(name):
                    held = [layer for layer in wanted if layer in OF_THE_NEWEST]
                    wanted = [layer for layer in wanted if layer not in OF_THE_NEWEST]
                    verdicts = [Verdict(name, layer, superseded_by=newer) for layer in held]
                    yield [LayerResult(each.layer, 0.0, (each,)) for each in verdicts]
                if wanted:
                    yield from super().results([name], wanted, run_id, on_layer)

    def publish(
        self,
        batch: Entries,
        layers: Sequence[str],  # noqa: ARG002 - as `Refresh.publish`
        computed: Sequence[LayerResult],
        fault: Exception | None,
    ) -> list[LayerResult]:
        """Publishes one layer after the other up to the first refused; nothing after a fault.

        Without all layers computed nobody knows how many accounts would be deleted.
        """
        published: list[LayerResult] = []
        for result in self._guarded(computed) if batch and not fault else ():
            published.append(self._publish_layer(result))
            if not published[-1].passed:
                break
        return published

    def check_loads(self, layers: Collection[str]) -> None:
        if TABLE in layers:
            self.warehouse.check_load(WAREHOUSE_ACCOUNTS)

    def partition(self, entry: Entry) -> Partition:
        return Snapshot(
            entry.partition,
            entry.facts["arrived_at"],
            self.registry.pinned(entry),
            self.registry.forgotten(),
            self.tables.progress.stored_in or None,
        ).partition()

    def kept(self, measures: dict[str, Any]) -> dict[str, Any]:
        """Counts alone: an erasure reaches no values of customers that are kept here."""
        return {name: value for name, value in measures.items() if isinstance(value, (int, float))}

    def versions_in(self, manifests: Mapping[str, Manifest]) -> dict[str, dict[str, str]]:
        newest = self.tables.progress
        found = super().versions_in(manifests)
        return {name: versions | newest.versions_of(name) for name, versions in found.items()}

    def _newer(self, name: str) -> str | None:
        """The snapshot that is in the tables if it came after this one."""
        newest = max(self.tables.progress.published, self.tables.progress.stored)
        return newest if newest > name else None

    def _guarded(self, computed: Sequence[LayerResult]) -> Sequence[LayerResult]:
        """Refuses the table and the store of a snapshot that lacks too many accounts."""
        store = computed[-1] if computed else None
        if store is None or store.layer != STORE or not store.passed:
            return computed
        measures = store.verdicts[0].measures
        problem = too_many_deletes(
            measures["deleted"], measures["live_before"], self.max_deleted_share
        )
        if not problem:
            return computed
        first = next(n for n, result in enumerate(computed) if result.layer in OF_THE_NEWEST)
        return [*computed[:first], _refused(computed[first], problem)]

    def _publish_layer(self, result: LayerResult) -> LayerResult:
        """Publishes a layer that passed; its verdict is against it if that cannot be done."""
        if not result.passed:
            return result
        started, problem = time.monotonic(), None
        (verdict,) = result.verdicts
        name, version = verdict.partition, verdict.version
        try:
            if result.layer == STORE:
                self.tables.publish_store(result.staging, name, version)
                return self._stored(result)
            if result.layer == TABLE:
                problem = self._publish_table(result)
            else:
                made = {name: {result.layer: Made(version)}}
                found = self.lake.publish(self.data_set, result.staging, made)
                problem = found[name][1] if found else None
        except DataError as missing:
            problem = str(missing)
        result = replace(result, seconds=result.seconds + time.monotonic() - started)
        return _refused(result, problem) if problem else result

    def _publish_table(self, result: LayerResult) -> str | None:
        """Puts the years' files in place and loads them; why that failed, if it did."""
        (verdict,) = result.verdicts
        rows = {year: found["rows"] for year, found in verdict.measures["years"].items()}
        self.tables.change(published=verdict.partition, publishing=True, rows_by_year=rows)
        self.tables.publish_accounts(result.staging, verdict.version)
        problem = self.warehouse.load_accounts(self.tables.accounts_files())
        if not problem:
            self.tables.change(publishing=False)
        return problem

    def _stored(self, result: LayerResult) -> LayerResult:
        """The changes are kept in the lake, from where they go to the store, also after a crash."""
        stored = self._store()
        (verdict,) = stored.verdicts
        measures = {
            name: result.verdicts[0].measures[name] for name in ("unchanged", "live_before")
        }
        verdict = replace(verdict, measures=verdict.measures | measures)
        return replace(stored, seconds=stored.seconds + result.seconds, verdicts=(verdict,))

    def _store(self) -> LayerResult:
        """Writes the changes in the lake to the store and reports to people what changed."""
        import pyarrow.parquet as pq

        started, name = time.monotonic(), self.tables.progress.stored
        file = pq.ParquetFile(io.BytesIO(self.tables.changes_file()))
        digest = digest_of(name, file.iter_batches(columns=["operation", "account_number"]))
        if not self.store.is_there():
            self._fill_anew(file.metadata.num_rows)
        self.store.apply(file.iter_batches(), file.metadata.num_rows)
        counts = digest.counts
        if file.metadata.num_rows:
            self.notifier.notify(digest.subject(), digest.text(), level=logging.INFO)
        else:  # what the snapshot changed when it came stays known
            counts = self.tables.progress.counts or counts
        self.tables.change(storing=False, counts=counts)
        self.tables.drop_old_stored()
        version = self.tables.progress.versions[STORE]
        verdict = Verdict(name, STORE, measures=digest.as_metadata() | counts, version=version)
        return LayerResult(STORE, time.monotonic() - started, (verdict,))

    def _fill_anew(self, changes: int) -> None:
        """Writes all that the store is to hold, if it is gone and these changes are not all."""
        import pyarrow.parquet as pq

        stored = pq.ParquetFile(io.BytesIO(self.tables.stored_file()))
        if (total := stored.metadata.num_rows) != changes:
            self.store.apply(as_inserts(stored.iter_batches()), total)


def _refused(result: LayerResult, problem: str) -> LayerResult:
    verdicts = tuple(replace(v, problems=(*v.problems, problem)) for v in result.verdicts)
    return replace(result, verdicts=verdicts)
