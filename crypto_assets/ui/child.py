"""What the webserver and the daemon begin as: `python -P -m crypto_assets.ui.child NAME ...`.

Each leads a session of its own, so that all it starts can be ended together, and watches its
standard input: only `ui` holds the other end, so that it closes whatever `ui` dies of.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from importlib.metadata import entry_points


def main() -> None:
    """Runs one of Dagster's own commands with the rest of the words."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    name = sys.argv.pop(1)
    if name == "dagster-webserver":
        _guard()
    (command,) = entry_points(group="console_scripts", name=name)
    sys.argv[0] = name
    command.load()()


def _end_with_parent() -> None:
    """Kills the own process group once `ui` is gone: nobody is left to end them in order."""
    while os.read(sys.stdin.fileno(), 1):
        continue
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _guard() -> None:
    """Puts the guard in front of every webserver that is made in this process."""
    from dagster_webserver.webserver import DagsterWebserver
    from starlette.middleware import Middleware

    from crypto_assets.resources.settings import Settings
    from crypto_assets.ui.guard import Guard

    hosts, of_dagster = Settings().ui_hosts, DagsterWebserver.build_middleware

    def guarded(server: DagsterWebserver) -> list[Middleware]:
        return [Middleware(Guard, hosts=hosts), *of_dagster(server)]

    DagsterWebserver.build_middleware = guarded  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    main()
