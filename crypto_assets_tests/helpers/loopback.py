"""Ports and answers on loopback, where everything is that the tests talk to."""

from __future__ import annotations

import socket
import urllib.request


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(url: str) -> bool:
    """Whether a server answers at this address."""
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except OSError:
        return False
