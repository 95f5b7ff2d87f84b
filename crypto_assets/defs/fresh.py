"""The check `fresh` on days on which nothing arrives: a currency becomes late by waiting.

A step evaluates it of what it makes; here a run does once a day, of those currencies alone of which
it says something else by now. When a currency is late is in `resources/market_data/freshness`.
"""

from collections.abc import Callable
from datetime import date

import dagster as dg

from crypto_assets.defs.checks import evaluation, late_findings
from crypto_assets.defs.late import LOOK_SECONDS, late_now
from crypto_assets.defs.partitions import partitions_named
from crypto_assets.event_log.batches import log_asset_events, materialized_last
from crypto_assets.event_log.checks import partitions_by_status
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.clock import utc_day
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.market_data.rules import CHECKS

NAME = "check_freshness"
_CHECK = next(check for check in CHECKS if check.name == "fresh")
_ASSET = dg.AssetKey(_CHECK.layer)


def changes(
    instance: dg.DagsterInstance, settings: Settings, today: date
) -> list[dg.AssetCheckEvaluation]:
    """What the check says today of those currencies of which it said something else before."""
    found = {each.ticker: each for each in late_now(settings, today)}
    key, tickers = dg.AssetCheckKey(_ASSET, _CHECK.name), partitions_named(MARKET_DATA.partition)
    shown = partitions_by_status(instance, key, tickers).get("FAILED", set())
    targets = materialized_last(instance, [_ASSET], found.keys() ^ shown)
    return [
        evaluation(_CHECK, ticker, late_findings(found.get(ticker)), target)
        for (_, ticker), target in sorted(targets.items(), key=lambda each: each[0][1])
    ]


def fresh_job(today: Callable[[], date] = utc_day) -> dg.JobDefinition:
    """The job that evaluates the check of those currencies of which it is out of date."""

    @dg.op(name="evaluate_fresh", config_schema={}, required_resource_keys={"settings"})
    def evaluate(context: dg.OpExecutionContext) -> None:
        """Logs what the check says by now, and of how many currencies."""
        events = changes(context.instance, context.resources.settings, today())
        log_asset_events(context, events)
        context.log.info("%d currencies are late or no longer so", len(events))

    @dg.job(name=NAME, description="Evaluates the check `fresh` where days have changed it.")
    def job() -> None:
        evaluate()

    return job


def fresh_sensor(today: Callable[[], date] = utc_day) -> dg.SensorDefinition:
    """The sensor that has the check evaluated once a day (UTC) where it is out of date.

    Its cursor is the day of the last look.
    """

    @dg.sensor(
        job_name=NAME,
        name=NAME,
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Evaluates the check `fresh` once a day where days have changed it.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
    ) -> dg.SensorResult:
        day = today()
        if context.cursor != day.isoformat() and changes(context.instance, settings, day):
            request = dg.RunRequest(day.isoformat())
            return dg.SensorResult(run_requests=[request], cursor=day.isoformat())
        return dg.SensorResult(skip_reason=dg.SkipReason("once a day"), cursor=day.isoformat())

    return sensor
