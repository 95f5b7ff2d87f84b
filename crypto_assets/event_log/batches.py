"""Many asset events at once, from within a step or from outside of any run.

Dagster's public `log_event` and `report_runless_asset_event` store one event at a time. Relied on:
the constructors of `DagsterEvent` and the batch that Dagster knows by `DagsterEventBatchMetadata`;
how it is stored is the matter of the instance's event log, whatever its class.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import dagster as dg
from dagster._core.events import (
    AssetObservationData,
    DagsterEvent,
    DagsterEventBatchMetadata,
    DagsterEventType,
    StepMaterializationData,
    generate_event_batch_id,
)
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID

AssetEvent = dg.AssetMaterialization | dg.AssetObservation


def log_asset_events(context: dg.AssetExecutionContext, events: Sequence[AssetEvent]) -> None:
    """Logs these events of the step as `context.log_event` logs each, in their order.

    They are in the event log, but not in the list of events that `execute_in_process` returns.
    """
    step = context.get_step_execution_context()
    for event, batch in _batched(events):
        if isinstance(event, dg.AssetMaterialization):
            DagsterEvent.asset_materialization(step, event, batch)
        else:
            DagsterEvent.asset_observation(step, event, batch)


def report_asset_events(instance: dg.DagsterInstance, events: Sequence[AssetEvent]) -> None:
    """Reports these events as `instance.report_runless_asset_event` reports each."""
    for event, batch in _batched(events):
        if isinstance(event, dg.AssetMaterialization):
            kind = DagsterEventType.ASSET_MATERIALIZATION
            data: StepMaterializationData | AssetObservationData = StepMaterializationData(event)
        else:
            kind, data = DagsterEventType.ASSET_OBSERVATION, AssetObservationData(event)
        instance.report_dagster_event(
            DagsterEvent(kind.value, RUNLESS_JOB_NAME, event_specific_data=data),
            RUNLESS_RUN_ID,
            logging.INFO,
            batch_metadata=batch,
        )


def _batched(
    events: Sequence[AssetEvent],
) -> Iterator[tuple[AssetEvent, DagsterEventBatchMetadata]]:
    """The events, each with its place in the batch that all of them are."""
    batch_id = generate_event_batch_id()
    for place, event in enumerate(events, start=1):
        yield event, DagsterEventBatchMetadata(batch_id, is_end=place == len(events))
