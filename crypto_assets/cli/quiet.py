"""Libraries kept quiet while a command runs: what they warn of is one line, or nothing.

Apart from `command`, as help needs none of it.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from crypto_assets.cli.command import line_of, say
from crypto_assets.spark.printable import printable


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keeps warnings and tracebacks of libraries away; what they log as a warning is one line."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_OneLine())
    root, thread_hook = logging.getLogger(), threading.excepthook
    root.addHandler(handler)
    if thread_hook is threading.__excepthook__:
        threading.excepthook = _in_a_thread
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda *_, **__: None
            yield
    finally:
        root.removeHandler(handler)
        threading.excepthook = thread_hook


def _in_a_thread(arguments: threading.ExceptHookArgs) -> None:
    say(f"crypto-assets: {line_of(arguments.exc_value or SystemExit())}", err=True)


class _OneLine(logging.Formatter):
    """A record in one line, without the traceback it may have."""

    def format(self, record: logging.LogRecord) -> str:
        return f"crypto-assets: {printable(record.getMessage())}"
