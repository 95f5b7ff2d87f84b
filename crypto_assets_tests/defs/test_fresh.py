"""The check `fresh` as days go by without a new upload."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
import pytest

from crypto_assets.defs.fresh import changes, fresh_job, fresh_sensor
from crypto_assets.defs.partitions import partitions_named
from crypto_assets.event_log.checks import partitions_by_status
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.storage.clock import utc_day
from crypto_assets_tests.helpers.exports_text import FIRST

CHECK = dg.AssetCheckKey(dg.AssetKey("silver"), "fresh")
LAST = FIRST + timedelta(days=39)  # the last price of the files that `add` registers
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def instance(add, run, settings):
    """Two currencies that are late by the time they are made; one is allowed to be."""
    for ticker in ("BTC", "ETH"):
        add(ticker)
    toml = settings.inbox_folder / "currencies.toml"
    toml.write_text(f"[ETH]\nlate_after_days = {(utc_day() - LAST).days + 10}\n")
    assert run("materialize", "--all")[0] == 0
    with open_instance(settings) as opened:
        yield opened


def statuses(instance: dg.DagsterInstance) -> dict[str, set[str]]:
    found = partitions_by_status(instance, CHECK, partitions_named("ticker"))
    return {status: tickers for status, tickers in found.items() if tickers}


def evaluated(instance: dg.DagsterInstance, settings, day: date) -> int:
    """Runs the job on this day; how many evaluations it logged."""
    resources = {"settings": dg.ResourceDefinition.hardcoded_resource(settings)}
    result = fresh_job(today=lambda: day).execute_in_process(
        instance=instance, resources=resources, run_config=QUIET
    )
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    return len(instance.get_records_for_run(result.run_id, of_type=kind).records)


def test_a_currency_becomes_late_by_waiting_and_is_in_time_again_by_a_longer_allowance(
    instance, settings
):
    assert statuses(instance) == {"FAILED": {"BTC"}, "SUCCEEDED": {"ETH"}}
    later = utc_day() + timedelta(days=20)
    assert evaluated(instance, settings, utc_day()) == 0
    assert evaluated(instance, settings, later) == 1
    assert statuses(instance) == {"FAILED": {"BTC", "ETH"}}
    allowed = (later - LAST).days
    toml = settings.inbox_folder / "currencies.toml"
    toml.write_text(f"[BTC]\nlate_after_days = {allowed}\n[ETH]\nlate_after_days = {allowed}\n")
    assert evaluated(instance, settings, later) == 2
    assert statuses(instance) == {"SUCCEEDED": {"BTC", "ETH"}}
    assert evaluated(instance, settings, later + timedelta(days=1)) == 2
    assert [each.partition for each in changes(instance, settings, later)] == ["BTC", "ETH"]


def test_the_sensor_asks_for_a_run_once_on_a_day_that_changes_the_check(instance, settings):
    def tick(day: date, cursor: str | None) -> dg.SensorResult:
        resources = {"settings": settings}
        with dg.build_sensor_context(instance, cursor=cursor, resources=resources) as context:
            return fresh_sensor(today=lambda: day).evaluate_tick(context)

    today, later = utc_day(), utc_day() + timedelta(days=20)
    first = tick(today, None)
    assert first.run_requests == []
    second = tick(later, first.cursor)
    assert [request.run_key for request in second.run_requests] == [later.isoformat()]
    assert tick(later, second.cursor).run_requests == []
