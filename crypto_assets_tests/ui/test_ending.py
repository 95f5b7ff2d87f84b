"""How `ui` ends: on each signal, with its terminal, or killed; never leaving a process behind."""

from __future__ import annotations

import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from crypto_assets.resources.storage.files import locked
from crypto_assets_tests.helpers.loopback import answers, free_port
from crypto_assets_tests.helpers.processes import COMMAND
from crypto_assets_tests.helpers.waiting import HANG_S, until
from crypto_assets_tests.helpers.web_ui import WebUi, serving

# Opens a terminal of its own and runs the words in it, as a terminal window does.
IN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def all_ended(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=HANG_S)
    return not alive


@contextmanager
def killing(processes: list[psutil.Process]) -> Iterator[None]:
    """Kills what is left of them if the test fails."""
    try:
        yield
    finally:
        for process in processes:
            if process.is_running():
                process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_under_way_ends_with_it_and_is_made_up_for_by_the_next(settings, add, number):
    add("AAA")
    with (
        serving(settings) as ui,
        locked(settings.lake_folder / ".market_data.lock", 0, ""),
    ):
        run = until("a run", lambda: started_run(ui), by=ui.process)
        processes = until("its process", lambda: with_run(ui.process.pid), by=ui.process)
        ui.process.send_signal(number)
        ui.process.wait(HANG_S)
        assert all_ended(processes)
    with serving(settings) as ui:
        table = settings.lake_folder / "gold/ticker=AAA/data.parquet"
        until("the table", table.exists, by=ui.process)
        ended = ui.ask(f'runOrError(runId: "{run}") {{ ... on Run {{ status }} }}')
        assert ended["status"] == "FAILURE"


def started_run(ui: WebUi) -> str | None:
    query = "runsOrError(filter: {statuses: [STARTED]}) { ... on Runs { results { id } } }"
    runs = ui.ask(query)["results"]
    return runs[0]["id"] if runs else None


def with_run(pid: int) -> list[psutil.Process]:
    """The processes of a `ui` once a run is among them."""
    found = family(pid)
    return found if any("spawn_main" in " ".join(each.cmdline()) for each in found) else []


def test_started_by_a_script_with_nohup_it_outlives_all_but_kill(settings):
    port, log = free_port(), settings.root / "ui.log"
    words = shlex.join([*COMMAND, "ui", "--port", str(port)])
    script = f"nohup {words} >{shlex.quote(str(log))} 2>&1 & echo $!"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    process = psutil.Process(int(done.stdout))
    until("ready", lambda: "ready: " in log.read_text())
    processes = family(process.pid)
    with killing(processes):
        for number in (signal.SIGINT, signal.SIGHUP):
            process.send_signal(number)
        ui = WebUi(f"http://127.0.0.1:{port}", None)
        before = len(ui.ticks("uploads"))
        until("another tick", lambda: len(ui.ticks("uploads")) > before)
        process.terminate()
        assert all_ended(processes)
        assert log.read_text().splitlines()[-1].endswith("ended")


def test_it_ends_with_its_terminal(settings):
    port = free_port()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL, *COMMAND, "ui", "--port", str(port)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    url = f"http://127.0.0.1:{port}/server_info"
    until("the web UI", lambda: answers(url), by=process)
    processes = family(process.pid)
    with killing(processes):
        os.close(ours)
        assert process.wait(HANG_S) == 0
        assert all_ended(processes[1:])


def test_what_a_killed_one_leaves_is_waited_for_and_no_second_one_is_refused_for_it(settings):
    """The lock is free once the last child has ended, and the next one waits for that."""
    with serving(settings) as ui:
        processes = family(ui.process.pid)
        ui.process.kill()
        ui.process.wait(HANG_S)
        with serving(settings):
            assert all_ended(processes)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("dagster-daemon", "the daemon ended by itself, with code -9"),
        ("api", "the code server of crypto_assets.definitions lost the process that does its work"),
    ],
)
def test_one_whose_child_dies_ends_and_says_which(settings, word, said):
    with serving(settings) as ui:
        processes = family(ui.process.pid)
        (victim,) = (each for each in processes if word in each.cmdline())
        victim.kill()
        assert ui.process.wait(HANG_S) == 1
        assert all_ended(processes[1:])
    assert f"crypto-assets: {said}" in (settings.root / "child.log").read_text().splitlines()
