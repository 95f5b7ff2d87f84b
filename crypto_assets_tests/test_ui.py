"""`crypto-assets ui` serves Dagster's UI on this home, and ends without leaving anything behind.

It is the command that README.md and docs/your-files.md begin with.
"""

from __future__ import annotations

import os
import signal

import psutil

from crypto_assets_tests.helpers.waiting import HANG_S, until
from crypto_assets_tests.helpers.web_ui import serving


def test_the_ui_knows_every_asset_and_ends_on_a_signal(settings):
    with serving(settings) as ui:
        nodes = ui.ask("assetNodes { assetKey { path } isPartitioned jobNames }")
        found = {node["assetKey"]["path"][0]: node for node in nodes}
        assert set(found) == {
            "history_file",
            "trend_file",
            "quarantine",
            "bronze",
            "silver",
            "gold",
            "warehouse",
            "customers_file",
            "accounts_file",
            "accounts_bronze",
            "accounts_silver",
            "customer_accounts",
            "customer_account_store",
            "market_report",
        }
        partitioned = {name for name, node in found.items() if node["isPartitioned"]}
        assert set(found) - partitioned == {"quarantine", "market_report"}
        assert "refresh_currencies" in found["gold"]["jobNames"]

        # Processes that Dagster is just starting may miss a signal.
        until("all daemons", ui.daemons_are_well, by=ui.process)
        started = psutil.Process(ui.process.pid).children(recursive=True)
        assert started
        os.killpg(ui.process.pid, signal.SIGINT)
        assert ui.process.wait(HANG_S) is not None
        _, alive = psutil.wait_procs(started, timeout=HANG_S)
        assert alive == []
