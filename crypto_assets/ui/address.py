"""Where the webserver listens: whether that is free, and whether somebody answers there."""

from __future__ import annotations

import http.client
import socket
from contextlib import suppress
from dataclasses import dataclass

import psutil

from crypto_assets.resources.errors import BusyError

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - and where to ask such a server


@dataclass(frozen=True)
class Address:
    """A host name or address, and a port."""

    host: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def answers(self) -> bool:
        """Whether a webserver answers here."""
        host = _EVERYWHERE.get(self.host, self.host)
        connection = http.client.HTTPConnection(host, self.port, timeout=10)
        try:
            connection.request("GET", "/server_info", headers={"Host": "localhost"})
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def check_free(self) -> None:
        """Raises `BusyError` at once if something listens here, with its process id."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the webserver will
            try:
                trial.bind(place)
            except OSError as error:
                raise BusyError(
                    f"{self.url}: {error.strerror}{self._listener()}: name another --port"
                ) from error

    def _listener(self) -> str:
        """Who listens here, as far as this user may know."""
        with suppress(psutil.Error):
            for connection in psutil.net_connections("tcp"):
                listens = connection.status == psutil.CONN_LISTEN
                if listens and connection.laddr.port == self.port and connection.pid:
                    return f", already running there is process {connection.pid}"
        return ""
