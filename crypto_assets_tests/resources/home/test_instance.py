"""The Dagster instance of a home, as a process has it."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files

import pytest

OPENS = """
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.settings import read_settings
with open_instance(read_settings()):
    pass
"""


@pytest.mark.parametrize("source", [f"import duckdb\n{OPENS}", f"{OPENS}\nimport duckdb"])
def test_a_process_with_duckdb_and_an_instance_ends_without_a_word(home, source):
    ended = subprocess.run([sys.executable, "-c", source], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_the_configuration_names_each_part_once():
    text = files("crypto_assets").joinpath("dagster.yaml").read_text()
    parts = re.findall(r"^(\w+):", text, re.MULTILINE)
    assert parts == list(dict.fromkeys(parts))  # YAML takes the last of two, without a word
