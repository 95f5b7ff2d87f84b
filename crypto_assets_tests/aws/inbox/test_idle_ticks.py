"""What a tick of the sensor asks of AWS while nothing comes: it is asked every ten seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from crypto_assets.defs import uploads
from crypto_assets.resources import costs
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.settings import AwsSettings, Settings
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv
from crypto_assets_tests.helpers.priced import LISTS, READS
from crypto_assets_tests.helpers.sensor_desk import SensorDesk
from crypto_assets_tests.helpers.upload_queue import make_queue
from crypto_assets_tests.helpers.waiting import HANG_S, until


@pytest.fixture
def queue(admin, bucket):
    return make_queue(admin, bucket, visible_after_s=60, max_receives=5)


@pytest.fixture
def settings(home, gateway, bucket, queue, credentials) -> Settings:
    on_s3 = AwsSettings(
        region=REGION, endpoint_url=gateway, inbox=f"s3://{bucket}/inbox", queue_url=queue.url
    )
    return Settings(home=home, inbox="s3", aws=on_s3)


@pytest.fixture
def desk(settings, monkeypatch) -> Iterator[SensorDesk]:
    """A desk for which no time passes but what a test takes out of the cursor."""
    monkeypatch.setattr(uploads, "QUIET_SECONDS", 100 * HANG_S)
    monkeypatch.setattr(uploads, "FIRST_PAUSE", 100 * HANG_S)
    with open_instance(settings) as instance:
        yield SensorDesk(settings, instance)


def later(desk: SensorDesk, *times: str) -> None:
    """Lets the cursor say that this was long ago."""
    desk.cursor = json.dumps(json.loads(desk.cursor) | dict.fromkeys(times, 0.0))


def test_while_nothing_comes_a_tick_reads_the_settings_and_asks_the_queue(
    desk, asked, admin, bucket
):
    # The product's own writes are events too, which a tick deletes whenever they come.
    admin.client("events").remove_targets(Rule=bucket, Ids=["inbox"])
    desk.tick()
    later(desk, "came_at")
    asked.take()
    desk.tick()
    reads = int(costs.TICK.reads)
    assert asked.take() == {READS: reads, "sqs": 1}
    later(desk, "looked_at")
    desk.tick()
    assert asked.take() == {READS: reads, LISTS: costs.LOOK.writes, "sqs": 1}
    later(desk, "looked_at", "listed_at")
    desk.tick()
    assert asked.take() == {READS: reads, LISTS: costs.LISTING.writes}


def test_uploads_are_asked_for_after_quiet_ticks_until_their_run_gave_a_verdict(
    desk, settings, run, write, asked, monkeypatch
):
    desk.tick()
    later(desk, "came_at")
    assert desk.tick() == []
    files = [
        write("BTC/BTC Historical Data.csv", history_csv(100.0)),
        write("BTC/multiTimeline.csv", trend_csv("BTC")),
    ]
    for name, value in (("INBOX", "s3"), *_variables(settings)):
        monkeypatch.setenv(f"CRYPTO_ASSETS_{name}", value)
    assert run("upload", *files)[0] == 0
    until("the run of both files", lambda: desk.tick() == [["BTC"]])
    later(desk, "came_at")
    asked.take()
    assert desk.tick() == []  # it is asked for and has no verdict
    assert asked.take()[LISTS] == costs.LOOK.writes


def _variables(settings: Settings) -> Iterator[tuple[str, str]]:
    for name in ("region", "endpoint_url", "inbox", "queue_url"):
        yield f"AWS_{name.upper()}", str(getattr(settings.aws, name))
