"""One address for all of AWS: requests go on to ministack or to a double of ours, and are counted.

On request it answers with an error instead, drops the connection before or after a request was
carried out, or holds a request back. How a request is read is `request`.
What a service does is not here, except the conditions of S3 that a store does not know: ministack
knows none on copies, others none at all (`conditions`).
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

import pytest

from crypto_assets_tests.doubles.conditions import is_conditional, refusal, signed
from crypto_assets_tests.doubles.request import Seen, request_of, shown
from crypto_assets_tests.helpers.waiting import HANG_S

# How the services that answer in XML wrap an error; the others answer in JSON.
_XML = {
    "s3": "{}",
    **dict.fromkeys(("cloudformation", "iam", "sns"), "<ErrorResponse>{}</ErrorResponse>"),
    "ec2": "<Response><Errors>{}</Errors></Response>",
}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length"}


@dataclass
class Fault:
    """What the next `times` requests of a kind get instead of their answer.

    With `release` they get their answer, once that is set.
    """

    service: str
    times: int
    status: int = 500
    code: str = "InternalError"
    body: bytes = b""
    drop: Literal["before", "within", "after"] | None = None
    release: threading.Event | None = None
    method: str = ".*"
    path: str = ".*"
    operation: str = ".*"

    def meets(self, seen: Seen) -> bool:
        return (
            self.times > 0
            and self.service == seen.service
            and all(
                re.fullmatch(getattr(self, name), getattr(seen, name))
                for name in ("method", "path", "operation")
            )
        )


@dataclass(frozen=True)
class Answer:
    """A response; `length` is what a HEAD says of a body that does not follow."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    length: str | None = None


