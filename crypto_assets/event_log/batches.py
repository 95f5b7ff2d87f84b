"""Many events of assets and their checks at once, from within a step or from outside of any run.

Dagster's public `log_event` and `report_runless_asset_event` store one event at a time. Relied on:
the constructors of `DagsterEvent` and the batch that Dagster knows by `DagsterEventBatchMetadata`;
how it is stored is the matter of the instance's event log, whatever its class.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from time import time
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.events import (
    AssetObservationData,
    DagsterEvent,
    DagsterEventBatchMetadata,
    DagsterEventType,
    StepMaterializationData,
    generate_event_batch_id,
)
from dagster._core.execution.context.system import StepExecutionContext
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID
from dagster._core.storage.event_log.schema import AssetKeyTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

AssetEvent = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation
Target = AssetCheckEvaluationTargetMaterializationData


def log_asset_events(
    context: dg.AssetExecutionContext | dg.OpExecutionContext, events: Sequence[AssetEvent]
) -> None:
    """Logs these events of the step as `context.log_event` logs each, in their order.

    They are in the event log, but neither among the lines that the process prints nor in the list
    of events that `execute_in_process` returns: of thousands these take a third of the time.
    """
    step = context.get_step_execution_context()
    for event, batch in _batched(events):
        storing: Any = _Storing(step, context.instance, batch)
        if isinstance(event, dg.AssetMaterialization):
            DagsterEvent.asset_materialization(storing, event)
        elif isinstance(event, dg.AssetObservation):
            DagsterEvent.asset_observation(storing, event)
        else:
            DagsterEvent.asset_check_evaluation(storing, event)


class _Storing:
    """A step as the constructors of `DagsterEvent` know it, whose events are stored and no more."""

    def __init__(
        self,
        step: StepExecutionContext,
        instance: dg.DagsterInstance,
        batch: DagsterEventBatchMetadata,
    ) -> None:
        self.step, self.job_name, self.event_tags = step.step, step.job_name, step.event_tags
        self.log = self
        self._run_id, self._instance, self._batch = step.run_id, instance, batch

    def log_dagster_event(
        self,
        level: int,
        msg: str,
        dagster_event: DagsterEvent,
        batch_metadata: None,  # noqa: ARG002 - some constructors know of no batch
    ) -> None:
        entry = dg.EventLogEntry(
            None, level, msg, self._run_id, time(), self.step.key, self.job_name, dagster_event
        )
        self._instance.handle_new_event(entry, batch_metadata=self._batch)


def report_asset_events(instance: dg.DagsterInstance, events: Sequence[AssetEvent]) -> None:
    """Reports these events as `instance.report_runless_asset_event` reports each."""
    for event, batch in _batched(events):
        data: StepMaterializationData | AssetObservationData | dg.AssetCheckEvaluation
        if isinstance(event, dg.AssetMaterialization):
            kind, data = DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(event)
        elif isinstance(event, dg.AssetObservation):
            kind, data = DagsterEventType.ASSET_OBSERVATION, AssetObservationData(event)
        else:
            kind, data = DagsterEventType.ASSET_CHECK_EVALUATION, event
        instance.report_dagster_event(
            DagsterEvent(kind.value, RUNLESS_JOB_NAME, event_specific_data=data),
            RUNLESS_RUN_ID,
            logging.INFO,
            batch_metadata=batch,
        )


def materialized_last(
    instance: dg.DagsterInstance, assets: Collection[dg.AssetKey], partitions: Collection[str]
) -> Mapping[tuple[dg.AssetKey, str], Target]:
    """The newest materialization of each of these partitions of each asset, if there is one.

    As what a check is evaluated on: Dagster shows an evaluation only while nothing newer than its
    target is there. Read without the events themselves, of which there may be thousands.
    """
    log, events = instance.event_log_storage, SqlEventLogStorageTable.c
    if not isinstance(log, SqlEventLogStorage):
        return {}
    newest = (
        db.select(db.func.max(events.id))
        .where(events.asset_key.in_([asset.to_string() for asset in assets]))
        .where(events.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION.value)
        .where(events.partition.in_(partitions))
        .group_by(events.asset_key, events.partition)
    )
    wiped = AssetKeyTable.c.wipe_timestamp
    query = (
        db.select(events.asset_key, events.partition, events.id, events.run_id, events.timestamp)
        .join(AssetKeyTable, AssetKeyTable.c.asset_key == events.asset_key)
        .where(events.id.in_(newest), db.or_(wiped.is_(None), events.timestamp > wiped))
    )
    keys = {asset.to_string(): asset for asset in assets}
    with log.index_connection() as connection:
        return {
            (keys[asset], partition): Target(
                storage_id=event_id, run_id=run_id, timestamp=_seconds(time)
            )
            for asset, partition, event_id, run_id, time in connection.execute(query)
        }


def _seconds(time: datetime) -> float:
    """A time as Dagster stores it, UTC without saying so, in seconds since 1970."""
    return time.replace(tzinfo=UTC).timestamp()


def _batched(
    events: Sequence[AssetEvent],
) -> Iterator[tuple[AssetEvent, DagsterEventBatchMetadata]]:
    """The events, each with its place in the batch that all of them are."""
    batch_id = generate_event_batch_id()
    for place, event in enumerate(events, start=1):
        yield event, DagsterEventBatchMetadata(batch_id, is_end=place == len(events))
