"""Which requests the webserver answers: those of this machine's user, not of a web page elsewhere.

Dagster checks neither Host nor Origin, so any page in the user's browser could drive it. `refusal`
has the rules. Nothing here knows Dagster but the path of its GraphQL.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

POLICY_VIOLATION = 1008  # a WebSocket's close code, RFC 6455
_HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:]+)\]|(?P<name>[a-z0-9._-]+))(?::\d+)?")


class Guard:
    """ASGI middleware that answers 403 to what `refusal` names, for HTTP and WebSocket alike."""

    def __init__(self, app: App, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not (reason := refusal(scope, self._hosts)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": f"{reason}\n".encode()})


def refusal(scope: Message, hosts: Collection[str]) -> str:
    """Why this request is refused, in one sentence; empty if it is answered.

    Host must be a loopback name or one of `hosts`, at any port: a page that rebinds its own name to
    127.0.0.1 sends that name. Origin, if sent, must be the Host. Sec-Fetch-Site must not name
    another site. GraphQL comes by POST only, since a GET needs no Origin and may be a mutation.
    """
    host, origin = _header(scope, b"host"), _header(scope, b"origin")
    if not _is_ours(host, hosts):
        return f"The host {host!r} is not a name of this machine: add it to CRYPTO_ASSETS_UI_HOSTS."
    if origin and urlsplit(origin).netloc != host:
        return "This request comes from another web page, which may not use this one."
    if _header(scope, b"sec-fetch-site") not in {"", "none", "same-origin"}:
        return "This request comes from another web site: type the address into the browser."
    asked = parse_qs(scope["query_string"].decode("latin-1"))
    if scope["path"] == "/graphql" and scope.get("method") == "GET" and "query" in asked:
        return "GraphQL queries are answered by POST only."
    return ""


def is_loopback(name: str) -> bool:
    """Whether a host name or an address can only mean this machine."""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_ours(host: str, hosts: Collection[str]) -> bool:
    found = _HOST.fullmatch(host)
    name = str(found["address"] or found["name"]) if found else ""
    return is_loopback(name) or name in hosts


def _header(scope: Message, name: bytes) -> str:
    """The value of a header in lower case; several come joined, which no rule allows."""
    found = [value for header, value in scope["headers"] if header == name]
    return b", ".join(found).decode("latin-1").lower()
