"""A process that others can tell from a dead one: it holds a lock file as long as it lives.

The lock decides. Boot, process number and start only name the holder: none of them is a host name
or a time of day, which change while a process lives.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import uuid
from functools import cache
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

State = Literal["alive", "dead", "unknown"]


def hold(folder: Path) -> str:
    """Names this process, which holds its lock in this folder from now until it ends."""
    return _held(folder, os.getpid())


def state(folder: Path, name: str) -> State:
    """Whether the process of this name lives; unknown if it was of another machine."""
    machine, boot, _ = name.split(":", 2)
    path = _lock_file(folder, name)
    try:
        if path.exists():
            with FileLock(path, timeout=0):
                path.unlink()
    except Timeout:
        return "alive"
    here = boot == _boot() or machine == _machine()
    return "dead" if here else "unknown"


def described(name: str) -> str:
    """The process of this name for a message."""
    machine, _, process = name.split(":", 2)
    where = "" if machine == _machine() else " of another machine"
    return f"process {process.partition('-')[0]}{where}"


@cache
def _held(folder: Path, pid: int) -> str:
    name = f"{_machine()}:{_boot()}:{pid}-{_start(pid)}"
    path = _lock_file(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    lock.acquire()
    _locks.append(lock)  # one that is collected is released
    atexit.register(_end, path, pid)
    return name


_locks: list[FileLock] = []


def _end(path: Path, pid: int) -> None:
    """Removes the lock file of a process that ends, not of one that it was forked from."""
    if pid == os.getpid():
        path.unlink(missing_ok=True)


def _lock_file(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(':', '_')}.lock"


@cache
def _boot() -> str:
    """What is another one after each start of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil

        return str(int(psutil.boot_time()))


@cache
def _machine() -> str:
    """What stays the same as long as the machine does; a hash, as the id is not to be shown."""
    try:
        own = Path("/etc/machine-id").read_text().strip()
    except OSError:
        own = ""
    return hashlib.sha256((own or hex(uuid.getnode())).encode()).hexdigest()[:12]


def _start(pid: int) -> str:
    """When the process began, in clock ticks since the start of the machine."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        import psutil

        return str(int(psutil.Process(pid).create_time()))
