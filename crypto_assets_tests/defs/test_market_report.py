"""The report as an asset: of no ticker, in nobody's way, and asked for once for all of them."""

from __future__ import annotations

import dagster as dg
import pytest

from crypto_assets.definitions import defs_of
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.settings import read_settings

KEY = dg.AssetKey("market_report")


@pytest.fixture
def instance(settings):
    with open_instance(settings) as opened:
        opened.add_dynamic_partitions("ticker", ["BTC", "ETH", "XMR"])
        yield opened


def warehouse_of(instance, *tickers):
    for ticker in tickers:
        event = dg.AssetMaterialization("warehouse", partition=ticker)
        instance.report_runless_asset_event(event)


def asked_for(instance, cursor=None):
    """How often the report is asked for at this look, and the cursor for the next one."""
    selection = dg.AssetSelection.assets(KEY)
    result = dg.evaluate_automation_conditions(
        defs_of(read_settings()), instance, asset_selection=selection, cursor=cursor
    )
    return result.total_requested, result.cursor


def test_materializing_the_report_writes_the_page_and_counts_the_currencies(
    run, add, home, settings
):
    add("BTC")
    add("ETH", cells={12: "n.a. see mail"})
    run("materialize", "--all")
    with open_instance(settings) as instance:
        job = defs_of(read_settings()).resolve_implicit_job_def_def_for_assets([KEY])
        assert job.execute_in_process(instance=instance, asset_selection=[KEY]).success
        event = instance.get_latest_materialization_event(KEY)
    metadata = {n: v.value for n, v in event.asset_materialization.metadata.items()}
    page = home / "report.html"
    assert metadata["path"] == str(page)
    assert metadata["size_bytes"] == page.stat().st_size
    assert (metadata["currencies"], metadata["published"], metadata["failed"]) == (2, 1, 1)


def test_the_report_belongs_to_no_ticker_and_no_layer_depends_on_it(home):
    graph = defs_of(read_settings()).resolve_asset_graph()
    node = graph.get(KEY)
    assert node.partitions_def is None
    assert node.parent_keys == {dg.AssetKey("warehouse")}
    assert node.child_keys == set()


def test_it_is_asked_for_once_for_all_currencies_that_came_whatever_others_lack(instance):
    asked, cursor = asked_for(instance)
    assert asked == 0
    warehouse_of(instance, "BTC", "ETH")
    asked, cursor = asked_for(instance, cursor)
    assert asked == 1
    assert asked_for(instance, cursor)[0] == 0
