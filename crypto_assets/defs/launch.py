"""Running the graph from a process of our own: which runs cover these tickers, and their verdicts.

Dagster covers a contiguous range of partitions with one run, so tickers that do not stand side by
side in the order they were registered need a run for each stretch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from crypto_assets.defs.market_data import PROBLEM
from crypto_assets.defs.partitions import RANGE_TAGS, ticker_partitions
from crypto_assets.resources.instance import PROCESS_TAG, process_name
from crypto_assets.spark.batch import Layer

_RECORDED = (dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_OBSERVATION)
_OURS = "crypto_assets."  # how the message of an error of ours begins: with its class
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Outcome:
    """What a run made of one ticker: the metadata of each layer that passed, and the problems."""

    ticker: str
    passed: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

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


def _outcomes(
    instance: dg.DagsterInstance,
    result: dg.ExecuteInProcessResult,
    tickers: Sequence[str],
    layers: Collection[Layer],
) -> Iterator[Outcome]:
    """What the run recorded of each ticker; a ticker it recorded nothing of has the run's error."""
    outcomes = {ticker: Outcome(ticker) for ticker in tickers}
    recorded = instance.get_records_for_run(result.run_id, of_type=set(_RECORDED)).records
    for record in recorded:
        event = record.asset_materialization or record.event_log_entry.asset_observation
        if event is None:
            continue
        outcome, layer = outcomes[str(event.partition)], event.asset_key.to_user_string()
        metadata = {name: value.value for name, value in event.metadata.items()}
        if isinstance(event, dg.AssetMaterialization):
            outcome.passed[layer] = metadata
        else:
            outcome.problems[layer] = str(metadata[PROBLEM])
    for outcome in outcomes.values():
        if not result.success and not outcome.problems and len(outcome.passed) < len(layers):
            missing = next(layer for layer in layers if layer not in outcome.passed)
            outcome.problems[missing] = _run_problem(result)
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
