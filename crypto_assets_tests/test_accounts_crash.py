"""Runs of customer accounts that are killed: the next one ends their work, nothing is doubled."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.bank import (
    check_store,
    notices,
    plain,
    register,
    subject,
    table,
    warehouse,
)
from sample_data.accounts import Snapshot, write_snapshots


@pytest.fixture
def bank(tmp_path) -> list[Snapshot]:
    return write_snapshots(tmp_path / "bank", customers=40, accounts=100, seed=11)


@pytest.fixture
def names(settings, bank, run) -> list[str]:
    """All three snapshots are registered, the first has been run."""
    found = [register(wiring.accounts(settings).registry, settings, truth) for truth in bank]
    assert run("accounts", found[0])[0] == 0
    return found


def killed(home: Path, code: str, *words: str) -> bool:
    """Runs a command in a process with this code; whether it was killed."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, "CRYPTO_ASSETS_HOME": str(home)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


KILLED = """
import os, signal, sys
from crypto_assets.resources.accounts.duckdb_store import DuckDBAccountStore
from crypto_assets.cli import main
apply = DuckDBAccountStore.apply
def killed(store, changes, total):
    when = sys.argv[1]
    if when == "after":
        apply(store, changes, total)
    os.kill(os.getpid(), signal.SIGKILL)
DuckDBAccountStore.apply = killed
main(sys.argv[2:], standalone_mode=False)
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("then", [1, 2])
def test_killed_in_the_middle_of_storing_the_next_run_completes_it(
    run, bank, names, settings, when, then
):
    assert killed(settings.home, KILLED, when, "accounts", names[1])
    assert len(notices(settings)) == 1
    code, out, err = run("accounts", names[then])
    assert code == 0, out + err
    assert names[1] in out.splitlines()[0]
    ended = bank[: then + 1]
    assert notices(settings) == list(map(subject, ended))
    check_store(settings, ended, names[: then + 1], wiring.accounts(settings).registry)


AT_STEP = """
import os, signal, sys
from crypto_assets.resources.accounts.duckdb_store import DuckDBAccountStore
from crypto_assets.resources.accounts.tables import AccountTables
from crypto_assets.resources.storage.lake import Lake
from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.resources.warehouse.duckdb import DuckDBWarehouse
from crypto_assets.cli import main
left, begun = int(sys.argv[1]), []
def step(kind, name):
    inner = getattr(kind, name)
    def outer(*args, **options):
        global left
        if begun:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        if name == "publish":
            begun.append(True)
        return inner(*args, **options)
    setattr(kind, name, outer)
step(Lake, "publish")
step(AccountTables, "publish_accounts")
step(AccountTables, "publish_store")
for name in ("move", "replace", "delete", "write"):
    step(LocalObjects, name)
step(DuckDBWarehouse, "load_accounts")
step(DuckDBAccountStore, "apply")
main(sys.argv[2:], standalone_mode=False)
"""


@pytest.mark.slow
@pytest.mark.parametrize("again", [False, True])
def test_killed_at_any_step_of_publishing_nothing_is_lost_or_doubled(
    settings, bank, names, run, tmp_path, monkeypatch, again
):
    """With `again` it is a snapshot that was stored before, from other files."""
    expected, rows = [subject(truth) for truth in bank], plain(bank[2].rows)
    if again:
        assert run("accounts", names[1])[0] == 0
        snapshots = wiring.accounts(settings).registry
        first, last = map(snapshots.snapshot, names[1:])
        snapshots.put(replace(first, files=last.files))
        names[2] = names[1]
    for step in range(again, 100, 3):  # each third: a step takes three runs
        home = tmp_path / f"step{step}"
        shutil.copytree(settings.home, home)
        here = Settings(home=home)
        if not killed(home, AT_STEP, str(step), "accounts", names[1]):
            break
        monkeypatch.setenv("CRYPTO_ASSETS_HOME", str(home))
        for name in names[1:]:
            code, out, err = run("accounts", name)
            assert code == 0, f"step {step}: {out}{err}"
        columns = next(iter(rows.values()))
        assert plain(table(here), *columns) == rows, step
        assert plain(warehouse(here), *columns) == rows, step
        check_store(here, bank, names, wiring.accounts(here).registry)
        assert list(dict.fromkeys(notices(here))) == expected, step
    assert step > 12
