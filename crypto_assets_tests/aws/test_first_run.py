"""`docs/aws-first-run.md` is true: its commands show what it says, one after the other."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from crypto_assets_tests.helpers.cloud import hasten, settings_of

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


@pytest.fixture
def settings(cloud, home, monkeypatch):
    hasten(monkeypatch)
    return settings_of(cloud, home, monkeypatch)


def steps():
    """Each command of the page and the lines it must show, without the spaces of columns."""
    text = (ROOT / "docs" / "aws-first-run.md").read_text()
    for block in BLOCK.findall(text):
        command, *lines = (" ".join(line.split()) for line in block.strip().splitlines())
        yield command.removeprefix("$ crypto-assets "), lines


def test_the_page_has_each_step_from_the_doctor_to_an_upload():
    words = [command.split()[0] for command, _ in steps()]
    assert (words[0], words[-1], len(words)) == ("doctor", "upload", 12)


def test_each_command_shows_what_the_page_says(run, settings, monkeypatch):
    monkeypatch.chdir(ROOT)
    for command, wanted in steps():
        code, out, err = run(*shlex.split(command))
        assert code == (command == "doctor"), out + err  # some of what it looks at is no double's
        shown = [" ".join(line.split()) for line in (out + err).splitlines()]
        for line in wanted:
            pattern = ".*".join(map(re.escape, line.split("…")))
            assert any(re.fullmatch(pattern, each) for each in shown), (command, line, shown)
