"""What of Dagster's output is printed: literal lines in, the line that is shown or nothing out."""

from __future__ import annotations

import os
import re

import pytest

from crypto_assets.ui.output import Output, say

TIME = "2026-11-25 19:34:52 +0000"
OF_A_RUN = f"{TIME} - dagster - ERROR - refresh_currencies - 01d45644 - market_data - STEP_FAILURE"


@pytest.fixture
def printed(capfd):
    """Passes lines through and gives what was printed, without the time of day."""

    def passed(*lines: str) -> list[str]:
        output = Output()
        os.write(output.writing, "".join(f"{line}\n" for line in lines).encode())
        output.close()
        shown = capfd.readouterr().out.splitlines()
        assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in shown)
        return [line[9:] for line in shown]

    return passed


@pytest.mark.parametrize(
    "line",
    [
        f"\x1b[32m{TIME}\x1b[0m - dagster.daemon.SensorDaemon - \x1b[34mINFO\x1b[0m - Checking",
        f"{TIME} - dagster - DEBUG - refresh_currencies - 01d45644 - 23339 - RUN_START - Started",
        f"{OF_A_RUN} - Execution of step failed.",
        f"{TIME} - dagster.daemon.EventLogConsumerDaemon - WARNING - No cursor for event type X",
    ],
)
def test_looks_and_events_of_runs_are_not_printed(printed, line):
    assert printed(line, "what belongs to it", f"{TIME} - dagster.daemon - ERROR - full") == [
        "dagster.daemon: full"
    ]


def test_of_an_error_the_words_are_printed_and_not_the_stack(printed):
    assert printed(
        f"{TIME} - dagster.daemon.SensorDaemon - ERROR - Sensor daemon caught an error",
        "Traceback (most recent call last):",
        '  File "sensor.py", line 1, in <module>',
        "OSError: no space left",
        "",
        "Stack Trace:",
        '  File "other.py", line 2, in f',
    ) == ["dagster.daemon.SensorDaemon: Sensor daemon caught an error", "OSError: no space left"]


def test_what_comes_before_any_record_is_printed(printed):
    assert printed("ERROR:    [Errno 98] address already in use") == [
        "ERROR:    [Errno 98] address already in use"
    ]


def test_nothing_is_printed_once_it_is_muted(capfd):
    output = Output()
    output.mute()
    os.write(output.writing, b"a complaint\n")
    output.close()
    assert capfd.readouterr().out == ""


def test_a_line_nobody_can_read_any_more_is_no_error():
    keep = os.dup(1)
    reading, writing = os.pipe()
    try:
        os.dup2(writing, 1)
        os.close(reading)
        say("to nobody")
    finally:
        os.dup2(keep, 1)
        os.close(keep)
        os.close(writing)
