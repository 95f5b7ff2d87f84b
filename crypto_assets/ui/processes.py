"""The processes of a `ui`: started, watched, and ended with all that they started.

Each leads a process group, in which what it starts stays, such as the runs of a code server. They
end in order on a signal, and are killed if this process dies in whatever way: see `child`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import psutil

from crypto_assets.resources.errors import RefusedError
from crypto_assets.ui.output import Output

ENDING_S = 8.0  # `docker stop` kills after 10 s


class Signals:
    """Says whether somebody asked for the end, and whether by a second Ctrl-C.

    A shell starts what is to run in the background with SIGINT ignored, and `nohup` with SIGHUP:
    neither ends it then. Handlers, not `SIG_IGN`, which the children would inherit and Dagster
    would copy to SIGTERM.
    """

    def __init__(self) -> None:
        self.asked, self.again = threading.Event(), threading.Event()
        background = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        for each in (signal.SIGINT, signal.SIGHUP):
            ignored = background or signal.getsignal(each) == signal.SIG_IGN
            signal.signal(each, self._pass_over if ignored else self._ask)
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, number: int, _: object) -> None:
        if number == signal.SIGINT and self.asked.is_set():  # a closed terminal sends SIGHUP twice
            self.again.set()
        self.asked.set()

    def _pass_over(self, *_: object) -> None:
        """Only takes the place of the default."""


class Children:
    """The processes that were started; they share the lock and write to the output."""

    def __init__(self, environment: Mapping[str, str], lock: int, output: Output) -> None:
        self._environment, self._lock, self._output = dict(environment), lock, output
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._proxies: set[str] = set()

    def start(self, name: str, command: Sequence[str]) -> None:
        """Starts a command of Dagster; a message calls it by this name."""
        self._processes[name] = subprocess.Popen(  # noqa: S603 - our own words, no shell
            [sys.executable, "-m", "crypto_assets.ui.child", *command],
            env=self._environment,
            stdin=subprocess.PIPE,  # closes when this process dies: see `child`
            stdout=self._output.writing,
            stderr=self._output.writing,
            pass_fds=[self._lock],
            start_new_session=True,
        )

    def is_proxy(self, name: str) -> None:
        """From now on this one is of use only as long as it has a child, which does its work."""
        self._proxies.add(name)

    def check(self) -> None:
        """Raises `RefusedError` if one of them has ended, or the child of one that needs it."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise RefusedError(f"the {name} ended by itself, with code {process.returncode}")
            if name in self._proxies and not _has_child(process.pid):
                raise RefusedError(f"the {name} lost the process that does its work")

    def wait(self, is_there: Callable[[], bool], signals: Signals) -> bool:
        """Waits until something is there; False if somebody asks for the end before."""
        while not signals.asked.wait(0.1):
            self.check()
            if is_there():
                return True
        return False

    def end(self, hurry: threading.Event) -> None:
        """Ends them and all they started, in order if that takes no longer than `ENDING_S`."""
        self._signal(signal.SIGTERM)
        until = time.monotonic() + ENDING_S
        while self._signal(0) and time.monotonic() < until and not hurry.wait(0.05):
            for process in self._processes.values():
                process.poll()
                with suppress(ChildProcessError):  # in a container orphans become ours
                    os.waitpid(-process.pid, os.WNOHANG)
        self._signal(signal.SIGKILL)
        for process in self._processes.values():
            process.wait()

    def _signal(self, number: int) -> int:
        """Signals each process group; how many of them have a process left."""
        left = 0
        for process in self._processes.values():
            # PermissionError: on macOS, a group of which only zombies are left.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
                left += 1
        return left


def _has_child(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        found = psutil.Process(pid).children()
        return any(each.status() != psutil.STATUS_ZOMBIE for each in found)
    return False


@contextmanager
def children(environment: Mapping[str, str], lock: int, signals: Signals) -> Iterator[Children]:
    """Children with this environment, ended with the block."""
    output = Output()
    started = Children(environment, lock, output)
    try:
        yield started
        output.mute()  # servers that end at the same time complain of each other
    finally:
        started.end(signals.again)
        output.close()
