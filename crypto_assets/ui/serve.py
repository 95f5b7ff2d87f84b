"""Serves Dagster's web UI and daemon on a home: one at a time, for this machine's user only.

What a request must be like is in `guard`, how the processes live and end in `processes`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from crypto_assets.resources import wiring
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.home.instance import prepare_home
from crypto_assets.resources.home.state import demo_beside
from crypto_assets.ui.address import Address
from crypto_assets.ui.guard import is_loopback
from crypto_assets.ui.locations import Location, locations, write_workspace
from crypto_assets.ui.lock import only_one
from crypto_assets.ui.output import say
from crypto_assets.ui.processes import Children, Signals, children

if TYPE_CHECKING:
    from crypto_assets.resources.settings import Settings
    from crypto_assets.ui.follow import Follower

LOOK_S = 2.0


def serve(settings: Settings, address: Address, files: Sequence[Path]) -> None:
    """Serves the UI until a signal ends it; `files` are code locations of the user's own.

    Raises `UsageError` if others could reach it and no name is allowed, `BusyError` if the home or
    the port is in use, `RefusedError` if a child ends by itself.
    """
    if not is_loopback(address.host) and not settings.ui_hosts:
        raise UsageError(
            f"--host {address.host} is open to other machines: set CRYPTO_ASSETS_UI_HOSTS to the "
            "names under which people reach it"
        )
    # As `python -P` for the children and all they start: nothing comes from the working directory.
    environment = {**os.environ, **prepare_home(settings), "PYTHONSAFEPATH": "1"}
    with (
        only_one(settings.root / "ui.lock", address.url) as lock,
        # Not in the home: a socket's path must be short.
        TemporaryDirectory(prefix="crypto_assets_", ignore_cleanup_errors=True) as sockets,
    ):
        address.check_free()
        say(f"starting on {address.url} with the home {settings.root}")
        if (demo := demo_beside(settings)) and _is_empty(settings):
            say(f"this home is empty; {demo}")
        signals, follower = Signals(), _follower(settings)
        shown = locations(files, Path(sockets))
        workspace = settings.dagster_home / "workspace.yaml"
        write_workspace(workspace, shown)
        with children(environment, lock, signals) as started:
            if _start(started, shown, address, workspace, signals):
                say(f"ready: {address.url}")
            while not signals.asked.wait(LOOK_S):
                started.check()
                _report(follower)
    say("ended")


def _is_empty(settings: Settings) -> bool:
    """Whether nobody has uploaded anything to a home that has its uploads itself."""
    return settings.inbox == "folder" and not any(wiring.inbox(settings).arrivals())


def _start(
    started: Children,
    shown: Sequence[Location],
    address: Address,
    workspace: Path,
    signals: Signals,
) -> bool:
    """Starts the code servers, then what asks them; whether the webserver answers by now."""
    for location in shown:
        started.start(location.server, location.command)
    for location in shown:
        if not started.wait(location.is_served, signals):
            return False
        started.is_proxy(location.server)
    words = ["--workspace", str(workspace), "--code-server-log-level", "warning"]
    listens = ["--host", address.host, "--port", str(address.port)]
    web = ["dagster-webserver", *listens, "--dagster-log-level", "warning", *words]
    started.start("webserver", web)
    started.start("daemon", ["dagster-daemon", "run", "--log-level", "warning", *words])
    return started.wait(address.answers, signals)


def _follower(settings: Settings) -> Follower:
    """Makes Dagster's databases too, where there are none: two processes at once would collide."""
    import dagster as dg

    from crypto_assets.ui.follow import Follower

    instance = dg.DagsterInstance.from_config(str(settings.dagster_home))
    return Follower(instance, wiring.registries(settings), wiring.outcomes(settings))


def _report(follower: Follower) -> None:
    try:
        for line in follower.news():
            say(line)
    except Exception as error:  # noqa: BLE001 - a log that cannot be read ends no server
        say(f"the records of runs cannot be read: {error!r}".partition("\n")[0])
