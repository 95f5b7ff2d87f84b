"""`make install` says what it does: it takes minutes. What installs is replaced by a recorder."""

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
case " $* " in *" venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;; esac
"""


@pytest.fixture
def clone(tmp_path):
    """A clone in which `python3` and `uv` only record how they were called."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("python3", "uv"):
        (tools / name).write_text(RECORDER)
        (tools / name).chmod(0o755)
    return tmp_path


def install(clone: Path, **to: int) -> subprocess.CompletedProcess[str]:
    path = f"{clone / 'tools'}:/usr/bin:/bin"
    return subprocess.run(
        ["make", "install"],
        cwd=clone,
        env={**os.environ, "PATH": path, "MAKEFLAGS": ""},
        text=True,
        timeout=HANG_S,
        check=True,
        **to,
    )


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_each_step_of_the_installation_is_one_line(clone, tool):
    if tool == "pip":
        (clone / "tools" / "uv").unlink()
    assert install(clone, stdout=subprocess.PIPE).stdout.splitlines() == [
        f"install, step 1 of 3: the environment .venv, with {tool}",
        "install, step 2 of 3: the packages of requirements.lock, some minutes the first time",
        "install, step 3 of 3: crypto-assets itself",
    ]
    assert "install -q" in (clone / "called").read_text()
    assert install(clone, stdout=subprocess.PIPE).stdout.splitlines() == [
        "make: Nothing to be done for 'install'."
    ]


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_on_a_terminal_the_tool_shows_how_far_it_is_with_the_packages(clone, tool):
    if tool == "pip":
        (clone / "tools" / "uv").unlink()
    terminal, shown = os.openpty()
    try:
        install(clone, stdout=shown)
    finally:
        os.close(shown)
        os.close(terminal)
    (packages,) = (
        line for line in (clone / "called").read_text().splitlines() if "-r requirements" in line
    )
    assert " -q " not in packages
