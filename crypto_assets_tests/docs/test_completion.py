"""The shell completes commands and options with the line of docs/commands.md."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets_tests.helpers.pages import PAGES


@pytest.mark.parametrize(("typed", "completed"), [("st", "status"), ("export --fo", "--format")])
def test_the_shell_completes_commands_and_options(typed, completed):
    line = re.compile(r'^eval "\$\((\w+)=bash_source crypto-assets\)"', re.MULTILINE)
    (shown,) = line.findall(PAGES["docs/commands.md"])
    words = f"crypto-assets {typed}"
    asked = {shown: "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = CliRunner().invoke(main, prog_name="crypto-assets", env=asked)
    assert f"plain,{completed}" in result.stdout.splitlines()
