"""What happened on this home since the last look: files registered, runs started and ended.

All of it is from Dagster's records, whoever made them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from crypto_assets.definitions import DATA_SETS
from crypto_assets.defs.files import file_key, quarantine_spec, report_registered
from crypto_assets.defs.notices import failures, notice
from crypto_assets.defs.partitions import range_of
from crypto_assets.defs.prune import SUMMARY_TAG
from crypto_assets.resources.data_set.outcomes import Outcomes
from crypto_assets.resources.data_set.registry import Registry

_FILES = {file_key(kind): kind for data_set in DATA_SETS for kind in data_set.files}
_ENDED = {dg.DagsterRunStatus.SUCCESS: "succeeded", dg.DagsterRunStatus.CANCELED: "was canceled"}
_OVERLAP = timedelta(seconds=30)  # a record may be stored a little after the time it bears
_AT_ONCE = 500


class Follower:
    """Remembers what it has reported; begins with what comes after it was made."""

    def __init__(
        self, instance: dg.DagsterInstance, registries: Iterable[Registry], outcomes: Outcomes
    ) -> None:
        self._instance = instance
        self._registries, self._outcomes = tuple(registries), outcomes
        self._seen = {key: self._newest(key) for key in (*_FILES, quarantine_spec.key)}
        self._began = self._looked = datetime.now(UTC)
        self._reported_runs: set[tuple[str, dg.DagsterRunStatus]] = set()
        self._running: set[str] = set()  # those whose start is reported and whose end is not

    def news(self) -> Iterator[str]:
        """A line for each thing that happened, by kind in the order it happened in.

        What a command has registered is made known to Dagster first, also if its sensor is off.
        """
        for registry in self._registries:
            report_registered(self._instance, registry, self._outcomes)
        for key, kind in _FILES.items():
            for made in self._reported(key):
                name = made.metadata.get("file")
                yield f"{made.partition}: {kind} registered: {name.value if name else ''}"
        for made in self._reported(quarantine_spec.key):
            if count := made.metadata["uploads"].value:
                yield f"{count} in quarantine: `crypto-assets status` says why"
        records = self._changed()
        for record in records:
            run = record.dagster_run
            if (run.run_id, run.status) not in self._reported_runs:
                if (record.start_time or 0) >= self._began.timestamp():
                    yield from self._start(run)
                yield from self._end(run)
        self._reported_runs = {(r.dagster_run.run_id, r.dagster_run.status) for r in records}

    def _start(self, run: dg.DagsterRun) -> Iterator[str]:
        """That a run has started, also if it has ended since the last look."""
        if run.run_id not in self._running:
            self._running.add(run.run_id)
            yield f"run {run.run_id} started: {_scope(run)}"

    def _end(self, run: dg.DagsterRun) -> Iterator[str]:
        if run.status == dg.DagsterRunStatus.FAILURE:
            found = failures(self._instance, run.run_id)
            subject, text = notice(run, found, "", DATA_SETS)
            yield subject
            yield from filter(None, text.splitlines())
        elif run.status in _ENDED:
            yield f"run {run.run_id} {_ENDED[run.status]}: {_scope(run)}"
        if run.is_finished:
            self._running.discard(run.run_id)

    def _changed(self) -> list[dg.RunRecord]:
        """The runs that began or ended since a little before the last look.

        Their records also change later, when Dagster writes a tag.
        """
        since, self._looked = max(self._began, self._looked - _OVERLAP), datetime.now(UTC)
        updated = self._instance.get_run_records(dg.RunsFilter(updated_after=since))
        return [
            record
            for record in reversed(updated)
            if (record.end_time or record.start_time or 0) >= since.timestamp()
        ]

    def _newest(self, key: dg.AssetKey) -> int:
        records = self._instance.fetch_materializations(key, limit=1).records
        return records[0].storage_id if records else 0

    def _reported(self, key: dg.AssetKey) -> Iterator[dg.AssetMaterialization]:
        newer = dg.AssetRecordsFilter(key, after_storage_id=self._seen[key])
        found = self._instance.fetch_materializations(newer, limit=_AT_ONCE, ascending=True)
        for record in found.records:
            self._seen[key] = record.storage_id
            if made := record.asset_materialization:
                yield made


def _scope(run: dg.DagsterRun) -> str:
    """What a run is of: the first and last of its partitions, or its job and what that did."""
    first, last = range_of(run)
    job = ": ".join(filter(None, [run.job_name, run.tags.get(SUMMARY_TAG)]))
    return (first if first == last else f"{first} to {last}") or job
