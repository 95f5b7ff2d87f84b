"""Running the graph from a process of our own: which runs cover these tickers, and their verdicts.

Dagster covers a contiguous range of partitions with one run, so tickers that do not stand side by
side in the order they were registered need a run for each stretch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from crypto_assets.defs.partitions import RANGE_TAGS, snapshot_partitions, ticker_partitions
from crypto_assets.defs.verdicts import PROBLEM, SUPERSEDED
from crypto_assets.resources.instance import PROCESS_TAG, process_name
from crypto_assets.spark.job_spec import Layer

_RECORDED = (dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_OBSERVATION)
_OURS = "crypto_assets."  # how the message of an error of ours begins: with its class
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Outcome:
    """What a run made of one partition, a ticker or snapshot.

    The metadata of each layer that passed, the problems, and what stands in the others' place.
    """

    partition: str
    passed: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return bool(self.problems)


def contiguous(ordered: Sequence[str], wanted: Collection[str]) -> Iterator[list[str]]:
    """Splits the wanted keys into the longest stretches that stand side by side in `ordered`."""
    stretch: list[str] = []
    chosen = set(wanted)
    for key in ordered:
        if key in chosen:
            stretch.append(key)
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def range_tags(stretch: Sequence[str]) -> dict[str, str]:
    """The tags that make a run cover these partitions, which stand side by side."""
    return dict(zip(RANGE_TAGS, (stretch[0], stretch[-1]), strict=True))


def launch(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    tickers: Collection[str],
    layers: Collection[Layer],
) -> Iterator[Outcome]:
    """Runs these layers of these tickers in this process; yields each ticker's outcome."""
    name = str(ticker_partitions.name)
    instance.add_dynamic_partitions(name, list(tickers))  # those it has already stay as they are
    registered = instance.get_dynamic_partitions(name)
    for stretch in contiguous(registered, tickers):
        result = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config=_QUIET,
            asset_selection=[dg.AssetKey(layer) for layer in layers],
            tags={**range_tags(stretch), PROCESS_TAG: process_name()},
        )
        yield from _outcomes(instance, result, stretch, layers)


def launch_snapshot(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    name: str,
    layers: Collection[Layer],
    *,
    confirm_mass_delete: bool,
) -> Iterator[Outcome]:
    """Runs these layers of a snapshot in this process; yields its outcome.

    That of another snapshot comes before it if a killed run had left that one half stored.
    """
    instance.add_dynamic_partitions(str(snapshot_partitions.name), [name])
    config = {"confirm_mass_delete": confirm_mass_delete}
    result = job.execute_in_process(
        instance=instance,
        raise_on_error=False,
        partition_key=name,
        run_config={**_QUIET, "ops": {"customer_accounts": {"config": config}}},
        asset_selection=[dg.AssetKey(layer) for layer in layers],
        tags={PROCESS_TAG: process_name()},
    )
    yield from _outcomes(instance, result, [name], layers)


def _outcomes(
    instance: dg.DagsterInstance,
    result: dg.ExecuteInProcessResult,
    partitions: Sequence[str],
    layers: Collection[Layer],
) -> Iterator[Outcome]:
    """What the run recorded of each partition; one it recorded nothing of has the run's error."""
    others: dict[str, Outcome] = {}
    outcomes = {partition: Outcome(partition) for partition in partitions}
    recorded = instance.get_records_for_run(result.run_id, of_type=set(_RECORDED)).records
    for record in recorded:
        event = record.asset_materialization or record.event_log_entry.asset_observation
        if event is None:
            continue
        partition, layer = str(event.partition), event.asset_key.to_user_string()
        if partition in outcomes:
            outcome = outcomes[partition]
        else:
            outcome = others.setdefault(partition, Outcome(partition))
        metadata = {name: value.value for name, value in event.metadata.items()}
        if isinstance(event, dg.AssetMaterialization):
            outcome.passed[layer] = metadata
        elif SUPERSEDED in metadata:
            outcome.superseded[layer] = str(metadata[SUPERSEDED])
        else:
            outcome.problems[layer] = str(metadata[PROBLEM])
    for outcome in outcomes.values():
        missing = [layer for layer in layers if layer not in outcome.passed]
        if not result.success and not outcome.problems and missing:
            outcome.problems[missing[0]] = _run_problem(result)
    yield from others.values()
    yield from outcomes.values()


def _run_problem(result: dg.ExecuteInProcessResult) -> str:
    """What a run broke off on, in one line, as it was first told by us.

    Dagster's own errors wrap ours, and ours wrap those of libraries, which know no cure.
    """
    for event in result.all_events:
        if event.is_step_failure and (error := event.step_failure_data.error):
            while error.cause and not error.message.startswith(_OURS):
                error = error.cause
            message = " ".join(error.message.split())[:500]
            return message.partition(": ")[2] if message.startswith(_OURS) else message
    return "the run broke off"
