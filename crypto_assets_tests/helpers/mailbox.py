"""A mailbox in the place of a notifier's topic."""

from __future__ import annotations

import logging

from crypto_assets.resources.errors import BusyError


class Mailbox:
    """Keeps the notices it gets; one that is closed takes none, as a topic that is away."""

    def __init__(self):
        self.notices: list[tuple[str, str]] = []
        self.is_closed = False

    def notify(self, subject: str, text: str, *, level: int = logging.ERROR) -> None:  # noqa: ARG002
        if self.is_closed:
            raise BusyError("the topic is away")
        self.notices.append((subject, text))
