"""Uploads under profile `aws`: bucket, events, queue, sensor, jobs and warehouse, with a daemon."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.cloud import settings_of
from crypto_assets_tests.helpers.exports_text import highest, history_csv, trend_csv
from crypto_assets_tests.helpers.processes import COMMAND, DAEMON, child
from crypto_assets_tests.helpers.roles import UPLOADER, keys_of
from crypto_assets_tests.helpers.upload_queue import waiting
from crypto_assets_tests.helpers.waiting import until

HASTENED = [*DAEMON[:-1], "crypto_assets_tests.helpers.quick_definitions"]
HIGHEST = "SELECT ticker, max(price) FROM market_data.prices GROUP BY ticker"
ROWS = "SELECT * FROM market_data.prices ORDER BY ticker, date"


@pytest.fixture
def settings(cloud, home, monkeypatch) -> Settings:
    return settings_of(cloud, home, monkeypatch)


def prices(settings: Settings) -> dict[str, float]:
    """The highest price of each ticker in the warehouse; empty while there is none."""
    try:
        return dict(wiring.warehouse(settings).query(HIGHEST)[1])
    except UsageError:
        return {}


def shows(settings: Settings, **levels: float) -> bool:
    return prices(settings) == {t: pytest.approx(highest(level)) for t, level in levels.items()}


def drop(folder: Path, ticker: str, level: float, **shape) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{ticker} prices.csv").write_text(history_csv(level, **shape))
    (folder / f"{ticker} trend.csv").write_text(trend_csv(ticker))


def send(folder: Path) -> None:
    """Uploads the folder as somebody who may do nothing else."""
    environment = {**os.environ, **keys_of(UPLOADER)}
    command = [*COMMAND, "upload", str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=environment)


def all_ended(settings: Settings) -> bool:
    with open_instance(settings) as instance:
        return all(run.is_finished for run in instance.get_runs())


def test_bursts_of_uploads_end_in_the_tables_the_local_profile_makes(
    cloud, settings, tmp_path, monkeypatch
):
    mine = tmp_path / "mine"
    drop(mine, "BTC", 100.0)
    drop(mine, "ETH", 200.0)
    drop(mine, "DOGE", 1.0, cells={12: "n.a. see mail"})
    (mine / "什么.csv").write_text("nothing that anybody knows\n")
    with child(settings, *HASTENED) as daemon:
        send(mine)
        until("the first tables", lambda: shows(settings, BTC=100.0, ETH=200.0), by=daemon)
        drop(mine, "BTC", 300.0)  # replaced, together with a repaired and a new currency
        drop(mine, "DOGE", 2.0)
        drop(mine, "XMR", 50.0)
        send(mine)
        send(mine)  # the same content again changes nothing
        newest = {"BTC": 300.0, "DOGE": 2.0, "ETH": 200.0, "XMR": 50.0}
        until("the newest tables", lambda: shows(settings, **newest), by=daemon)
        until("the end of all runs", lambda: all_ended(settings), by=daemon)
        until("an empty queue", lambda: waiting(cloud.admin, cloud.queue_url) == 0, by=daemon)
    status = subprocess.run(
        [*COMMAND, "status", "--json"], capture_output=True, check=True, text=True
    )
    document = json.loads(status.stdout)
    assert [q["file"] for q in document["quarantine"]] == ["mine/什么.csv"]
    assert (document["waiting"], document["new"]) == ([], [])
    states = {
        currency["ticker"]: [layer["state"] for layer in currency["layers"].values()]
        for currency in document["currencies"]
    }
    assert states == dict.fromkeys(newest, ["published"] * 4)
    with open_instance(settings) as instance:
        keys = [run.tags["dagster/run_key"] for run in instance.get_runs()]
    assert len(set(keys)) == len(keys)
    assert len(cloud.jobs.jobs) == len(keys)  # one job for each run's batch
    assert cloud.keys("lake/_staging") == []
    assert cloud.keys("lake/_jobs") == []
    rows = [tuple(row) for row in wiring.warehouse(settings).query(ROWS)[1]]

    monkeypatch.setenv("CRYPTO_ASSETS_PROFILE", "local")
    for ticker in newest:
        files = (
            "--history",
            mine / f"{ticker} prices.csv",
            "--trend",
            mine / f"{ticker} trend.csv",
        )
        subprocess.run([*COMMAND, "add", ticker, *map(str, files)], check=True, capture_output=True)
    subprocess.run([*COMMAND, "materialize", "--all"], check=True, capture_output=True)
    assert rows == [tuple(row) for row in wiring.warehouse(Settings()).query(ROWS)[1]]
