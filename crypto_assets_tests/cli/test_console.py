"""How the command shows progress."""

from __future__ import annotations

import pytest

from crypto_assets.cli.console import showing_progress
from crypto_assets.resources.progress import progress


def test_progress_never_passes_its_total(capsys: pytest.CaptureFixture[str]) -> None:
    with showing_progress():
        for _ in range(3):  # as where an attempt is repeated
            progress("gold", 2, 4)
        progress("gold", 1, 4)
    assert capsys.readouterr().err.splitlines() == ["gold: 2/4", "gold: 4/4"]


def test_a_step_with_nothing_to_do_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with showing_progress():
        progress("contents", 0, 0)
    assert capsys.readouterr().err == ""


def test_pruning_a_home_without_anything_old_succeeds(run, add):
    add("BTC")
    code, out, err = run("prune")
    assert (code, err) == (0, "")
    assert "earlier contents of uploads: 0 deleted" in out


def test_progress_is_shown_also_after_some_that_nobody_listened_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress("silver", 1, 1)
    with showing_progress():
        progress("gold", 1, 1)
    assert capsys.readouterr().err.splitlines() == ["gold: 1/1"]
