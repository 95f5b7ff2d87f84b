"""The checks of a currency in Dagster's web UI, as people see them in headless Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from crypto_assets_tests.helpers.browser_ui import BrowsedUi, page_of
from crypto_assets_tests.helpers.web_ui import serving

pytestmark = pytest.mark.browser


@pytest.fixture
def ui(settings, tmp_path: Path, add, run):
    """The UI of a home with two currencies, one of which has a line that cannot be read."""
    add("BTC")
    add("XMR", cells={9: "n.a. see mail"})
    assert run("materialize", "--all")[0] == 1
    with serving(settings) as ui, page_of(ui, tmp_path / "last.png") as page:
        yield BrowsedUi(ui.url, ui.process, page, tmp_path / "pictures")


def test_a_check_of_a_ticker_says_which_rule_is_broken_and_the_other_ticker_is_green(ui):
    page = ui.page
    ui.open("/assets/bronze?view=checks&checkDetail=audit")
    expect(page.get_by_text("Both files were read whole and with certainty.")).to_be_visible()
    broken = page.get_by_role("row", name="bad_lines").last
    expect(broken).to_contain_text("line 9: not a price: 'n.a. see mail'")
    expect(page.get_by_text("XMR", exact=True)).to_be_visible()
    ui.picture("ui-check")
    page.get_by_role("tab", name="Partitions").last.click()
    for counted in ("Failed (1)", "Passed (1)", "Execution Failed (0)", "Missing (0)"):
        expect(page.get_by_role("checkbox", name=counted, exact=True)).to_be_attached()
    page.get_by_title("XMR", exact=True).last.click()
    expect(page.get_by_role("row", name="bad_lines").last).to_be_visible()
    found = ui.ask(
        'assetNodes(assetKeys: [{path: ["bronze"]}]) { assetChecksOrError { ... on AssetChecks '
        "{ checks { name partitionStatuses { ... on AssetCheckDefaultPartitionStatuses "
        "{ succeededPartitions failedPartitions executionFailedPartitions } } } } } }"
    )
    checks = {
        each["name"]: list(each["partitionStatuses"].values())
        for each in found[0]["assetChecksOrError"]["checks"]
    }
    assert checks == {"audit": [["BTC"], ["XMR"], []], "steps": [["BTC"], [], []]}
