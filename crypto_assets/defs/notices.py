"""The notice of a failed run: who failed, where and why, and how to try again."""

import dagster as dg

from crypto_assets.defs.verdicts import PROBLEM
from crypto_assets.resources.notifier.notifier import Notifier
from crypto_assets.spark.job_spec import ACCOUNT_LAYERS

SHOWN_TICKERS = 100
_OBSERVED = dg.DagsterEventType.ASSET_OBSERVATION


@dg.run_failure_sensor(
    name="failure_notice",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=10,
    description="Tells people once of each run that failed.",
)
def failure_notice(
    context: dg.RunFailureSensorContext, notifier: dg.ResourceParam[Notifier]
) -> None:
    """Tells the notifier of the failed run, partition by partition."""
    run = context.dagster_run
    problems = failures(context.instance, run.run_id)
    subject, text = notice(run.run_id, problems, context.failure_event.message or "")
    notifier.tell(subject, text)


def failures(instance: dg.DagsterInstance, run_id: str) -> list[tuple[str, str, str]]:
    """The partition, layer and problem of each verdict against one that the run recorded."""
    records = instance.get_records_for_run(run_id, of_type=_OBSERVED).records
    observed = (record.event_log_entry.asset_observation for record in records)
    return [
        (str(event.partition), event.asset_key.to_user_string(), str(event.metadata[PROBLEM].value))
        for event in observed
        if event and PROBLEM in event.metadata
    ]


def notice(run_id: str, problems: list[tuple[str, str, str]], error: str) -> tuple[str, str]:
    """The subject and text; `error` is the run's own, told if nobody was found at fault."""
    if not problems:
        retry = "`crypto-assets materialize --stale` redoes what is missing"
        return f"run {run_id} broke off", f"{error}\n{retry}"
    lines = [f"{ticker} failed at {layer}: {why}" for ticker, layer, why in problems]
    if len(lines) > SHOWN_TICKERS:
        lines = [*lines[:SHOWN_TICKERS], f"and {len(lines) - SHOWN_TICKERS} more"]
    of_accounts = problems[0][1] in ACCOUNT_LAYERS
    again = "accounts" if of_accounts else "materialize --failed"
    retry = f"Upload files that are right; `crypto-assets {again}` tries again."
    noun = "snapshot" if of_accounts else "ticker"
    failed = f"1 {noun}" if len(problems) == 1 else f"{len(problems)} {noun}s"
    return f"{failed} failed in run {run_id}", "\n".join([*lines, retry])
