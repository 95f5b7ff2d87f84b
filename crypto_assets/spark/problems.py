"""The exceptions of `spark/`, and how bad lines are named in a verdict.

The exceptions of the rest of the product are in `resources/errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHOWN_PROBLEMS = 10


class ReadError(Exception):
    """An upload cannot be read, or not with certainty.

    `str()` is one line: what is wrong, where, and what would help.
    """


class ServiceError(Exception):
    """A service refuses or does not answer, which is no fault of an upload.

    `str()` is one line: the service, what was asked of it, and what would help. `passes` says
    whether waiting may help.
    """

    def __init__(self, message: str, *, passes: bool) -> None:
        super().__init__(message)
        self.passes = passes


def bad_lines(row: Mapping[str, Any]) -> str:
    """What is wrong with bad lines: those in `bad_lines` (`line`, `problem`), of `bad` in all."""
    more = f"; and {row['bad'] - SHOWN_PROBLEMS} more" if row["bad"] > SHOWN_PROBLEMS else ""
    return "; ".join(bad_line_texts(row)) + more


def bad_line_texts(row: Mapping[str, Any]) -> list[str]:
    """What is wrong with each line in `bad_lines`."""
    return [f"line {bad['line']}: {bad['problem']}" for bad in row["bad_lines"]]
