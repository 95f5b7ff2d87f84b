"""What `ui` prints: its own lines, and of what its children print only what somebody should see.

Dagster logs each look of each sensor and each event of each run. Of its records those pass that
warn; what became of files and runs comes from `follow`.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from datetime import datetime

from crypto_assets.spark.printable import printable

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_RECORD = re.compile(r"[\d-]{10} [\d:]{8} \S+ - (?P<logger>\S+) - (?P<level>[A-Z]+) - (?P<text>.*)")
_CLOSING_S = 2.0
_LOUD = {"WARNING", "ERROR", "CRITICAL"}
_OF_RUNS = "dagster"  # the logger of a run's own events
_ON_FIRST_START = "No cursor for event type"
_STACK = re.compile(r"\s|$|Traceback |Stack Trace:|The above exception ")


def say(line: str) -> None:
    """Prints a line with the time; nobody may be left to read it once the terminal is closed."""
    with suppress(OSError):
        os.write(1, f"{datetime.now().astimezone():%H:%M:%S} {printable(line)}\n".encode())


class Output:
    """Takes what the children print and passes on what somebody should see, until it is muted."""

    def __init__(self) -> None:
        reading, self.writing = os.pipe()
        self._passes, self._muted = True, False
        self._thread = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._thread.start()

    def mute(self) -> None:
        """Prints no more; the children may still write."""
        self._muted = True

    def close(self) -> None:
        """Ends once no child is left that could write, or one is that left its process group."""
        os.close(self.writing)
        self._thread.join(_CLOSING_S)

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, encoding="utf-8", errors="backslashreplace") as lines:
            for line in lines:
                shown = self._shown(_COLOUR.sub("", line.rstrip()))
                if shown and not self._muted:
                    say(shown)

    def _shown(self, line: str) -> str:
        """What to show of a line; what follows a record belongs to it, but for the stack."""
        if record := _RECORD.match(line):
            logger, text = record["logger"], record["text"]
            expected = logger == _OF_RUNS or text.startswith(_ON_FIRST_START)
            self._passes = record["level"] in _LOUD and not expected
            return f"{logger}: {text}" if self._passes else ""
        return "" if not self._passes or _STACK.match(line) else line
