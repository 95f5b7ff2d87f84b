"""A disk that becomes full in a run: one sentence, nothing torn, and the next run goes on.

The home is on a small file system of its own, in a namespace; where there is none, this is skipped.
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from crypto_assets_tests.helpers.processes import COMMAND

TICKERS = ("BTC", "ETH")
OLD, NEW = 110.0, 220.0  # the highest prices
IN_SMALL_ROOM = """
set -e
mkdir away; mount -t tmpfs -o size=32m tmpfs away; cp -a home/. away; mount --move away home
left=$(df --output=avail --block-size=1k home | tail -1)
head --bytes=$(((left - {room}) * 1024)) /dev/zero > home/fill
if {command} > full.out 2> full.err; then exit 3; fi
cp -a home/lake lake_of_full
rm home/fill
{command} > again.out 2> again.err
cp -a home/lake lake_of_again
"""


def highest(lake: Path) -> dict[str, float]:
    """The highest price of each published file of gold."""
    files = sorted(lake.glob("gold/ticker=*/data.parquet"))
    return {
        file.parent.name.partition("=")[2]: pc.max(parquet.read_table(file)["price"]).as_py()
        for file in files
    }


@pytest.mark.parametrize("room", [120, 500])  # kB: it ends in Dagster's events, or in the tables
def test_a_disk_that_becomes_full_in_a_run_tears_nothing_and_the_next_run_completes_it(
    run, add, home, tmp_path, room
):
    namespace = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no namespace with mounts of its own")
    for ticker in TICKERS:
        add(ticker)
    assert run("materialize", "--all")[0] == 0
    assert highest(home / "lake") == dict.fromkeys(TICKERS, OLD)
    for ticker in TICKERS:
        add(ticker, level=200.0)
    command = shlex.join([*COMMAND, "materialize", "--all"])
    script = IN_SMALL_ROOM.format(room=room, command=command)
    done = subprocess.run(
        [*namespace, "bash", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + (tmp_path / "again.err").read_text()
    full = (tmp_path / "full.out").read_text() + (tmp_path / "full.err").read_text()
    assert "No space left on device" in full
    assert "Traceback" not in full
    assert all(price in (OLD, NEW) for price in highest(tmp_path / "lake_of_full").values())
    assert (tmp_path / "again.out").read_text().count(" ok ") == len(TICKERS)
    assert highest(tmp_path / "lake_of_again") == dict.fromkeys(TICKERS, NEW)
