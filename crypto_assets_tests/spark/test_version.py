"""Each data set's code version depends on what can change its tables, and on nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crypto_assets import spark
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.version import code_version, sources

FOLDER = Path(spark.__file__).parent
VERSIONS = """
import sys
compiled = []
def count(event, arguments):
    if event == "compile" and arguments[1] == "":
        compiled.append(arguments)
sys.addaudithook(count)
from crypto_assets.spark.version import code_version
print(code_version("crypto_assets.spark.market_data.job"))
print(code_version("crypto_assets.spark.accounts.job"))
print(len(compiled), file=sys.stderr)
"""
# What Python, and so the code version too, keeps beside the code.
KEEPING = {n: value for n, value in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}


def names(data_set):
    return {path.relative_to(FOLDER).as_posix() for path in sources(data_set.job)}


def test_a_version_covers_the_job_and_all_it_imports_but_not_what_starts_it():
    accounts, market = names(ACCOUNTS), names(MARKET_DATA)
    both = {"job_spec.py", "tables.py", "exports/numbers.py", "exports/words.csv"}
    assert both <= accounts & market
    assert {
        "files.py",
        "market_data/silver.py",
        "market_data/gold.py",
        "exports/trend.py",
    } <= market
    assert "storage.py" in accounts - market
    assert not {"market_data/silver.py", "market_data/gold.py"} & accounts
    assert not [name for name in market if name.startswith("accounts/")]
    assert not {"main.py", "run.py", "version.py", "data_set.py"} & (accounts | market)


def test_each_data_set_has_a_version_of_its_own():
    versions = {code_version(ACCOUNTS.job), code_version(MARKET_DATA.job)}
    assert len(versions) == 2
    assert {len(version) for version in versions} == {12}


def asked_in(folder, **environment):
    """The versions of the code in this folder, and how many texts were compiled for them."""
    command, env = [sys.executable, "-c", VERSIONS], KEEPING | environment
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)


@pytest.fixture
def versions(tmp_path):
    """The versions of both data sets in a copy of the code whose file was changed."""
    shutil.copytree(FOLDER.parent, tmp_path / "crypto_assets", ignore=lambda *_: ["__pycache__"])

    def asked(file=None, before="", after=""):
        if file:
            path = tmp_path / "crypto_assets" / "spark" / file
            text = path.read_text()
            assert before in text
            path.write_text(text.replace(before, after, 1))
        return asked_in(tmp_path).stdout.split()

    return asked


def test_words_about_the_code_and_the_entry_point_change_no_version(versions):
    was = versions()
    assert versions("main.py", "def main", "ADDED = 1\n\n\ndef main") == was
    assert versions("market_data/gold.py", "Gold:", "Gold, the table of days:") == was
    assert (
        versions("market_data/gold.py", "PRICE_FILL_ROWS = 2", "# why\nPRICE_FILL_ROWS = 2") == was
    )


def test_packages_that_are_installed_beside_the_code_are_no_part_of_a_version(versions, tmp_path):
    was = versions()
    (tmp_path / "pyarrow").mkdir()
    (tmp_path / "pyarrow" / "fs.py").write_text("ADDED = 1\n")
    assert versions() == was


def test_what_can_change_a_data_sets_tables_changes_its_version_and_no_other(versions):
    market, accounts = versions()
    changed = versions("market_data/gold.py", "PRICE_FILL_ROWS = 2", "PRICE_FILL_ROWS = 3")
    assert changed[0] != market
    assert changed[1] == accounts
    again = versions("exports/words.csv", "Fecha", "Fecha|Dia")
    assert again[0] != changed[0]
    assert versions("accounts/states.py", "Ohio", "OHIO")[1] != again[1]


def test_a_version_is_worked_out_once_and_again_when_a_file_changes(versions, tmp_path):
    was = versions()
    assert asked_in(tmp_path).stderr == "0\n"
    gold = tmp_path / "crypto_assets" / "spark" / "market_data" / "gold.py"
    before = gold.stat()
    assert versions("market_data/gold.py", "PRICE_FILL_ROWS = 2", "PRICE_FILL_ROWS = 3") != was
    changed = versions()
    os.utime(gold, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert gold.stat().st_size == before.st_size
    assert versions() == changed
    added = tmp_path / "crypto_assets" / "spark" / "exports" / "more.csv"
    added.write_text("more\n")
    with_added = versions()
    assert not {*with_added} & {*changed}
    added.unlink()
    assert versions() == changed


def test_a_version_that_cannot_be_kept_or_was_kept_damaged_is_worked_out(versions, tmp_path):
    was = versions()
    (kept,) = (tmp_path / "crypto_assets" / "spark" / "market_data").rglob("*.version")
    for damage in ("", "{}", "[]", '{"seen": {"files": ["gone"]}}'):
        kept.write_text(damage)
        assert versions() == was
    unwritten = asked_in(tmp_path, PYTHONDONTWRITEBYTECODE="1")
    assert unwritten.stdout.split() == was
