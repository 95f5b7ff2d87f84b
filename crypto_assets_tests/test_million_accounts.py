"""A million accounts: how long silver takes, how much memory, what writing only changes means."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import dagster as dg
import pytest

from crypto_assets.resources.home.instance import open_instance
from crypto_assets_tests.helpers.waiting import HANG_S
from sample_data.accounts import write_snapshots

SILVER_S, MEMORY_BYTES = 20, 3 * 1024**3


@pytest.fixture
def command(home):
    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "crypto_assets.cli", *map(str, words)],
            env={**os.environ, "CRYPTO_ASSETS_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=6 * HANG_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.slow
def test_a_million_accounts_are_quick_and_once_more_they_write_nothing(
    command, tmp_path, settings, capsys
):
    bank = write_snapshots(tmp_path / "bank", 500_000, 1_000_000, seed=1, truth=False)
    files = ("--customers", bank[0].customers, "--accounts", bank[0].accounts)
    first = command("accounts", *files)
    assert "1,000,015 inserted" in first
    written = settings.store_file.stat().st_mtime_ns
    assert command("accounts", *files).splitlines()[1].endswith("no changes")
    assert settings.store_file.stat().st_mtime_ns == written
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    with open_instance(settings) as instance:
        seconds = {
            layer: [
                float(record.asset_materialization.metadata["batch"].value.split()[0])
                for record in instance.fetch_materializations(dg.AssetKey(layer), limit=9).records
            ][::-1]
            for layer in ("accounts_bronze", "accounts_silver", "customer_accounts")
        }
    with capsys.disabled():
        print(  # noqa: T201 - the figures are what the test is for
            f"\n1,000,000 accounts: seconds {json.dumps(seconds)}, peak {peak / 1024**3:.2f} GiB"
        )
    assert max(seconds["accounts_silver"]) <= SILVER_S
    assert peak <= MEMORY_BYTES


@pytest.mark.slow
def test_the_second_and_third_snapshot_of_a_million_write_only_differences(command, tmp_path):
    bank = write_snapshots(tmp_path / "bank", 500_000, 1_000_000, seed=1, truth=False)
    lines = [
        command("accounts", "--customers", one.customers, "--accounts", one.accounts)
        for one in bank
    ]
    assert "20,001 inserted, 39,828 changed, 30,000 deleted" in lines[1]
    assert "10,001 inserted, 10,003 changed, 10,000 deleted, 20,000 restored" in lines[2]
