"""The requests that `resources/costs.py` counts are those that are made, for each currency."""

from __future__ import annotations

import pytest

from bench.generate import generate
from crypto_assets.resources import wiring
from crypto_assets.resources.costs import COMPUTED, REGISTERED, RUN, TICK
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.inbox.inbox import OVERRIDES
from crypto_assets_tests.helpers.cloud import hasten, settings_of
from crypto_assets_tests.helpers.priced import LISTS, READS, WRITES
from crypto_assets_tests.helpers.sensor_desk import SensorDesk
from crypto_assets_tests.helpers.upload_queue import delivered

TICKERS = 20


@pytest.fixture
def settings(cloud, home, monkeypatch):
    hasten(monkeypatch)
    return settings_of(cloud, home, monkeypatch)


@pytest.fixture
def files(settings, cloud, admin, tmp_path):
    """Pairs of files, and whose they are in `currencies.toml`."""
    pairs = generate(tmp_path / "files", TICKERS, 400)
    sections = (
        f'[{ticker}]\nhistory = "files/{history.relative_to(tmp_path / "files")}"\n'
        f'trend = "files/{trend.relative_to(tmp_path / "files")}"\n'
        for ticker, history, trend in pairs
    )
    wiring.inbox(settings).objects.write(OVERRIDES, "".join(sections).encode())
    delivered(admin, cloud.queue_url, 1)
    return pairs


def test_new_contents_take_the_requests_that_are_counted_for_each_currency(
    run, cloud, settings, files, tmp_path, asked, admin
):
    def upload_and_tick(desk: SensorDesk) -> int:
        """Uploads all files and makes one tick of them; how many currencies it asks for."""
        admin.client("sqs").purge_queue(QueueUrl=cloud.queue_url)
        assert run("upload", tmp_path / "files")[0] == 0
        delivered(admin, cloud.queue_url, 2 * TICKERS)
        return sum(map(len, desk.tick()))

    with open_instance(settings) as instance:
        desk = SensorDesk(settings, instance)
        assert upload_and_tick(desk) == TICKERS
    assert run("materialize", "--all")[0] == 0
    for path in (path for _, *pair in files for path in pair):
        path.write_bytes(path.read_bytes() + b"\n")
    with open_instance(settings) as instance:
        desk.instance = instance
        asked.take()
        assert upload_and_tick(desk) == TICKERS
    made = asked.take()
    assert made[WRITES] == TICKERS * REGISTERED.writes
    # One read more comes when the run has ended: its verdict is held against the entry.
    assert made[READS] == TICKERS * (REGISTERED.reads - 1) + TICK.reads
    assert run("materialize", "--all")[0] == 0
    made = asked.take()
    beside = made[WRITES] + made[LISTS] - TICKERS * COMPUTED.writes
    assert 0 < beside <= RUN.writes
    assert TICKERS * COMPUTED.reads <= made[READS] <= TICKERS * COMPUTED.reads + RUN.reads
