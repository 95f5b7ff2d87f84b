"""Processes that tests start: the command, Dagster's daemon, and short programs that say a line.

All begin with default signal handling, whatever the tests were started by: see `heed_interrupts`.
"""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from crypto_assets.resources.home.instance import prepare_home
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.waiting import HANG_S

COMMAND = [sys.executable, "-P", "-m", "crypto_assets.cli"]  # as the script does, not from here
DAEMON = [
    str(Path(sys.executable).with_name("dagster-daemon")),
    "run",
    "-m",
    "crypto_assets.definitions",
]


def heed_interrupts() -> None:
    """Undoes the ignored SIGINT and SIGHUP that `nohup … &` gives a program and its children.

    Dagster gives SIGTERM the handler of SIGINT: its processes would not end on either.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def child(settings: Settings, *words: str) -> Iterator[subprocess.Popen]:
    """A process of its own group on this home, killed with all it started."""
    # Dagster's scratch files go where they are removed; not below `tmp_path`, whose name is too
    # long for a socket's.
    scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    log = (settings.root / "child.log").open("ab")
    with (
        scratch,
        log,
        subprocess.Popen(
            words,
            env={**os.environ, **prepare_home(settings), "TMPDIR": scratch.name},
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            kill_family(process)


@contextmanager
def logged(
    log: Path, *command: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen]:
    """A server whose output goes to a file, in whose folder it runs; killed at the end."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, env=environment, cwd=log.parent, stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def kill_family(process: subprocess.Popen) -> None:
    """Kills the process with its group and all that it started."""
    started: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        started = psutil.Process(process.pid).children(recursive=True)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for other in started:
        with suppress(psutil.NoSuchProcess):
            other.kill()


@contextmanager
def saying(line: str, code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of this Python code that has printed the line; killed at the end.

    It is told to go on or to end by its standard input.
    """
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == f"{line}\n"
            yield process
        finally:
            process.kill()


def answered(answer: str, *words: str) -> tuple[int, str]:
    """Exit code and output of a command that asks, at a terminal where somebody types this."""
    person, terminal = pty.openpty()
    try:
        os.write(person, f"{answer}\n".encode())
        done = subprocess.run(
            [*COMMAND, *words],
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=HANG_S,
            check=False,
        )
    finally:
        os.close(person)
        os.close(terminal)
    return done.returncode, done.stdout


def in_a_child(code: str) -> subprocess.CompletedProcess[str]:
    """Runs Python code in a process of its own, to its end."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )


def printed_by(code: str) -> str:
    """What Python code prints in a process of its own, which ends well."""
    done = in_a_child(code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
