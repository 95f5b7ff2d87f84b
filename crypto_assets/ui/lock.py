"""The lock that lets a home have one `ui` at a time, and says which one that is.

Its children hold it too: it is free once the last of them has ended, however they ended.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from crypto_assets.resources.errors import BusyError

LEFT_BEHIND_S = 30.0  # children of a killed `ui` end within moments


@contextmanager
def only_one(path: Path, address: str) -> Iterator[int]:
    """Holds the lock file meanwhile and gives its file descriptor, for children to inherit.

    Raises `BusyError` at once if another `ui` lives, with its process id and address.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as stream:
        waits = time.monotonic() + LEFT_BEHIND_S
        while not _held(descriptor):
            stream.seek(0)
            pid, at = _holder(stream.read())
            if _lives(pid) or time.monotonic() > waits:
                raise BusyError(f"already running: process {pid} serves {at}")
            time.sleep(0.1)
        stream.truncate(0)
        stream.seek(0)
        json.dump({"pid": os.getpid(), "address": address}, stream)
        stream.flush()
        yield descriptor


def _held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(text: str) -> tuple[int, str]:
    """Process id and address; 0 while the holder is about to write them."""
    try:
        found = json.loads(text)
        return int(found["pid"]), str(found["address"])
    except (ValueError, KeyError, TypeError):
        return 0, "this home"


def _lives(pid: int) -> bool:
    try:
        return pid > 0 and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
