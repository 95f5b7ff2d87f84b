"""Progress of long work, as records of a standard logger that whoever shows it listens to."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from rich.filesize import decimal

LOGGER = logging.getLogger("crypto_assets.progress")
LOGGER.propagate = False


@dataclass(frozen=True)
class Step:
    """`advance` more of `total` are through a step: tickers, or bytes where `in_bytes` says so."""

    name: str
    advance: int
    total: int
    in_bytes: bool = False

    def shown(self, done: int) -> str:
        """How far the step is, in words."""
        if not self.in_bytes:
            return f"{done}/{self.total}"
        return f"{decimal(done)} of {decimal(self.total)}"


def progress(name: str, advance: int, total: int, *, in_bytes: bool = False) -> None:
    """Reports that a step has come further."""
    LOGGER.info(name, extra={"step": Step(name, advance, total, in_bytes)})
