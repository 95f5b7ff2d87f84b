"""Progress of long work, as records of a standard logger that whoever shows it listens to."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from rich.filesize import decimal

WAIT_REPORT_SECONDS = 10.0  # between two reports of what is waited for
LOGGER = logging.getLogger("crypto_assets.progress")
LOGGER.propagate = False


@dataclass(frozen=True)
class Step:
    """`advance` more of `total` are through a step: partitions, rows, or bytes if `in_bytes`."""

    name: str
    advance: int
    total: int
    in_bytes: bool = False

    def reached(self, before: int) -> int:
        """How far the step is by now; work that is done twice counts once."""
        return min(before + self.advance, self.total)

    def shown(self, done: int) -> str:
        """How far the step is, in words."""
        if not self.in_bytes:
            return f"{done}/{self.total}"
        return f"{decimal(done)} of {decimal(self.total)}"


def waiting(message: str) -> None:
    """Reports that work waits for somebody else."""
    LOGGER.info(message, extra={"step": None})


def progress(name: str, advance: int, total: int, *, in_bytes: bool = False) -> None:
    """Reports that a step has come further; one with nothing to do is not shown."""
    if total:
        LOGGER.info(name, extra={"step": Step(name, advance, total, in_bytes)})
