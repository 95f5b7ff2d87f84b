"""What README.md says is true: its table comes from the code and its commands run."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from crypto_assets.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_table_of_shapes_is_what_the_command_prints():
    printed = CliRunner().invoke(main, ["inspect", "--shapes"], catch_exceptions=False).stdout
    assert printed in README


def test_the_commands_of_the_section_use_it_run_as_written(home, tmp_path, monkeypatch):
    for name in ("Bitcoin Historical Data.csv", "multiTimeline.csv"):
        (tmp_path / name).write_bytes((ROOT / "sample_data" / "btc" / name).read_bytes())
    section = README.split("## Use it")[1].split("```")[1]
    commands = [shlex.split(line)[1:] for line in section.strip().splitlines()]
    assert [words[0] for words in commands] == ["inspect", "add", "materialize", "status", "sql"]
    for words in commands:
        result = CliRunner().invoke(main, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    assert "2025-01-26" in result.stdout


def test_every_command_and_option_named_in_the_readme_exists():
    for words in (["--help"], ["add", "--help"], ["materialize", "--help"], ["sql", "--help"]):
        assert CliRunner().invoke(main, words).exit_code == 0
    add = CliRunner().invoke(main, ["add", "--help"]).stdout
    for option in ("--missing", "--dates", "--decimal", "--accept-outliers", "--max-shrink"):
        assert option in add


def test_every_make_target_named_in_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    for line in README.splitlines():
        if line.startswith("make "):
            assert f"\n{line.split()[1]}:" in makefile


def test_the_demo_does_exactly_what_it_promises(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "sample_data.demo"],
        cwd=ROOT,
        env={**os.environ, "CRYPTO_ASSETS_DEMO_HOME": str(tmp_path / "demo")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verdicts = [line for line in done.stdout.splitlines() if line[:8].strip().isupper()]
    assert sum(" ok " in line for line in verdicts) == 4
    assert "line 915: not a price: 'n.a. see mail'" in done.stdout
