"""The home's own state: whether it can be written, and which of its SQLite files are damaged.

For each database: what is lost with it, and what makes it anew. Tables and stores check themselves.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from crypto_assets.resources.errors import (
    BusyError,
    CryptoAssetsError,
    DataError,
    RefusedError,
)
from crypto_assets.resources.settings import Settings

_LITTLE = 1 << 20  # bytes left on a disk that is as good as full
_PROBE = bytes(1 << 16)  # a full disk still takes the name of a file
_RECORDED_ANEW = (
    "which layers were made when; `crypto-assets materialize --all` and `crypto-assets accounts` "
    "record them anew"
)
_LOST = {
    "history/runs/index.db": _RECORDED_ANEW,
    "history/runs.db": "the list of past runs",
    "schedules/schedules.db": "the past ticks of the sensors",
}
_SHARDS = "history/runs"  # a database for each run, and the index


def check_writable(folder: Path) -> str:
    """Raises `OSError` if the folder cannot be made or written, `RefusedError` if it is full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, buffering=0) as probe:
            probe.write(_PROBE)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder) from error
        error.filename = str(folder)
        raise
    return f"{folder} can be written"


def check_databases(settings: Settings) -> str:
    """Raises `DataError` if the file of outcomes or one of Dagster's databases is damaged."""
    outcomes = settings.outcomes_file
    if outcomes.exists() and (fault := _fault(outcomes, "layers", whole=True)):
        raise DataError(f"{_damaged(outcomes, fault)}; it is made anew from Dagster's events")
    paths = list(_databases(settings.dagster_home))
    for path in paths:
        whole = path.parent.name != "runs" or path.name == "index.db"
        if fault := _fault(path, "alembic_version", whole=whole):
            lost = _LOST.get(
                path.relative_to(settings.dagster_home).as_posix(), "the log of one run"
            )
            raise DataError(f"{_damaged(path, fault)}; Dagster makes it anew, lost is {lost}")
    return f"{len(paths)} databases can be read"


def explained(settings: Settings, error: sqlite3.Error) -> CryptoAssetsError:
    """What an error of the home's databases comes from.

    Raises `OSError` or `RefusedError` if it is that the home cannot be written, `DataError` if a
    file is damaged.
    """
    check_writable(settings.root)
    check_writable(settings.dagster_home)
    # What broke off has given back some room by now, and says more than one thing of a full disk.
    is_full = getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
    if is_full or shutil.disk_usage(settings.dagster_home).free < _LITTLE:
        return _full(settings.root)
    check_databases(settings)
    if "locked" in str(error):
        return BusyError(f"another process holds the databases in {settings.dagster_home}: retry")
    return CryptoAssetsError(f"the databases in {settings.dagster_home}: {error}")


def _full(folder: Path) -> RefusedError:
    return RefusedError(
        f"No space left on device: {folder}: make some and run again; what is published is whole"
    )


def _damaged(path: Path, fault: str) -> str:
    return (
        f"{path} is damaged ({fault}): end `crypto-assets ui`, delete this file and those beside "
        "it that end in -wal and -shm"
    )


def _databases(folder: Path) -> Iterator[Path]:
    for name in _LOST:
        if (folder / name).exists():
            yield folder / name
    for path in sorted((folder / _SHARDS).glob("*.db")):
        if path.name != "index.db":
            yield path


def _fault(path: Path, table: str, *, whole: bool) -> str | None:
    """What is wrong with a database that has this table; looked at `whole`, or only there."""
    if not path.is_file():
        return "it is no file"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
            if whole:
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                return None if found == "ok" else str(found)
    except sqlite3.OperationalError:
        return None  # a lock, or no tables so far: they are made when the file is opened
    except sqlite3.DatabaseError as error:
        return str(error)
    return None
