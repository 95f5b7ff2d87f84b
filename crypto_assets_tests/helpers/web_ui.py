"""Dagster's webserver and daemon, as `crypto-assets ui` starts them, and questions to them."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.loopback import answers, free_port
from crypto_assets_tests.helpers.processes import COMMAND, child
from crypto_assets_tests.helpers.waiting import HANG_S, until

REPOSITORY = (
    '{repositoryName: "__repository__", repositoryLocationName: "crypto_assets.definitions"}'
)


@dataclass
class WebUi:
    """A running `crypto-assets ui`."""

    url: str
    process: subprocess.Popen

    def ask(self, field: str, operation: str = "query") -> Any:
        """The only field of the answer to a GraphQL query or mutation."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            json.dumps({"query": f"{operation} {{ {field} }}"}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=HANG_S) as response:
            (found,) = json.load(response)["data"].values()
        return found

    def daemons_are_well(self) -> bool:
        """Whether every daemon that this home needs has begun."""
        health = self.ask("instance { daemonHealth { allDaemonStatuses { required healthy } } }")
        daemons = health["daemonHealth"]["allDaemonStatuses"]
        return all(daemon["healthy"] for daemon in daemons if daemon["required"])

    def ticks(self, sensor: str) -> list[dict[str, Any]]:
        """The latest ticks of a sensor, newest first."""
        selector = REPOSITORY.replace("}", f', sensorName: "{sensor}"}}')
        found = self.ask(
            f"sensorOrError(sensorSelector: {selector}) {{ ... on Sensor {{ sensorState "
            "{ ticks(limit: 10) { timestamp status } } } }"
        )
        return found["sensorState"]["ticks"]


@contextmanager
def serving(settings: Settings, *words: str) -> Iterator[WebUi]:
    """A `crypto-assets ui` of this home that answers; killed at the end with all it started."""
    port = free_port()
    with child(settings, *COMMAND, "ui", "--port", str(port), *words) as process:
        ui = WebUi(f"http://127.0.0.1:{port}", process)
        until("the web UI", lambda: answers(f"{ui.url}/server_info"), by=process)
        yield ui
