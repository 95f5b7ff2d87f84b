"""What a command imports and reads before it answers: that makes it quick on any machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.exports_text import history_csv
from crypto_assets_tests.helpers.new_process import HEAVY, in_a_new_process
from crypto_assets_tests.helpers.waiting import HANG_S


@pytest.fixture
def computed(add, run):
    """BTC, computed and looked at: outcomes of earlier versions have been looked for."""
    add("BTC")
    assert run("materialize", "BTC")[0] == 0
    assert run("status")[0] == 0


def test_help_imports_nothing_but_click_and_no_command():
    shown, imported, _ = in_a_new_process("--help")
    assert "Turn two CSV files" in shown
    assert imported.isdisjoint([*HEAVY, "duckdb", "pathlib", "pyarrow", "rich"])
    ours = {name for name in imported if name.startswith("crypto_assets.")}
    assert ours == {"crypto_assets.cli", "crypto_assets.cli.group"}


@pytest.mark.parametrize("words", [
    ("inspect", "--shapes"),
    ("inspect", "{history}"),
    ("upload", "{history}"),
    ("add", "ETH", "--history", "{history}", "--trend", "{trend}"),
])  # fmt: skip
def test_a_command_that_looks_at_files_imports_nothing_that_computes(home, pair, words):
    history, trend = pair("ETH")
    shown, imported, _ = in_a_new_process(*(w.format(history=history, trend=trend) for w in words))
    assert shown
    assert imported.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sql", "SELECT max(price) > 0 AS found FROM market_data.btc"), "True"),
        (("status",), "published"),
        (("status", "BTC", "--json"), '"published"'),
        (("materialize", "--all", "--stale"), ""),
        (("materialize", "--failed"), ""),
        (("report",), "report.html"),
    ],
)
def test_a_command_that_has_nothing_to_run_imports_nothing_that_computes(computed, words, says):
    shown, imported, _ = in_a_new_process(*words)
    assert says in shown
    assert imported.isdisjoint(HEAVY)


def test_status_of_a_new_home_needs_no_dagster_after_its_first_run_either(
    tmp_path, monkeypatch, home, pair
):
    new = tmp_path / "new"
    monkeypatch.setenv("CRYPTO_ASSETS_HOME", str(new))
    history, trend = pair("BTC")
    in_a_new_process("add", "BTC", "--history", history, "--trend", trend)
    assert new.stat().st_mode & 0o777 == 0o700
    assert not list((new / "dagster").iterdir())
    in_a_new_process("materialize", "BTC")
    shown, imported, _ = in_a_new_process("status")
    assert "published" in shown
    assert imported.isdisjoint([*HEAVY, "asyncio", "tenacity"])


def test_python_does_not_search_dagsters_modules_for_garbage_as_it_ends(settings):
    code = """
import gc
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.settings import read_settings
with open_instance(read_settings()):
    print(gc.get_freeze_count() > 100_000)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_S, check=True
    )
    assert done.stdout == "True\n"


def multiplied(settings: Settings, tickers: int) -> None:
    """Registers and publishes so many copies of BTC, but for its tables' files."""
    for folder in (
        settings.inbox_folder / "_registry/market_data/entries",
        settings.lake_folder / "_manifests/market_data",
    ):
        document = (folder / "BTC.json").read_text()
        for number in range(tickers):
            (folder / f"T{number}.json").write_text(document.replace("BTC", f"T{number}"))


def test_status_of_many_currencies_reads_two_documents_of_each_and_lists_no_more_folders(
    computed, settings
):
    _, _, alone = in_a_new_process("status")
    multiplied(settings, 1000)
    shown, imported, many = in_a_new_process("status")
    assert shown.count("\nT") >= 1000
    assert imported.isdisjoint(HEAVY)
    assert many["open"] - alone["open"] == 2 * 1000
    assert many["sqlite3.connect"] == alone["sqlite3.connect"]
    assert many["os.scandir"] == alone["os.scandir"]
    shown, _, one = in_a_new_process("status", "T7", "--json")
    (document,) = json.loads(shown)["currencies"]
    assert document["ticker"] == "T7"
    assert one["open"] <= alone["open"]


def test_uploads_are_looked_at_without_pandas(home):
    (home / "inbox").mkdir(parents=True)
    (home / "inbox/btc prices.csv").write_text(history_csv())
    code = """
import math, sys
from crypto_assets.resources import wiring
from crypto_assets.resources.data_set.assign import propose_all
from crypto_assets.resources.settings import read_settings
settings = read_settings()
inbox = wiring.inbox(settings)
assigners = [made(settings).assigner(inbox) for made in (wiring.accounts, wiring.market_data)]
for _, found in propose_all([*inbox.arrivals()], inbox, assigners, math.inf):
    print(found.partition, "pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("BTC False\n", 0), done.stderr


def test_files_of_the_reader_need_no_pandas_and_others_still_get_it():
    code = """
import sys
from crypto_assets.spark.arrow import keep_pandas_out
keep_pandas_out()
import pyarrow as pa
from crypto_assets.spark.exports import read_export
assert "pandas" not in sys.modules
keep_pandas_out()
assert pa.table({"a": [1, 2]}).to_pandas()["a"].sum() == 3
assert pa.array(__import__("pandas").Series([1.0])).to_pylist() == [1.0]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
