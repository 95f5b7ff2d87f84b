"""Progress of long work, as records of a standard logger that whoever shows it listens to."""

from __future__ import annotations

import logging
from dataclasses import dataclass

LOGGER = logging.getLogger("crypto_assets.progress")
LOGGER.propagate = False


@dataclass(frozen=True)
class Step:
    """`advance` more of `total` tickers are through a step."""

    name: str
    advance: int
    total: int


def progress(name: str, advance: int, total: int) -> None:
    """Reports that a step has come further."""
    LOGGER.info(name, extra={"step": Step(name, advance, total)})
