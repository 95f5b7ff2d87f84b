"""`make install` says what it does, and installs what its user needs: it takes minutes.

What installs is replaced by a recorder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from crypto_assets_tests.helpers.waiting import HANG_S

ROOT = Path(__file__).parent.parent
RECORDER = """#!/bin/sh
echo "$@" >> called
for name in python crypto-assets ruff; do
    case " $* " in *" venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/$name ;; esac
done
"""


@pytest.fixture
def clone(tmp_path):
    """A clone in which `python3` and `uv` only record how they were called."""
    (tmp_path / "crypto_assets").mkdir()
    for name in ("Makefile", "requirements.lock", "pyproject.toml", "crypto_assets/product.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("python3", "uv"):
        (tools / name).write_text(RECORDER)
        (tools / name).chmod(0o755)
    return tmp_path


def make(clone: Path, target: str, **to: int) -> subprocess.CompletedProcess[str]:
    # The suite itself may run below `make`, which tells this to the `make` it starts.
    env = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        ["make", target],
        cwd=clone,
        env={**env, "PATH": f"{clone / 'tools'}:/usr/bin:/bin"},
        text=True,
        timeout=HANG_S,
        check=True,
        **to,
    )


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_each_step_of_the_installation_is_one_line(clone, tool):
    if tool == "pip":
        (clone / "tools" / "uv").unlink()
    assert make(clone, "install", stdout=subprocess.PIPE).stdout.splitlines() == [
        f"install, step 1 of 3: the environment .venv, with {tool}",
        "install, step 2 of 3: the packages of crypto_assets/product.lock, minutes at first",
        "install, step 3 of 3: crypto-assets itself",
    ]
    (packages,) = (line for line in calls(clone) if "-r crypto_assets/product.lock" in line)
    assert " -q" in packages
    assert make(clone, "install", stdout=subprocess.PIPE).stdout.splitlines() == [
        "make: Nothing to be done for 'install'."
    ]


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_on_a_terminal_the_tool_shows_how_far_it_is_with_the_packages(clone, tool):
    if tool == "pip":
        (clone / "tools" / "uv").unlink()
    terminal, shown = os.openpty()
    try:
        make(clone, "install", stdout=shown)
    finally:
        os.close(shown)
        os.close(terminal)
    (packages,) = (line for line in calls(clone) if "-r crypto_assets/product.lock" in line)
    assert " -q" not in packages


def test_what_tests_and_checks_need_is_installed_for_these_alone(clone):
    make(clone, "ui", stdout=subprocess.PIPE)
    assert not [line for line in calls(clone) if "-r requirements.lock" in line]
    make(clone, "format", stdout=subprocess.PIPE)
    assert len([line for line in calls(clone) if "-r requirements.lock" in line]) == 1


def calls(clone: Path) -> list[str]:
    """How the recorders were called."""
    return (clone / "called").read_text().splitlines()
