"""The notice of a failed run: who failed, where and why, and how to try again."""

from collections.abc import Sequence

import dagster as dg

from crypto_assets.defs.jobs import job_name
from crypto_assets.defs.partitions import is_of
from crypto_assets.defs.verdicts import PROBLEM
from crypto_assets.resources.notifier.notifier import Notifier
from crypto_assets.spark.data_set import DataSet

SHOWN_PARTITIONS = 100
_AGAIN = "`crypto-assets {}` tries again, and so does a running `crypto-assets ui` by itself"
_OBSERVED = dg.DagsterEventType.ASSET_OBSERVATION


def failure_notice(data_sets: Sequence[DataSet]) -> dg.SensorDefinition:
    """The sensor that sends one notice of each run that failed."""

    @dg.run_failure_sensor(
        name="failure_notice",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=10,
        description="Sends one notice of each run that failed.",
    )
    def sensor(context: dg.RunFailureSensorContext, notifier: dg.ResourceParam[Notifier]) -> None:
        run = context.dagster_run
        problems = failures(context.instance, run.run_id)
        error = context.failure_event.message or ""
        notifier.notify(*notice(run, problems, error, data_sets))

    return sensor


def failures(instance: dg.DagsterInstance, run_id: str) -> list[tuple[str, str, str]]:
    """The partition, layer and problem of each verdict against one that the run recorded."""
    records = instance.get_records_for_run(run_id, of_type=_OBSERVED).records
    observed = (record.event_log_entry.asset_observation for record in records)
    return [
        (str(event.partition), event.asset_key.to_user_string(), str(event.metadata[PROBLEM].value))
        for event in observed
        if event and PROBLEM in event.metadata
    ]


def notice(
    run: dg.DagsterRun,
    problems: list[tuple[str, str, str]],
    error: str,
    data_sets: Sequence[DataSet],
) -> tuple[str, str]:
    """The subject and text; `error` is the run's own, for when no partition was at fault."""
    if not problems:
        of = (each for each in data_sets if job_name(each) == run.job_name or is_of(run, each))
        again = [_AGAIN.format(each.command) for each in of]
        return f"run {run.run_id} broke off", "\n".join([error, *again])
    lines = [f"{partition} failed at {layer}: {why}" for partition, layer, why in problems]
    if len(lines) > SHOWN_PARTITIONS:
        lines = [*lines[:SHOWN_PARTITIONS], f"and {len(lines) - SHOWN_PARTITIONS} more"]
    data_set = next(one for one in data_sets if problems[0][1] in one.layers)
    retry = f"Upload files that are right; `crypto-assets {data_set.command}` tries again."
    noun = data_set.partition
    failed = f"1 {noun}" if len(problems) == 1 else f"{len(problems)} {noun}s"
    return f"{failed} failed in run {run.run_id}", "\n".join([*lines, retry])
