"""Partitions that go while runs wait for them."""

from __future__ import annotations

import dagster as dg
import pytest

from crypto_assets.definitions import defs_of
from crypto_assets.defs import uploads as sensor
from crypto_assets.defs.partitions import RANGE_TAGS, run_scopes
from crypto_assets.defs.remove import remove
from crypto_assets.resources import wiring
from crypto_assets.spark.market_data.data_set import MARKET_DATA


@pytest.mark.parametrize(
    ("removed", "again"),
    [("BTC", [["ETH", "XMR"]]), ("ETH", [["BTC", "XMR"]]), ("XMR", [["BTC", "ETH"]])],
)
def test_what_a_waiting_run_was_for_stays_due_when_one_of_its_tickers_is_removed(
    desk, monkeypatch, removed, again
):
    tickers = ["BTC", "ETH", "XMR"]
    for ticker in tickers:
        desk.deliver_pair(ticker)
    assert desk.tick() == [tickers]
    run = desk.instance.create_run_for_job(
        defs_of(desk.settings).resolve_job_def("refresh_currencies"),
        status=dg.DagsterRunStatus.NOT_STARTED,
        tags=dict(zip(RANGE_TAGS, ("BTC", "XMR"), strict=True)),
    )
    currencies = wiring.market_data(desk.settings)
    remove(desk.instance, currencies, wiring.inbox(desk.settings), removed, purge=True)
    assert not desk.instance.has_dynamic_partition("ticker", removed)
    desk.instance.report_run_failed(run, "one of its partitions is gone")
    monkeypatch.setattr(sensor, "FIRST_PAUSE", 0.0)
    assert desk.tick() == again


def test_a_run_names_its_first_twenty_tickers_and_counts_the_others(desk):
    tickers = [f"T{number:03}" for number in range(25)]
    with_names = run_scopes(desk.instance, MARKET_DATA, tickers)
    ((names, tags),) = with_names
    assert sorted(names) == tickers
    assert tags["tickers"] == f"{', '.join(names[:20])} and 5 more"
