"""Dagster's home as commands see it that only look: making it, and whether a run has not ended.

Imports no Dagster, which takes over a second. What needs an instance is in `instance`. Besides the
event log, these two alone know how Dagster stores its state on disk.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from crypto_assets.resources.settings import Settings

KILLED = "the process of this run was killed"
# The values of `DagsterRunStatus` of a run that waits or computes.
UNFINISHED_STATUSES = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")
BUSY_SECONDS = 30.0  # to wait for another process that writes
CONFIGURATION = "dagster.yaml"  # written when an instance is first opened
_RUNS = "history/runs.db"


def make_home(settings: Settings) -> None:
    """Makes the home folder and Dagster's in it.

    A home without Dagster's is new and becomes its user's alone; later its mode is theirs.
    """
    if not settings.dagster_home.exists():
        settings.dagster_home.mkdir(parents=True)
        for folder in (settings.root, settings.dagster_home):
            folder.chmod(0o700)


def demo_beside(settings: Settings) -> str:
    """Where the demo is, if it was made beside this home; empty if it was not."""
    demo = settings.root.with_name(".demo")
    if demo == settings.root or not (demo / "inbox").is_dir():
        return ""
    return f"what `make demo` made is in another home: set CRYPTO_ASSETS_HOME={demo}"


def has_history(settings: Settings) -> bool:
    """Whether an instance was ever opened in this home."""
    return (settings.dagster_home / CONFIGURATION).exists()


def has_unfinished_runs(settings: Settings) -> bool:
    """Whether a run waits or computes, or has died since and is not marked yet.

    Also if that cannot be seen, as where the runs are kept elsewhere: Dagster knows. Raises
    `sqlite3.Error` if the database of the runs cannot be read.
    """
    if not has_history(settings):
        return False
    if not (path := settings.dagster_home / _RUNS).exists():
        return True
    marks = ", ".join("?" * len(UNFINISHED_STATUSES))
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'")
        if tables.fetchone() is None:
            return True
        found = connection.execute(
            f"SELECT 1 FROM runs WHERE status IN ({marks}) LIMIT 1",  # noqa: S608 - ours
            UNFINISHED_STATUSES,
        )
        return found.fetchone() is not None
