"""Waiting for an event: a file, a row, an answer, the end of a process.

A test waits for what has to happen and never decides by how long that took. `HANG_S` only ends a
test that hangs: nothing that is waited for takes nearly as long, on a busy machine either. A busy
machine is made by `for _ in 1 2; do yes >/dev/null & done; make test; kill $(jobs -p)`.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

HANG_S = 600
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5

_Found = TypeVar("_Found")


def until(what: str, found: Callable[[], _Found], *, by: subprocess.Popen | None = None) -> _Found:
    """Waits until something is found and returns it.

    `by` is the process that brings it about: if that has ended, there is nothing to wait for.
    """
    hangs, pause = time.monotonic() + HANG_S, _FIRST_PAUSE_S
    while True:
        ended = by is not None and by.poll() is not None
        if result := found():
            return result
        assert not ended, f"{what}: not found, and the process has ended with {by.returncode}"
        assert time.monotonic() < hangs, f"{what}: not found in {HANG_S} s: the test hangs"
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_PAUSE_S)
