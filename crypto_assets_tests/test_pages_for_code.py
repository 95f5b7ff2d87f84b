"""The pages for code are true: what they show is run as written, and gives what they show."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from crypto_assets import definitions
from crypto_assets.resources.home.instance import open_instance
from crypto_assets_tests.helpers.pages import PAGES, ROOT
from crypto_assets_tests.helpers.waiting import HANG_S

PYTHON, BUILD = PAGES["docs/python.md"], PAGES["docs/build-on-gold.md"]
SAMPLES = {
    "BTC": ("Bitcoin Historical Data.csv", "multiTimeline.csv"),
    "ETH": ("ETH-USD.csv", "multiTimeline (1).csv"),
}


@pytest.fixture
def samples(run):
    """Bitcoin and Ethereum of the sample data, published."""
    for ticker, (history, trend) in SAMPLES.items():
        folder = ROOT / "sample_data" / ticker.lower()
        assert run("add", ticker, "--history", folder / history, "--trend", folder / trend)[0] == 0
    assert run("materialize", "--all")[0] == 0


def test_the_code_of_the_page_on_tables_runs_as_written(home, run, add, capsys):
    for ticker in ("BTC", "007"):
        add(ticker)
    assert run("materialize", "--all")[0] == 0
    Path(".crypto_assets").symlink_to(home)
    notebook, lake = re.findall(r"```python\n(.*?)```", PAGES["docs/tables.md"], re.DOTALL)
    for code in (notebook, lake):
        exec(code, names := {})  # noqa: S102 - what people are to run
        printed = capsys.readouterr().out
        assert "BTC" in printed
        assert "007" in printed
    assert sorted(set(names["table"]["ticker"].to_pylist())) == ["007", "BTC"]


def test_the_page_on_python_shows_what_is_printed(samples, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = "\n".join(re.findall(r"```python\n(.*?)```", PYTHON, re.DOTALL))
    globs = {"__name__": "__main__"}
    examples = doctest.DocTestParser().get_doctest(text, globs, "python.md", "python.md", 0)
    assert len(examples.examples) > 8
    said: list[str] = []
    flags = doctest.NORMALIZE_WHITESPACE
    found = doctest.DocTestRunner(optionflags=flags).run(examples, out=said.append)
    assert found.failed == 0, "".join(said)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The page's file `mine.py`, imported, and the second one merged with it."""
    own, merging = re.findall(r"```python\n(.*?)```", BUILD, re.DOTALL)
    (tmp_path / "mine.py").write_text(own)
    (tmp_path / "merged.py").write_text(merging)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(vars(definitions), "defs", raising=False)  # of another test's home
    yield importlib.import_module("mine"), importlib.import_module("merged")
    for name in ("mine", "merged"):
        del sys.modules[name]
    del vars(definitions)["defs"]


def test_the_asset_of_the_page_is_made_of_gold(samples, settings, mine):
    own, merged = mine
    with open_instance(settings) as instance:
        done = dg.materialize([own.highest_price], partition_key="BTC", instance=instance)
        (made,) = done.asset_materializations_for_node("highest_price")
        assert made.metadata["date"].value == "2024-12-25"
        both = merged.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            partition_key="ETH",
            asset_selection=[dg.AssetKey("highest_price")],
            instance=instance,
        )
        assert both.success
        assert instance.get_materialized_partitions(dg.AssetKey("highest_price")) == {"BTC", "ETH"}


def test_the_condition_of_the_page_asks_for_tickers_whose_gold_is_newer(
    samples, settings, mine, run
):
    _, merged = mine
    wanted = dg.AssetSelection.assets("highest_price")
    with open_instance(settings) as instance:
        looks = dg.evaluate_automation_conditions(merged.defs, instance, wanted)
        assert looks.total_requested == 0  # what was there before
        assert run("materialize", "ETH", "--layer", "gold")[0] == 0
        looks = dg.evaluate_automation_conditions(
            merged.defs, instance, wanted, cursor=looks.cursor
        )
        assert looks.get_requested_partitions(dg.AssetKey("highest_price")) == {"ETH"}


def test_the_commands_of_dagster_on_the_page_run_as_written(samples, home, mine, tmp_path):
    (tmp_path / ".crypto_assets").symlink_to(home)
    commands = BUILD.split("## With Dagster's own commands")[1].split("```")[1]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", commands],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("RUN_SUCCESS") == 2
