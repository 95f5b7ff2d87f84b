"""One thing in the AWS account: the setting that names it, and how it is looked at.

The pieces themselves are in `buckets`, `events`, `emr`, `redshift` and `roles`; who goes round them
is `aws`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.settings import Settings, variable

_REGION = variable("aws", "region")


@dataclass(frozen=True)
class Account:
    """The account as the settings have it, asked by clients that give up within seconds."""

    aws: Aws
    settings: Settings
    _clients: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, service: str) -> Any:
        """The client of a service: threads may share one, and must not make several at once."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.aws.client(service, quick=True)
            return self._clients[service]

    @property
    def region(self) -> str:
        """Raises `UsageError` if none is set; STS alone would do without."""
        return str(self.client("sqs").meta.region_name)

    def wants_region(self, found: str) -> None:
        """Raises `UsageError` if something is in another region than the one that is set."""
        if found and found != self.region:
            raise UsageError(
                f"it is in {found}, but {self.region} is set, where application, workgroup and "
                f"queue are looked for: have all in one region, and set {_REGION} to it"
            )


@dataclass(frozen=True)
class Piece:
    """`look` gives what was found and raises `UsageError` with the cure; it needs `action`.

    What the product does not do itself (not `needed`) need not be permitted here: then it is
    reported as not checked. One that is `optional` need not be set.
    """

    what: str
    setting: str
    action: str
    look: Callable[[Account, str], str]
    needed: bool = False
    optional: bool = False
