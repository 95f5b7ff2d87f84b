"""Dagster's web UI as people use it: a real webserver and daemon, driven in headless Chromium.

One story, since each step needs what the step before left: five currencies, one with a broken
history, reach the warehouse by clicks alone, and the broken one is repaired. What a page shows is
held against GraphQL and `crypto-assets status --json`. Needs `chromium` on PATH. The pictures of
the documentation are made here: `make test-ui SCREENSHOTS=docs`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Locator, expect

from crypto_assets.cli import main
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.browser_ui import BrowsedUi, page_of
from crypto_assets_tests.helpers.processes import COMMAND
from crypto_assets_tests.helpers.waiting import until
from crypto_assets_tests.helpers.web_ui import serving
from sample_data.demo import BROKEN, FILES

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent
LAYERS = ("bronze", "silver", "gold", "warehouse")
UPSTREAM = {
    "history_file": set(),
    "trend_file": set(),
    "quarantine": set(),
    "bronze": {"history_file", "trend_file"},
    "silver": {"bronze"},
    "gold": {"silver"},
    "warehouse": {"gold"},
    "customers_file": set(),
    "accounts_file": set(),
    "accounts_bronze": {"customers_file", "accounts_file"},
    "accounts_silver": {"accounts_bronze"},
    "customer_accounts": {"accounts_silver"},
    "customer_account_store": {"customer_accounts"},
    "market_report": {"warehouse"},
}
CURRENCIES = "/locations/__repository__@crypto_assets.definitions/asset-groups/market_data"
GOOD = set(FILES) - {BROKEN}
PROBLEM = "line 915: not a price: 'n.a. see mail'"


@pytest.fixture
def ui(settings: Settings, tmp_path: Path) -> Iterator[BrowsedUi]:
    asked = os.environ.get("SCREENSHOTS")
    pictures = ROOT / asked if asked else tmp_path / "pictures"
    with serving(settings) as ui, page_of(ui, tmp_path / "last.png") as page:
        yield BrowsedUi(ui.url, ui.process, page, pictures)


def test_five_currencies_are_refreshed_by_clicks_and_the_broken_one_is_repaired(ui, tmp_path):
    switch_sensor(ui, on=False)  # it would ask for the runs that are launched by hand here
    until("the end of its ticks", lambda: not ticking(ui), by=ui.process)
    for ticker, names in FILES.items():
        add(ticker, *(ROOT / "sample_data" / ticker.lower() / name for name in names))
    the_graph_shows_every_asset_and_its_lineage(ui)
    one_ticker_of_one_asset_is_materialized_from_its_page(ui)
    several_tickers_that_are_not_neighbours_are_materialized_from_the_graph(ui)
    a_backfill_of_all_partitions_completes(ui)
    the_graph_shows_what_failed(ui)
    the_broken_currency_is_red_with_the_reason_and_the_others_are_green(ui)
    add(BROKEN, repaired(tmp_path), ROOT / "sample_data" / BROKEN.lower() / FILES[BROKEN][1])
    assert states()[BROKEN] == dict.fromkeys(LAYERS, "none") | {"bronze": "stale"}
    the_failed_run_is_executed_again_from_failure(ui)
    the_sensor_switched_on_again_finds_nothing_left_to_do(ui)
    the_profile_of_a_snapshot_is_a_check_with_a_table(ui)


def the_profile_of_a_snapshot_is_a_check_with_a_table(ui: BrowsedUi) -> None:
    files = [
        ROOT / "sample_data" / "accounts" / f"{kind}.csv" for kind in ("customers", "accounts")
    ]
    words = ["accounts", "--customers", str(files[0]), "--accounts", str(files[1])]
    # In a process of its own: the browser's event loop runs in this one.
    subprocess.run([*COMMAND, *words], check=True, capture_output=True)
    ui.open("/assets/accounts_silver?view=checks")
    expect(ui.page.get_by_text("customers live in a misspelt state").first).to_be_visible()
    misspelt = ui.page.get_by_text("New Jerse (nearest: New Jersey)")
    expect(misspelt).to_be_visible()


def the_graph_shows_every_asset_and_its_lineage(ui: BrowsedUi) -> None:
    page = ui.page
    ui.open("/asset-groups")
    page.get_by_role("button", name="Hide navigation").click()
    open_wide_graph(ui)
    places = {}
    for name in UPSTREAM:
        node = page.get_by_text(name, exact=True)
        expect(node).to_be_visible()
        places[name] = box["x"] if (box := node.bounding_box()) else None
    for name, upstream in UPSTREAM.items():
        assert all(places[other] < places[name] for other in upstream)
    nodes = ui.ask("assetNodes { assetKey { path } dependencyKeys { path } }")
    assert {
        node["assetKey"]["path"][0]: {key["path"][0] for key in node["dependencyKeys"]}
        for node in nodes
    } == UPSTREAM


def one_ticker_of_one_asset_is_materialized_from_its_page(ui: BrowsedUi) -> None:
    ui.open("/assets/bronze")
    ui.page.get_by_role("button", name="Materialize…").click()
    choose(ui, ["BTC"])
    run = launched(ui).rpartition("/")[2]
    expect_run(ui, "Success")
    assert runs(ui, f'runIds: ["{run}"]') == [("SUCCESS", "BTC", "BTC")]
    open_partition(ui, "bronze", "BTC")
    expect(ui.page.get_by_text("Materialized", exact=True)).to_be_visible()
    expect_counts(ui, materialized=1, failed=0, missing=4)
    assert partitions(ui, "bronze") == ({"BTC"}, set())
    assert partitions(ui, "silver") == (set(), set())
    assert states()["BTC"] == dict.fromkeys(LAYERS, "none") | {"bronze": "published"}


def several_tickers_that_are_not_neighbours_are_materialized_from_the_graph(ui: BrowsedUi) -> None:
    chosen = {"BTC", "XMR", "SHIB"}
    ui.open(CURRENCIES)
    ui.page.get_by_role("button", name=re.compile("Materialize all")).click()
    choose(ui, chosen)
    backfill = launched(ui).rpartition("/")[2]
    done = [("SUCCESS", "BTC", "XMR"), ("SUCCESS", "SHIB", "SHIB")]  # a run for each stretch
    until("both runs", lambda: sorted(runs(ui, of_backfill(backfill))) == done, by=ui.process)
    for layer in LAYERS:
        assert partitions(ui, layer) == (chosen, set())
        assert {ticker for ticker, of in states().items() if of[layer] == "published"} == chosen
    open_partition(ui, "warehouse", "SHIB")
    expect(ui.page.get_by_text("Materialized", exact=True)).to_be_visible()
    expect_counts(ui, materialized=3, failed=0, missing=2)


def a_backfill_of_all_partitions_completes(ui: BrowsedUi) -> None:
    page = ui.page
    ui.open(CURRENCIES)
    page.get_by_role("button", name=re.compile("Materialize all")).click()
    dialog(ui).get_by_role("button", name="All", exact=True).click()
    expect(dialog(ui)).to_contain_text("5 partitions selected")
    backfill = launched(ui).rpartition("/")[2]
    status = page.get_by_text("Status", exact=True).locator("..")
    expect(status).to_contain_text("Failed")  # one of five is broken
    page.reload()  # without the notice
    expect(page.get_by_text("100% completed")).to_have_count(len(LAYERS))
    ui.picture("ui-backfill")
    assert runs(ui, of_backfill(backfill)) == [("FAILURE", "BTC", "DOGE")]


def the_graph_shows_what_failed(ui: BrowsedUi) -> None:
    open_wide_graph(ui)
    expect(ui.page.get_by_text("(1 failed)")).to_have_count(len(LAYERS))
    ui.picture("ui-graph")


def the_broken_currency_is_red_with_the_reason_and_the_others_are_green(ui: BrowsedUi) -> None:
    """Dagster paints what a failed run was to make: red from bronze on; the reason is at bronze."""
    page = ui.page
    for layer in reversed(LAYERS):
        open_partition(ui, layer, BROKEN)
        expect(page.get_by_text("failed, and did not materialize this asset.")).to_be_visible()
        expect_counts(ui, materialized=4, failed=1, missing=0)
        assert partitions(ui, layer) == (GOOD, {BROKEN})
        shown = 1 if layer == "bronze" else 0
        events = page.get_by_role("button", name=f"View all historical events ({shown})")
        expect(events).to_be_enabled(enabled=bool(shown))
    ui.picture("ui-failed")
    page.get_by_role("tab", name="Events").click()
    expect(page.get_by_role("row", name="problem")).to_contain_text(PROBLEM)
    failed = dict.fromkeys(LAYERS, "none") | {"bronze": "failed"}
    published = dict.fromkeys(LAYERS, "published")
    assert states() == dict.fromkeys(GOOD, published) | {BROKEN: failed}
    (problem,) = documents()[BROKEN]["problems"]
    assert PROBLEM in problem


def the_failed_run_is_executed_again_from_failure(ui: BrowsedUi) -> None:
    page = ui.page
    open_partition(ui, "bronze", BROKEN)
    page.get_by_text("failed, and did not materialize").get_by_role("link").click()
    expect_run(ui, "Failure")
    failed = page.url
    page.get_by_role("button", name="Re-execute all").wait_for()
    page.get_by_role("button", name="arrow_drop_down").last.click()
    page.get_by_role("menuitem", name="From failure").click()
    page.get_by_role("button", name="Confirm").click()  # its backfill stays as it ended
    page.wait_for_url(lambda url: "/runs/" in url and url != failed)
    expect_run(ui, "Success")
    for layer in LAYERS:
        open_partition(ui, layer, BROKEN)
        expect(page.get_by_text("Materialized", exact=True)).to_be_visible()
        expect_counts(ui, materialized=5, failed=0, missing=0)
        assert partitions(ui, layer) == (set(FILES), set())
    assert states() == dict.fromkeys(FILES, dict.fromkeys(LAYERS, "published"))


def the_sensor_switched_on_again_finds_nothing_left_to_do(ui: BrowsedUi) -> None:
    before, now = runs(ui, ""), time.time()
    switch_sensor(ui, on=True)

    def ended() -> list[str]:
        """How the ticks since then have ended."""
        ticks = [tick for tick in ui.ticks("uploads") if tick["timestamp"] > now]
        return [tick["status"] for tick in ticks if tick["status"] != "STARTED"]

    assert set(until("a tick", ended, by=ui.process)) == {"SKIPPED"}
    expect(ui.page.get_by_role("row", name="Latest tick")).to_contain_text("0 runs requested")
    assert runs(ui, "") == before


def ticking(ui: BrowsedUi) -> bool:
    return any(tick["status"] == "STARTED" for tick in ui.ticks("uploads"))


def switch_sensor(ui: BrowsedUi, on: bool) -> None:
    """Clicks the switch of the sensor `uploads`, which must stand the other way."""
    ui.open("/automation")
    ui.page.get_by_role("link", name="uploads").click()
    row = ui.page.get_by_role("row", name="Running")
    switch = row.get_by_role("checkbox")
    expect(switch).to_be_checked(checked=not on)
    row.locator("label").click()  # the box itself is drawn over
    expect(switch).to_be_checked(checked=on)


def open_wide_graph(ui: BrowsedUi) -> None:
    """Opens the graph without the list beside it and expands its groups, which fits it in."""
    page = ui.page
    ui.open("/asset-groups")
    page.get_by_role("button", name="panel_show_right", exact=True).click()
    collapsed = page.get_by_role("img", name="unfold_more").first
    expanded = page.get_by_role("img", name="unfold_less").first
    collapsed.or_(expanded).first.wait_for()
    if expanded.count():  # the browser remembers what was expanded
        page.keyboard.press("Alt+E")
        collapsed.wait_for()
    page.keyboard.press("Alt+E")
    expanded.wait_for()


def dialog(ui: BrowsedUi) -> Locator:
    return ui.page.get_by_role("dialog").filter(has_text="Partition selection")


def choose(ui: BrowsedUi, tickers: Collection[str]) -> None:
    """Ticks these partitions in the dialog of a launch."""
    dialog(ui).get_by_text("Select a partition or create one").click()
    for ticker in tickers:
        item = ui.page.get_by_role("menuitem", name=ticker)
        item.click()
        expect(item.get_by_role("checkbox")).to_be_checked()
    ui.page.keyboard.press("Escape")
    count = f"{len(tickers)} partition{'s' if len(tickers) > 1 else ''}"
    expect(dialog(ui).get_by_text(count, exact=True)).to_be_visible()


def launched(ui: BrowsedUi) -> str:
    """Launches what the dialog says and follows the notice; the address of the run or backfill."""
    dialog(ui).get_by_role("button", name=re.compile("^Launch")).click()
    notices = ui.page.get_by_role("region", name=re.compile("^Notifications"))
    notices.get_by_role("link", name="View").click()
    ui.page.wait_for_url("**/runs/**")
    return ui.page.url.partition("?")[0]


def expect_run(ui: BrowsedUi, outcome: str) -> None:
    expect(ui.page.get_by_text(outcome, exact=True)).to_be_visible()


def open_partition(ui: BrowsedUi, asset: str, ticker: str) -> None:
    ui.open(f"/assets/{asset}")
    ui.page.get_by_role("tab", name="Partitions").click()
    ui.page.get_by_title(ticker, exact=True).click()


def expect_counts(ui: BrowsedUi, **counts: int) -> None:
    """The numbers beside the filters of an asset's partitions."""
    for state, count in counts.items():
        expect(ui.page.get_by_role("checkbox", name=f"{state.title()} ({count})")).to_be_attached()


