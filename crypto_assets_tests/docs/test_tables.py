"""The tables of the pages are what the code declares, and their settings are ones that hold."""

from __future__ import annotations

import re
import tomllib

import click
import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets.resources.market_data.overrides import parse_overrides
from crypto_assets.resources.settings import AwsSettings, Settings, read_settings, variable
from crypto_assets.resources.warehouse.daily import DAILY
from crypto_assets.spark.accounts.tables import CUSTOMER_ACCOUNTS
from crypto_assets.spark.exports.refusals import REASONS
from crypto_assets.spark.market_data.rules import CHECKS
from crypto_assets.spark.market_data.tables import CURRENCIES, GOLD
from crypto_assets_tests.helpers.pages import PAGES, blocks


def test_the_table_of_shapes_is_what_the_command_prints():
    printed = CliRunner().invoke(main, ["inspect", "--shapes"], catch_exceptions=False).stdout
    assert f"<!-- shapes -->\n{printed}<!-- /shapes -->" in PAGES["docs/your-files.md"]


@pytest.mark.parametrize(
    ("page", "table"),
    [("tables", GOLD), ("tables", CURRENCIES), ("tables", DAILY), ("accounts", CUSTOMER_ACCOUNTS)],
)
def test_the_tables_of_columns_are_what_the_code_declares(page, table):
    assert table.markdown() in PAGES[f"docs/{page}.md"]


def test_the_page_of_checks_names_each_with_its_layer_and_colour():
    row = re.compile(r"^\| `(\w+)` \| `(\w+)` \| (red|yellow) ", re.MULTILINE)
    colour = {True: "yellow", False: "red"}
    named = [(each.layer, each.name, colour[each.warns]) for each in CHECKS]
    assert row.findall(PAGES["docs/checks.md"]) == named


def reasons() -> str:
    """Every reason of the reader as a row of a Markdown table; what the file adds is in italics."""
    italics = re.compile(r"\{(\w+).*?\}")
    lines = []
    for reason in REASONS.values():
        cells = (
            italics.sub(r"*\1*", text).replace("|", "\\|").replace("**", "* *")
            for text in (reason.says, reason.cure)
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_table_of_refusals_is_what_the_reader_says():
    assert PAGES["docs/refusals.md"].partition("|---|---|\n")[2].strip() == reasons()


def listed(text: str) -> list[str]:
    """The settings that a table names, in alphabetical order."""
    return sorted(re.findall(r"^\| `(CRYPTO_ASSETS_\w+)`", text, re.MULTILINE))


def test_every_setting_is_listed_once():
    settings = sorted(map(variable, Settings.settings().keys() - {"aws"}))
    assert listed(PAGES["docs/settings.md"]) == settings
    on_aws = [variable("aws", name) for name in AwsSettings.settings()]
    assert listed(PAGES["docs/aws.md"]) == sorted(["CRYPTO_ASSETS_PROFILE", *on_aws])


def test_every_command_is_listed_once():
    rows = re.findall(r"^\| `([a-z]+)\b", PAGES["docs/commands.md"], re.MULTILINE)
    assert sorted(rows) == main.list_commands(click.Context(main))


def test_the_overrides_shown_are_ones_that_hold():
    (shown,) = (block for block in blocks() if "[XMR]" in block.text)
    overrides = parse_overrides(shown.text)
    assert overrides.problems == ()
    assert overrides.claims("kraken/xmr_eur.csv") == [("XMR", "history")]


SETTINGS = [
    block.text for block in blocks() if block.language == "toml" if "[XMR]" not in block.text
]


@pytest.mark.parametrize("shown", SETTINGS)
def test_the_settings_shown_are_ones_that_hold(home, shown, tmp_path):
    (tmp_path / "crypto_assets.toml").write_text(shown)
    settings = read_settings()
    assert {name: getattr(settings, name) for name in tomllib.loads(shown)} != {}
