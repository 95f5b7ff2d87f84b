"""What README.md says is true: its table comes from the code and its commands run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import webbrowser
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets.resources.market_data.overrides import parse_overrides
from crypto_assets.resources.settings import AwsSettings, Settings, variable
from crypto_assets.spark.accounts.tables import CUSTOMER_ACCOUNTS
from crypto_assets.spark.exports.refusals import REASONS
from crypto_assets.spark.market_data.tables import CURRENCIES, GOLD
from crypto_assets_tests.helpers.waiting import HANG_S

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_table_of_shapes_is_what_the_command_prints():
    printed = CliRunner().invoke(main, ["inspect", "--shapes"], catch_exceptions=False).stdout
    assert printed in README


def test_the_tables_of_columns_are_what_the_code_declares():
    assert GOLD.markdown() in README
    assert CURRENCIES.markdown() in README
    assert CUSTOMER_ACCOUNTS.markdown() in (ROOT / "docs" / "accounts.md").read_text()


def reasons() -> str:
    """Every reason of the reader as a row of a Markdown table; what the file adds is in italics."""
    italics = re.compile(r"\{(\w+).*?\}")
    lines = []
    for reason in REASONS.values():
        cells = (
            italics.sub(r"*\1*", text).replace("|", "\\|") for text in (reason.says, reason.cure)
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_table_of_refusals_is_what_the_reader_says():
    page = (ROOT / "docs" / "refusals.md").read_text()
    assert page.partition("|---|---|\n")[2].strip() == reasons()


def listed(text: str) -> list[str]:
    """The settings that a table names, in alphabetical order."""
    return sorted(re.findall(r"^\| `(CRYPTO_ASSETS_\w+)`", text, re.MULTILINE))


def test_every_setting_is_listed_once():
    assert listed(README) == sorted(map(variable, Settings.settings().keys() - {"aws"}))
    on_aws = [variable("aws", name) for name in AwsSettings.settings()]
    aws_page = (ROOT / "docs" / "aws.md").read_text()
    assert listed(aws_page) == sorted(["CRYPTO_ASSETS_PROFILE", *on_aws])


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


def test_the_commands_of_the_section_the_report_run_as_written(home, run, add, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    add("BTC")
    section = README.split("## The report")[1].split("```")[1]
    for line in section.strip().splitlines():
        code, out, _ = run(*shlex.split(line, comments=True)[1:])
        assert (code, out) == (0, f"{home / 'report.html'}\n")
    assert opened == [(home / "report.html").as_uri()]


def test_the_overrides_shown_are_ones_that_hold():
    text = README.split("```toml\n")[1].split("```")[0]
    overrides = parse_overrides(text)
    assert overrides.problems == ()
    assert overrides.claims("kraken/xmr_eur.csv") == [("XMR", "history")]


def test_the_commands_of_the_section_your_own_files_run_as_written(home, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "Downloads" / "my_coins" / "btc"
    shutil.copytree(ROOT / "sample_data" / "btc", folder)
    section = README.split("## Your own files")[1].split("```")[1]
    ui, *others = [shlex.split(line, comments=True) for line in section.strip().splitlines()]
    assert ui == ["crypto-assets", "ui"]  # it runs in `test_uploads.py`
    upload, status, sql = others
    by_hand = (["", "add", "BTC", *_pair(folder)], ["", "materialize", "BTC"])  # as the UI would
    for words in (upload, status, *by_hand, sql):
        meant = [str(Path(word).expanduser()) if "~" in word else word for word in words[1:]]
        result = CliRunner().invoke(main, meant)
        assert result.exit_code == 0, result.output
    assert "2025-01-26" in result.stdout


def test_the_code_of_the_section_connect_your_tools_runs_as_written(home, run, add, capsys):
    for ticker in ("BTC", "007"):
        add(ticker)
    assert run("materialize", "--all")[0] == 0
    Path(".crypto_assets").symlink_to(home)
    section = README.split("## Connect your tools")[1].split("\n## ")[0]
    notebook, lake = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    for code in (notebook, lake):
        exec(code, names := {})  # noqa: S102 - what people are to run
        printed = capsys.readouterr().out
        assert "BTC" in printed
        assert "007" in printed
    assert sorted(set(names["table"]["ticker"].to_pylist())) == ["007", "BTC"]


@pytest.mark.parametrize("page", ["README.md", "docs/accounts.md"])
def test_the_commands_of_the_customer_accounts_run_as_written(home, monkeypatch, page):
    text = (ROOT / page).read_text().split("# Customer accounts")[1]
    commands = [shlex.split(line)[1:] for line in text.split("```")[1].strip().splitlines()]
    assert [words[0] for words in commands][:2] == ["accounts", "profile"]
    monkeypatch.chdir(ROOT)
    for words in commands:
        result = CliRunner().invoke(main, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output


def _pair(folder):
    return [
        "--history",
        str(folder / "Bitcoin Historical Data.csv"),
        "--trend",
        str(folder / "multiTimeline.csv"),
    ]


def test_every_command_and_option_named_in_the_readme_exists():
    commands = main.list_commands(click.Context(main))
    assert {"add", "sql"} < {*commands}
    for words in (["--help"], *([command, "--help"] for command in commands)):
        assert CliRunner().invoke(main, words).exit_code == 0
    add = CliRunner().invoke(main, ["add", "--help"]).stdout
    for option in ("--missing", "--dates", "--decimal", "--accept-outliers", "--max-shrink"):
        assert option in add


def test_the_shell_completes_commands_and_options_as_the_readme_says():
    (shown,) = re.findall(r'^eval "\$\((\w+)=bash_source crypto-assets\)"', README, re.MULTILINE)
    for typed, completed in (("st", "status"), ("export --fo", "--format")):
        words = f"crypto-assets {typed}"
        asked = {shown: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        result = CliRunner().invoke(main, prog_name="crypto-assets", env=asked)
        assert f"plain,{completed}" in result.stdout.splitlines()


def test_every_make_target_named_in_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    for line in README.splitlines():
        if line.startswith("make "):
            assert f"\n{line.split()[1]}:" in makefile


def test_the_demo_does_exactly_what_it_promises(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "sample_data.demo"],
        cwd=ROOT,
        env={**os.environ, "DEMO_HOME": str(tmp_path / "demo")},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verdicts = [line for line in done.stdout.splitlines() if line[:8].strip().isupper()]
    assert sum(" ok " in line for line in verdicts) == 4
    assert "uploads are new" not in done.stdout
    assert (tmp_path / "demo" / "report.html").read_text().startswith("<!doctype html>")
    assert f"{tmp_path}/demo/report.html" in done.stdout
    assert "line 915: not a price: 'n.a. see mail'" in done.stdout
