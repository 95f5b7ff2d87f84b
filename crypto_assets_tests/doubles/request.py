"""A request to AWS as a router sees it: whose it is, which service is meant, what is asked.

Service and access key are read from the signature (`…/eu-central-1/emr-serverless/aws4_request`).
Whoever watches sees the requests of all routers. What IAM is asked for them is `iam_calls`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

_SCOPE = re.compile(r"Credential=([^/,]*)[^,]*?/([a-z0-9-]+)/aws4_request")


@dataclass(frozen=True)
class Seen:
    """One request: S3 and EMR Serverless name what they want by method and path, others by name."""

    service: str
    method: str
    path: str
    operation: str = ""


@dataclass(frozen=True)
class Request:
    """All that was asked: `key` is the access key it was signed with, empty if by none.

    The names of `headers` are in lower case; the content of an upload is left out of `body`.
    """

    seen: Seen
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


Watcher = Callable[[Request], None]
_watchers: list[Watcher] = []


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Shows every request that any router gets to `watcher`, as long as the block lasts."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def shown(request: Request) -> Request:
    """The request, after all who watch have seen it."""
    for watcher in _watchers:
        watcher(request)
    return request


def request_of(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Request:
    parts = urlsplit(url)
    asked = parse_qs(parts.query, keep_blank_values=True)
    query = {name: values[0] for name, values in asked.items()}
    signed = headers.get("Authorization") or f"Credential={query.get('X-Amz-Credential', '')}"
    found = _SCOPE.search(signed)
    key, service = found.groups() if found else ("", "")
    form = headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
    action = parse_qs(body.decode(errors="replace")).get("Action", [""])[0] if form else ""
    operation = headers.get("X-Amz-Target", "").rpartition(".")[2] or action
    seen = Seen(service, method, unquote(parts.path), operation)
    uploaded = service == "s3" and method == "PUT"
    lower = {name.lower(): value for name, value in headers.items()}
    return Request(seen, key, query, lower, b"" if uploaded else body)