@dataclass
class Router:
    """Where requests go and what was seen of them.

    With `keys` (access key and secret) the upstream is no AWS: the router judges the conditions of
    all writes, sends on what meets them without them, and shows nobody what was asked.
    """

    upstream: str
    doubles: Mapping[str, str]
    keys: tuple[str, str] | None = None
    url: str = ""
    requests: list[Seen] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _writing: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def fail(self, service: str, times: int = 1, **kind: str | int | bytes) -> Fault:
        """Fails the next requests of a service: `status` and `code`, or `drop` "before" or "after".

        `drop` "within" cuts the answer in half; `body` is answered in the place of an error's.
        `method`, `path` and `operation` narrow it by regular expressions that match in full.
        """
        fault = Fault(service, times, **kind)
        self.faults.append(fault)
        return fault

    def hold(self, service: str, **kind: str) -> Fault:
        """Holds back the next request of a kind until `release` is set; `times` is then nought."""
        fault = Fault(service, 1, release=threading.Event(), **kind)
        self.faults.append(fault)
        return fault

    def count(self, service: str, method: str = ".*", path: str = ".*") -> int:
        """How many requests of this service, method and path (regular expressions) were seen."""
        return sum(
            seen.service == service
            and bool(re.fullmatch(method, seen.method))
            and bool(re.fullmatch(path, seen.path))
            for seen in list(self.requests)
        )

    def operations(self, service: str) -> Counter[str]:
        """Requests of this service by operation, or by method where the protocol is REST."""
        return Counter(
            seen.operation or seen.method for seen in list(self.requests) if seen.service == service
        )

    def forget(self) -> None:
        """Counts from nought again, without faults."""
        with self._lock:
            self.requests.clear()
            self.faults.clear()

    def note(self, seen: Seen) -> Fault | None:
        """Counts a request and takes the fault that is meant for it, if any."""
        with self._lock:
            self.requests.append(seen)
            fault = next((fault for fault in self.faults if fault.meets(seen)), None)
            if fault:
                fault.times -= 1
            return fault

    def target(self, service: str) -> str:
        return self.doubles.get(service, self.upstream)

    @contextmanager
    def writing(self, seen: Seen) -> Iterator[None]:
        """One write of an S3 key at a time, so that a condition still holds when it is met."""
        if seen.service != "s3" or seen.method not in {"PUT", "POST", "DELETE"}:
            yield
            return
        with self._lock:
            lock = self._writing[seen.path]
        with lock:
            yield


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    router: Router

    def setup(self) -> None:
        super().setup()
        self.upstreams: dict[str, http.client.HTTPConnection] = {}

    def finish(self) -> None:
        for connection in self.upstreams.values():
            connection.close()
        with suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client went away
            super().handle()

    def handle_expect_100(self) -> bool:
        """Tells the client to go on at once: it waits for a second otherwise."""
        went_on = super().handle_expect_100()
        self.wfile.flush()
        return went_on

    def _route(self) -> None:
        body = self._body()
        request = request_of(self.command, self.path, self.headers, body)
        seen = (request if self.router.keys else shown(request)).seen
        fault = self.router.note(seen)
        if fault and fault.release:
            fault.release.wait(HANG_S)
            fault = None
        if fault and fault.drop == "before":
            return self._drop()
        if fault and not fault.drop:
            answer = _error(fault.status, fault.code, seen)
            return self._send(replace(answer, body=fault.body or answer.body))
        with self.router.writing(seen):
            answer = self._answer(seen, body)
        if not fault:
            return self._send(answer)
        if fault.drop == "within":
            half = answer.body[: len(answer.body) // 2]
            self._send(replace(answer, body=half, length=str(len(answer.body))))
        return self._drop()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _route  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(chunks)

    def _answer(self, seen: Seen, body: bytes) -> Answer:
        """What the service answers, or the refusal of a write whose condition does not hold."""
        headers = dict(self.headers.items())
        if self._is_judged(seen):
            keys = self.router.keys
            if refused := refusal(self.headers, *self._destination(keys)):
                return _error(*refused, seen)
            if keys:
                headers = self._signed(keys, self.command, headers, body)
        return self._forward(self.command, self.path, headers, body, seen.service)

    def _is_judged(self, seen: Seen) -> bool:
        """Whether it is a write under a condition that the upstream does not know."""
        is_copy = "x-amz-copy-source" in self.headers
        is_write = seen.method == "PUT" and (is_copy or bool(self.router.keys))
        return seen.service == "s3" and is_write and is_conditional(self.headers)

    def _destination(self, keys: tuple[str, str] | None) -> tuple[int, str]:
        """Status and etag of what a write would replace."""
        headers = {"Host": self.headers["Host"]}
        if keys:
            headers = self._signed(keys, "HEAD", headers, b"")
        found = self._forward("HEAD", self.path, headers, b"", "s3")
        return found.status, next((v for k, v in found.headers if k.lower() == "etag"), "")

    def _signed(
        self, keys: tuple[str, str], method: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        kept = {k: v for k, v in headers.items() if k.lower() not in _HOP_BY_HOP}
        return signed(keys, method, self.router.upstream + self.path, kept, body)

    def _forward(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, service: str
    ) -> Answer:
        target = self.router.target(service)
        kept = {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
        kept["Content-Length"] = str(len(body))
        for reused in (target in self.upstreams, False):
            connection = self.upstreams.get(target) or _connect(target)
            try:
                connection.request(method, path, body, kept)
                response = connection.getresponse()
                content = response.read()
            except (http.client.RemoteDisconnected, ConnectionError, TimeoutError):
                connection.close()
                self.upstreams.pop(target, None)
                if not reused:  # a kept connection may have been closed in the meantime
                    return _error(502, "BadGateway", Seen(service, method, path))
                continue
            self.upstreams[target] = connection
            length = response.getheader("Content-Length") if method == "HEAD" else None
            sent = tuple((k, v) for k, v in response.getheaders() if k.lower() not in _HOP_BY_HOP)
            return Answer(response.status, sent, content, length)
        raise AssertionError(target)

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != http.client.NO_CONTENT:
            self.send_header("Content-Length", answer.length or str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _drop(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Says nothing: what was asked is in `Router.requests`."""


def _connect(target: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(urlsplit(target).netloc, timeout=HANG_S)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _error(status: int, code: str, seen: Seen) -> Answer:
    """An error in the form of the service's protocol."""
    message = "made by the router of the tests"
    if wrapped := _XML.get(seen.service):
        inner = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        text, kind = wrapped.format(inner), "application/xml"
    else:
        text, kind = json.dumps({"__type": code, "message": message}), "application/json"
    body = b"" if seen.method == "HEAD" else text.encode()
    return Answer(status, (("Content-Type", kind), ("x-amzn-ErrorType", code)), body)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    block_on_close = False


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serves on a free loopback port as long as the block lasts; gives the address."""
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def await_held(patch: pytest.MonkeyPatch) -> None:
    """Lets boto3 wait for requests that are held back: after a minute it would send others."""
    from botocore.config import Config

    patch.setitem(Config.OPTION_DEFAULTS, "read_timeout", HANG_S)


@contextmanager
def routing(
    upstream: str,
    doubles: Mapping[str, str] | None = None,
    keys: tuple[str, str] | None = None,
) -> Iterator[Router]:
    """A router in front of `upstream`; `doubles` are addresses by signing name of the service.

    `keys` are those of a store that knows no conditions, see `Router`.
    """
    router = Router(upstream, doubles or {}, keys)
    with serving(type("Handler", (_Handler,), {"router": router})) as url:
        router.url = url
        yield router