def partitions(ui: BrowsedUi, asset: str) -> tuple[set[str], set[str]]:
    """The asset's materialized and its failed partitions."""
    states = "... on DefaultPartitionStatuses { materializedPartitions failedPartitions }"
    query = f'assetNodeOrError(assetKey: {{path: ["{asset}"]}}) {{ ... on AssetNode '
    found = ui.ask(query + f"{{ assetPartitionStatuses {{ {states} }} }} }}")
    statuses = found["assetPartitionStatuses"]
    return set(statuses["materializedPartitions"]), set(statuses["failedPartitions"])


def of_backfill(backfill: str) -> str:
    return f'tags: [{{key: "dagster/backfill", value: "{backfill}"}}]'


def runs(ui: BrowsedUi, chosen: str) -> list[tuple[str, str, str]]:
    """The status of these runs and the first and last ticker of each."""
    query = f"runsOrError(filter: {{{chosen}}}) {{ ... on Runs {{ results {{ status tags "
    found = []
    for run in ui.ask(query + "{ key value } } } }")["results"]:
        tags = {tag["key"].removeprefix("dagster/"): tag["value"] for tag in run["tags"]}
        one = tags.get("partition")
        first = one or tags["asset_partition_range_start"]
        found.append((run["status"], first, one or tags["asset_partition_range_end"]))
    return found


def add(ticker: str, history: Path, trend: Path) -> None:
    words = ["add", ticker, "--history", str(history), "--trend", str(trend), "--force"]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output


def repaired(folder: Path) -> Path:
    """The broken history with the price of the line before in place of the words."""
    name = FILES[BROKEN][0]
    lines = (ROOT / "sample_data" / BROKEN.lower() / name).read_text().splitlines(keepends=True)
    price = lines[913].split(",")[1]
    lines[914] = lines[914].replace('"n.a. see mail"', price)
    (folder / name).write_text("".join(lines))
    return folder / name


def documents() -> dict[str, dict[str, Any]]:
    """What `crypto-assets status --json` says of each currency."""
    result = CliRunner().invoke(main, ["status", "--json"], catch_exceptions=False)
    return {found["ticker"]: found for found in json.loads(result.stdout)["currencies"]}


def states() -> dict[str, dict[str, str]]:
    """The state of each layer of each currency."""
    return {
        ticker: {layer: status["state"] for layer, status in document["layers"].items()}
        for ticker, document in documents().items()
    }
