"""Running the graph from a process of our own: runs for partitions, and their verdicts."""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from crypto_assets.defs.partitions import run_scopes
from crypto_assets.defs.verdicts import POOL, PROBLEM, SUPERSEDED
from crypto_assets.resources.data_set.due import still_due
from crypto_assets.resources.data_set.outcomes import BROKE_OFF, INTERRUPTED
from crypto_assets.resources.data_set.refresh import Refresh
from crypto_assets.resources.home.instance import PROCESS_TAG, process_name, waited_for
from crypto_assets.resources.progress import WAIT_REPORT_SECONDS, waiting

_OURS = "crypto_assets."  # how the message of an error of ours begins: with its class
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Outcome:
    """What a run made of one partition.

    The metadata of each layer that passed, the problems, and what superseded the others.
    """

    partition: str
    passed: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return bool(self.problems)


def launch(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    refresh: Refresh,
    partitions: Collection[str],
    layers: Collection[str],
    options: Mapping[str, Any] | None = None,
) -> Iterator[Outcome]:
    """Runs these layers of these partitions in this process; yields the outcome of each.

    That of another one comes before it if the run completed what a killed run had begun.
    """
    data_set = refresh.data_set
    config: dict[str, Any] = {"ops": {data_set.name: {"config": options}}} if options else {}
    for names, tags in run_scopes(instance, data_set, partitions):
        run_id = str(uuid.uuid4())
        recorded: dict[str, Outcome] = {}
        instance.add_event_listener(run_id, functools.partial(_record, recorded))
        with _reporting_waits(instance, run_id):
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_id=run_id,
                run_config={**_QUIET, **config},
                partition_key=None if data_set.batched else names[0],
                asset_selection=[dg.AssetKey(layer) for layer in layers],
                tags={**tags, PROCESS_TAG: process_name(instance)},
            )
        yield from _outcomes(recorded, result, names, layers)
    still_due(refresh.registry, refresh.outcomes)  # settles what has its verdict now


@contextmanager
def _reporting_waits(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Reports now and then whom the run waits for, while it does."""
    ended = threading.Event()

    def report() -> None:
        while not ended.wait(WAIT_REPORT_SECONDS):
            if holder := waited_for(instance, run_id, POOL):
                waiting(f"waits for {holder} to end")

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        ended.set()
        reporter.join()


def _record(recorded: dict[str, Outcome], entry: dg.EventLogEntry) -> None:
    """Adds the verdict to its partition's outcome, if the event that was stored is one."""
    event = entry.asset_materialization or entry.asset_observation
    if event is None:
        return
    partition, layer = str(event.partition), event.asset_key.to_user_string()
    outcome = recorded.setdefault(partition, Outcome(partition))
    metadata = {name: value.value for name, value in event.metadata.items()}
    if isinstance(event, dg.AssetMaterialization):
        outcome.passed[layer] = metadata
    elif SUPERSEDED in metadata:
        outcome.superseded[layer] = str(metadata[SUPERSEDED])
    else:
        outcome.problems[layer] = str(metadata[PROBLEM])


def _outcomes(
    recorded: dict[str, Outcome],
    result: dg.ExecuteInProcessResult,
    partitions: Sequence[str],
    layers: Collection[str],
) -> Iterator[Outcome]:
    """What the run recorded of each partition; one it recorded nothing of has the run's error."""
    outcomes = [recorded.pop(partition, Outcome(partition)) for partition in partitions]
    for outcome in outcomes:
        missing = [layer for layer in layers if layer not in outcome.passed]
        if not result.success and not outcome.problems and missing:
            outcome.problems[BROKE_OFF] = _run_problem(result)
    yield from recorded.values()
    yield from outcomes


def _run_problem(result: dg.ExecuteInProcessResult) -> str:
    """What a run broke off on, in one line, as our own error says it.

    Dagster's own errors wrap ours, and ours wrap those of libraries, which know no cure.
    """
    for event in result.all_events:
        if event.is_step_failure and (error := event.step_failure_data.error):
            while error.cause and not error.message.startswith(_OURS):
                error = error.cause
            if error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
                return INTERRUPTED
            message = " ".join(error.message.split())[:500]
            return message.partition(": ")[2] if message.startswith(_OURS) else message
    return "the run broke off"
