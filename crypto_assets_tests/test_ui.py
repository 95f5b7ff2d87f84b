"""`crypto-assets ui` serves Dagster's UI on this home, and ends without leaving anything behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest

from crypto_assets_tests.test_uploads import until


@pytest.fixture
def ui(home):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "crypto_assets.cli", "ui", "--port", str(port)],
        env={**os.environ, "CRYPTO_ASSETS_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        yield process, f"http://127.0.0.1:{port}/graphql"
        process.send_signal(signal.SIGKILL)


def ask(url, query, seconds=60):
    """The answer to a GraphQL query, waiting for the server to come up."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    ends = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)["data"]
        except (OSError, ValueError):
            if time.monotonic() > ends:
                raise
            time.sleep(0.3)


def daemons_are_well(url: str) -> bool:
    query = "{ instance { daemonHealth { allDaemonStatuses { required healthy } } } }"
    daemons = ask(url, query)["instance"]["daemonHealth"]["allDaemonStatuses"]
    return all(daemon["healthy"] for daemon in daemons if daemon["required"])


def test_the_ui_knows_every_asset_and_ends_on_a_signal(ui):
    process, url = ui
    data = ask(url, "{ assetNodes { assetKey { path } isPartitioned jobNames } }")
    found = {node["assetKey"]["path"][0]: node for node in data["assetNodes"]}
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
    }
    assert {name for name, node in found.items() if not node["isPartitioned"]} == {"quarantine"}
    assert "refresh_currencies" in found["gold"]["jobNames"]

    # Processes that Dagster is just starting may not be told of a signal.
    until(60, "all daemons", lambda: daemons_are_well(url))
    started = psutil.Process(process.pid).children(recursive=True)
    assert started
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) is not None
    _, alive = psutil.wait_procs(started, timeout=20)
    assert alive == []
