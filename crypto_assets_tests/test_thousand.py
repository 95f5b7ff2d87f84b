"""A thousand currencies in one batch, three of them broken in different layers."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from bench.generate import generate
from crypto_assets.defs.partitions import partitions_named
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.uploads.register import register
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.waiting import HANG_S

BROKEN = {"T0100": "bronze", "T0500": "silver", "T0900": "gold"}


@pytest.fixture
def command(home):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "crypto_assets.cli", *words],
            env={**os.environ, "CRYPTO_ASSETS_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=6 * HANG_S,
            check=False,
        )

    return run


def register_all(settings, files):
    inbox, (registry, _) = wiring.inbox(settings), wiring.registries(settings)
    for ticker, history, trend in files:
        register(inbox, registry, ticker, {"history": history, "trend": trend}, {})


def break_files(files):
    """One line spoilt, a table cut to a tenth, prices whose mean is no number any more."""
    paths = {ticker: history for ticker, history, _ in files}
    lines = paths["T0100"].read_text().splitlines(keepends=True)
    cell = lines[700].split('","')[1]
    lines[700] = lines[700].replace(cell, "see mail", 1)
    paths["T0100"].write_text("".join(lines))
    lines = paths["T0500"].read_text().splitlines(keepends=True)
    paths["T0500"].write_text("".join(lines[:200]))
    huge = "12" + "0" * 307  # two of them add up to no finite number
    rows = [f"2024-02-{day:02}," + f"{huge}," * 5 + "1\n" for day in range(1, 29)]
    paths["T0900"].write_text("Date,Open,High,Low,Close,Adj Close,Volume\n" + "".join(rows))


def digests(lake: Path):
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest() for path in lake.rglob("data.parquet")
    }


@pytest.mark.slow
def test_997_of_1000_are_published_and_a_second_run_changes_no_byte(settings, command, tmp_path):
    files = generate(tmp_path / "files", 1000, 1887)
    register_all(settings, files)
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(MARKET_DATA.partition, [ticker for ticker, _, _ in files])
    assert command("materialize", "T0500").returncode == 0
    break_files(files)
    register_all(settings, [pair for pair in files if pair[0] in BROKEN])

    done = command("materialize", "--all")
    assert done.returncode == 1, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert len(lines) == 1000
    assert sum(" ok " in line for line in lines.values()) == 997
    for ticker, layer in BROKEN.items():
        assert f"FAILED  {layer}: " in lines[ticker]
    assert "line 701" in lines["T0100"]
    assert "would shrink from 1887 to 199 rows" in lines["T0500"]
    assert "not finite" in lines["T0900"]

    statuses = {
        s["ticker"]: s for s in json.loads(command("status", "--json").stdout)["currencies"]
    }
    good = [s for ticker, s in statuses.items() if ticker not in BROKEN]
    assert all(
        layer["state"] == "published" for status in good for layer in status["layers"].values()
    )
    with open_instance(settings) as instance:
        assert instance.get_runs(limit=1)[0].status == dg.DagsterRunStatus.FAILURE
        for ticker, broke_at in BROKEN.items():
            states = instance.get_status_by_partition(
                dg.AssetKey(broke_at), [ticker], partitions_named(MARKET_DATA.partition)
            )
            assert states[ticker].value == "FAILED"

    before = digests(settings.lake_folder)
    assert len(before) >= 997 * 5
    assert command("materialize", "--all").returncode == 1
    assert digests(settings.lake_folder) == before
