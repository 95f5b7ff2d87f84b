"""Brings partitions of a data set up to date: compute, audit, publish.

Knows the resources but neither Spark nor Dagster's runs: it is given a run id and returns verdicts.
What a data set does beside, such as loading a warehouse, is in its own `refresh`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any

from crypto_assets.resources.data_set.assign import Assigner
from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.outcomes import Outcomes
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.data_set.results import OnLayer, stopped, together
from crypto_assets.resources.engine.engine import Engine
from crypto_assets.resources.errors import BusyError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.storage.lake import Current, Lake, Made, Manifest
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.job_spec import JobSpec, LayerResult, Partition, Verdict

# Partitions are loaded so many at a time, while the next ones are computed. Each load may copy what
# is there already: later ones are larger.
LOADED_TOGETHER, LOADED_SHARE = 250, 0.25
Entries = Mapping[str, Entry]


@dataclass(frozen=True)
class Refresh:
    """The refreshing of one data set, with the resources it works with.

    As it stands it computes all layers and publishes those whose tables have the data set's
    partitions.
    """

    registry: Registry
    engine: Engine
    lake: Lake
    outcomes: Outcomes

    @property
    def data_set(self) -> DataSet:
        return self.registry.data_set

    @property
    def computed(self) -> tuple[str, ...]:
        """The layers that the engine computes; the others are made of what it computed."""
        return tuple(self.data_set.layers)

    @property
    def optional(self) -> tuple[str, ...]:
        """The paths of the optional tables that are wanted."""
        return ()

    def run(
        self,
        partitions: Sequence[str],
        layers: Collection[str],
        run_id: str,
        on_layer: OnLayer,
    ) -> Iterator[list[LayerResult]]:
        """Computes, audits and publishes these layers; a verdict for each partition that began.

        Results that are there at the same time come together. Every verdict is recorded before it
        is given; where the run breaks off, why it did.
        """
        data_set = self.data_set.name
        self.outcomes.begin(data_set, partitions, run_id)
        failed: dict[str, None] = {}
        try:
            for results in filter(None, self.results(partitions, layers, run_id, on_layer)):
                verdicts = [verdict for result in results for verdict in result.verdicts]
                kept = (replace(v, measures=self.kept(v.measures)) for v in verdicts)
                self.outcomes.record(data_set, kept)
                failed |= dict.fromkeys(v.partition for v in verdicts if not v.passed)
                yield results
            self.describe(failed, layers)
        except BaseException as fault:
            self.outcomes.break_off(run_id, fault)
            raise
        self.outcomes.end(data_set, partitions, run_id)

    def results(
        self, partitions: Sequence[str], layers: Collection[str], run_id: str, on_layer: OnLayer
    ) -> Iterator[list[LayerResult]]:
        """The verdicts that `run` records.

        Works off `engine.batch_size` partitions at a time. What the engine computes together is
        published while it goes on, and yielded then; so is what is loaded, many at a time.
        `on_layer` is called with each layer's result as soon as it is computed. A partition that
        fails keeps what was published of the layer it failed at and of those behind it. A fault of
        the engine is raised when what was computed before it is published.
        """
        layers = self._in_order(layers)
        computes = tuple(layer for layer in layers if layer in self.computed)
        entries = self.registry.get_all(partitions)
        if unknown := sorted(set(partitions) - entries.keys()):
            reasons = dict.fromkeys(unknown, "no files are registered for it: upload them first")
            yield [self._verdicts(layers[0], reasons | self.registry.damaged(unknown), {})]
        if computes and entries:
            with suppress(BusyError):  # it may pass until the load, which asks again
                self.check_loads(layers)
        size = self.engine.batch_size
        with self.engine.running() if computes else nullcontext(_execute_nothing) as execute:
            for start in range(0, len(entries), size):
                batch = dict(list(entries.items())[start : start + size])
                if stale := self._stale_inputs(batch, layers):
                    yield [stale]
                    refused = {verdict.partition for verdict in stale.verdicts}
                    batch = {name: entry for name, entry in batch.items() if name not in refused}
                if not batch:
                    continue
                spec = self._job_spec(batch, computes, run_id)
                yield from self._worked_off(batch, layers, spec, execute(spec), on_layer)

    def check_loads(self, layers: Collection[str]) -> None:
        """Raises `RefusedError` if a table that these layers are loaded into would take nothing.

        Asked before anything is computed, for which somebody may have to pay; a data set may load.
        """

    def with_options(self, options: Mapping[str, Any]) -> Refresh:  # noqa: ARG002 - a data set may have some
        """The refreshing as a person wants it in one run."""
        return self

    def assigner(self, inbox: Inbox) -> Assigner:
        """What assigns uploads to partitions of this data set, as they are now."""
        raise NotImplementedError

    def remove(self, partition: str) -> None:
        """Takes the partition out of every table. Raises `BusyError`."""
        self.lake.remove(self.data_set, partition)
        self.outcomes.forget(self.data_set.name, partition)

    def publish(
        self,
        batch: Entries,
        layers: Sequence[str],
        computed: Sequence[LayerResult],
        fault: Exception | None,  # noqa: ARG002 - a data set may publish nothing then
    ) -> list[LayerResult]:
        """Publishes what passed; the verdicts then say what could not be published, and why.

        `fault` is what ended the computing early.
        """
        with self.lake.locked(self.data_set.name):
            # In this order: what is published after it was asked what is newest is not replaced.
            current = self.lake.current(self.data_set, batch)
            conflicts = self._conflicts(batch, layers[0])
            return self._published(computed, batch, conflicts, current)

    def load(self, good: Entries, layers: Sequence[str]) -> list[LayerResult]:  # noqa: ARG002 - a data set may load
        """Makes the layers that the engine does not compute, of the partitions that passed."""
        return []

    def describe(self, failed: Collection[str], layers: Collection[str]) -> None:
        """Shows elsewhere what became of those that failed, once all have their verdicts."""

    def partition(self, entry: Entry) -> Partition:
        """The partition in a job spec; a data set adds the facts that its job wants."""
        return Partition(entry.partition, self.registry.pinned(entry))

    def rows(self, verdict: Verdict) -> dict[str, int]:  # noqa: ARG002 - a data set may count
        """The rows of the layer's tables, by path, as the manifest keeps them."""
        return {}

    def guard(self, verdict: Verdict, entry: Entry, published: Manifest) -> str:  # noqa: ARG002 - a data set may have one
        """Why a layer that passed its audit must not replace what is published; empty if it may."""
        return ""

    def with_cure(self, problem: str, partition: str) -> str:  # noqa: ARG002 - a data set may know one
        """A problem that was computed, with where people can give what it asks for."""
        return problem

    def kept(self, measures: dict[str, Any]) -> dict[str, Any]:
        """Those of a layer's measures that the home keeps."""
        return measures

    def versions(self, partitions: Iterable[str]) -> dict[str, dict[str, str]]:
        """The version of each published layer, by partition."""
        return self.versions_in(self.lake.manifests(self.data_set, partitions))

    def versions_in(self, manifests: Mapping[str, Manifest]) -> dict[str, dict[str, str]]:
        """As `versions`, of the partitions whose manifests these are."""
        return {name: manifest.versions for name, manifest in manifests.items()}

    def _worked_off(
        self,
        batch: Entries,
        layers: Sequence[str],
        spec: JobSpec,
        computing: Iterable[LayerResult],
        on_layer: OnLayer,
    ) -> Iterator[list[LayerResult]]:
        """Publishes what is computed of a batch as it comes, and loads what passed."""
        left, loaded = dict(batch), 0
        ready: dict[str, Entry] = {}
        stagings, fault = {spec.staging}, None
        last = next(reversed(spec.layers), "")
        for computed, fault in together(computing, on_layer, last, len(batch)):
            stagings |= {result.staging for result in computed}
            part = {v.partition: left.pop(v.partition) for r in computed[:1] for v in r.verdicts}
            versioned = [self._versioned(result, part) for result in computed]
            published = self.publish(part, layers, versioned, fault)
            yield published
            failed = {v.partition for result in published for v in result.verdicts if not v.passed}
            ready |= {name: entry for name, entry in part.items() if name not in failed}
            if not fault and len(ready) >= max(LOADED_TOGETHER, LOADED_SHARE * loaded):
                yield self._loaded(ready, layers, on_layer)
                loaded, ready = loaded + len(ready), {}
        if not fault:  # what is left was not to be computed
            yield self._loaded(left | ready, layers, on_layer)
        for each in stagings:
            self.lake.discard(each)
        if fault:
            raise fault

    def _loaded(self, good: Entries, layers: Sequence[str], on_layer: OnLayer) -> list[LayerResult]:
        loaded = self.load(good, layers) if good else []
        for result in loaded:
            on_layer(result)
        return loaded

    def _in_order(self, layers: Collection[str]) -> list[str]:
        return [layer for layer in self.data_set.layers if layer in layers]

    def _job_spec(self, batch: Entries, layers: tuple[str, ...], run_id: str) -> JobSpec:
        """What the engine is to compute; its staging is this run's."""
        return JobSpec(
            job=self.data_set.job,
            staging=self.lake.staging(run_id),
            lake=self.lake.uri,
            layers=layers,
            partitions=tuple(map(self.partition, batch.values())),
            optional=self.optional,
            readers=self.engine.readers,
            each=self.data_set.each,
        )

    def _stale_inputs(self, batch: Entries, layers: Sequence[str]) -> LayerResult | None:
        """Refuses the partitions whose published input was made from something else."""
        for layer in layers:
            before = self.data_set.layer_before(layer)
            if before is None or before in layers:
                continue
            manifests, cure = self.lake.manifests(self.data_set, batch), "run again without --layer"
            published = self.versions_in(manifests)
            stale = {
                name: f"its {before} is stale or missing: {cure}"
                for name, entry in batch.items()
                if published[name].get(before) != self.registry.version(entry, before)
            }
            rest = {name: manifests[name] for name in batch.keys() - stale.keys()}
            wrong = self.lake.unsealed(self.data_set, rest, [before], self.lake.objects.etag)
            stale |= {name: f"{why[before]}: {cure}" for name, why in wrong.items()}
            if stale:
                return self._verdicts(layer, stale, batch)
        return None

    def _conflicts(self, batch: Entries, first: str) -> dict[str, str]:
        """The partitions whose uploads or choices changed while this run worked on older ones."""
        now = self.registry.get_all(batch)
        problems = {}
        for name, entry in batch.items():
            if name not in now:
                problems[name] = "it was removed while this run worked on it"
            elif self.registry.version(now[name], first) != self.registry.version(entry, first):
                problems[name] = "newer files or settings came while this run worked on older ones"
        return problems

    def _published(
        self,
        computed: Sequence[LayerResult],
        batch: Entries,
        conflicts: Mapping[str, str],
        current: Current,
    ) -> list[LayerResult]:
        """Publishes what passed, except for conflicts; its time counts for all layers alike."""
        if not computed:
            return []
        started, first = time.monotonic(), computed[0]
        why = {name: (first.layer, reason) for name, reason in conflicts.items()}
        results = stopped(self.data_set, computed, why, passing=True)
        results = stopped(self.data_set, results, self._refused(results, batch, current))
        made: dict[str, dict[str, Made]] = {name: {} for name in batch}
        for verdict in (v for result in results for v in result.verdicts if v.passed):
            made[verdict.partition][verdict.layer] = Made(
                verdict.version, self.rows(verdict), verdict.files
            )
        problems = self.lake.publish(self.data_set, first.staging, made, current)
        results = stopped(self.data_set, results, problems, passing=True)
        seconds = (time.monotonic() - started) / len(results)
        return [replace(result, seconds=result.seconds + seconds) for result in results]

    def _refused(
        self, results: Iterable[LayerResult], batch: Entries, current: Current
    ) -> dict[str, tuple[str, str]]:
        """The partitions that their guard refuses, with the first such layer and the reason."""
        refused: dict[str, tuple[str, str]] = {}
        for verdict in (v for result in results for v in result.verdicts if v.passed):
            name = verdict.partition
            published, _ = current.get(name, (Manifest(), ""))
            if name not in refused and (why := self.guard(verdict, batch[name], published)):
                refused[name] = (verdict.layer, why)
        return refused

    def _versioned(self, result: LayerResult, batch: Entries) -> LayerResult:
        def versioned(verdict: Verdict) -> Verdict:
            name = verdict.partition
            version = self.registry.version(batch[name], result.layer)
            problems = tuple(self.with_cure(problem, name) for problem in verdict.problems)
            return replace(verdict, version=version, problems=problems)

        return replace(result, verdicts=tuple(map(versioned, result.verdicts)))

    def _verdicts(self, layer: str, problems: Mapping[str, str], batch: Entries) -> LayerResult:
        """Verdicts against these partitions, which nothing was computed of: others may pass."""
        versions = {n: self.registry.version(batch[n], layer) for n in problems if n in batch}
        verdicts = (
            Verdict(name, layer, (problem,), version=versions.get(name, ""), passing=True)
            for name, problem in problems.items()
        )
        return LayerResult(layer, 0.0, tuple(verdicts))


def clear_left_behind(engine: Engine, lake: Lake, running: Collection[str]) -> None:
    """Gives up what runs left behind that are not among the `running` ones: jobs and staging."""
    engine.abandon(running)
    lake.clear_staging(running)


def _execute_nothing(spec: JobSpec) -> Iterator[LayerResult]:  # noqa: ARG001 - as an engine's
    yield from ()
