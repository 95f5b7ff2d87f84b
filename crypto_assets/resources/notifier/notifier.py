"""The notifier: where the notices of runs go. A log file here, a topic of SNS in `sns`."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.clock import utc_text
from crypto_assets.spark.printable import printable, printable_lines

LOGGER = logging.getLogger("crypto_assets.notices")


class Notifier(ABC):
    """Sends notices to people."""

    @classmethod
    @abstractmethod
    def of(cls, settings: Settings) -> Self:
        """The notifier as the settings say. Raises `UsageError` if one is missing."""

    @abstractmethod
    def notify(self, subject: str, text: str, *, level: int = logging.ERROR) -> None:
        """Sends one notice; `subject` is one line, `text` is plain and may have many.

        It is logged at `level`, which is lower for what is no failure.
        """


@dataclass(frozen=True, kw_only=True)
class LogNotifier(Notifier):
    """Appends notices to a file and logs them, so that none is lost with a terminal."""

    path: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(path=str(settings.notices))

    def notify(self, subject: str, text: str, *, level: int = logging.ERROR) -> None:
        LOGGER.log(level, "%s", printable_lines(f"{subject}\n{text}"))
        entry = f"{utc_text()} {printable(subject)}\n{printable_lines(text)}\n\n"
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        with Path(self.path).open("a", encoding="utf-8") as stream:
            stream.write(entry)
