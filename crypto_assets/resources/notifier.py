"""The notifier: who is told when a run failed. One interface; locally it is a log file."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from crypto_assets.resources.files import printable

LOGGER = logging.getLogger("crypto_assets.notices")


class Notifier(dg.ConfigurableResource, ABC):
    """Tells people what happened."""

    @abstractmethod
    def tell(self, subject: str, text: str) -> None:
        """Sends one notice; `subject` is one line, `text` is plain and may have many."""


class LogNotifier(Notifier):
    """Appends notices to a file and logs them, so that none is lost with a terminal."""

    path: str = Field(description="The file notices are appended to.")

    def tell(self, subject: str, text: str) -> None:
        LOGGER.error("%s\n%s", subject, text)
        entry = f"{datetime.now(UTC).isoformat(timespec='seconds')} {subject}\n{text}\n\n"
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        with Path(self.path).open("a", encoding="utf-8") as stream:
            stream.write(printable(entry))
