"""The code locations that a `ui` shows, each with a code server that webserver and daemon share.

Servers of their own would be twice as many, and the daemon would start its one anew every minute.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import crypto_assets
from crypto_assets.resources.storage.files import write_atomically

DEFINITIONS = "crypto_assets.definitions"


@dataclass(frozen=True)
class Location:
    """A code location by the name that Dagster shows; `socket` is where its code server listens.

    `loads` are Dagster's words for what it loads, `folder` is where that may import from: Dagster
    would take the working directory.
    """

    name: str
    loads: tuple[str, str]
    folder: Path
    socket: Path

    @property
    def server(self) -> str:
        """What a message calls its code server."""
        return f"code server of {self.name}"

    @property
    def command(self) -> list[str]:
        """The command that starts the code server; it listens once it has loaded its code.

        It is a proxy of a process that has the code, so that the UI can load the code anew.
        """
        return [
            *("dagster", "code-server", "start", "--log-level", "warning"),
            *("--socket", str(self.socket), "--location-name", self.name),
            *(*self.loads, "--working-directory", str(self.folder)),
        ]

    def is_served(self) -> bool:
        with socket.socket(socket.AF_UNIX) as trial:
            return trial.connect_ex(str(self.socket)) == 0


def locations(files: Sequence[Path], sockets: Path) -> list[Location]:
    """Ours and one for each file of the user's; their sockets are put into that folder."""
    (package,) = crypto_assets.__path__
    loads = ("--module-name", DEFINITIONS)
    found = [Location(DEFINITIONS, loads, Path(package).parent, sockets / "0")]
    for number, path in enumerate(map(Path.absolute, files), start=1):
        loads = ("--python-file", str(path))
        found.append(Location(path.name, loads, path.parent, sockets / str(number)))
    return found


def write_workspace(path: Path, those: Sequence[Location]) -> None:
    """Writes the file from which webserver and daemon know the code servers; JSON is YAML."""
    servers = [
        {"grpc_server": {"socket": str(each.socket), "location_name": each.name}} for each in those
    ]
    write_atomically(path, json.dumps({"load_from": servers}).encode())
