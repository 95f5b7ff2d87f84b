"""A collector of OpenTelemetry's metrics on loopback, which reads what it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

Point = tuple[str, frozenset[tuple[str, str]]]  # a metric's name and the attributes of a value


@dataclass
class Collector:
    """What came: the requests, in order, and the headers of each.

    Each is answered with `status`. Without one the collector takes a request and is silent until
    it is `released`; `trickles` says that it sends a byte of an endless answer now and then.
    """

    url: str
    status: int | None = 200
    trickles: bool = False
    requests: list[ExportMetricsServiceRequest] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def metrics(self) -> list[Metric]:
        return [
            metric
            for request in self.requests
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]

    @property
    def resource(self) -> dict[str, str]:
        """The attributes of whom the last metrics are of."""
        (sent,) = self.requests[-1].resource_metrics
        return {each.key: each.value.string_value for each in sent.resource.attributes}

    def values(self) -> dict[Point, float]:
        """The sum of each counter and the last value of each gauge, by its attributes."""
        found: dict[Point, float] = {}
        for metric in self.metrics:
            counts = metric.HasField("sum")
            for point in (metric.sum if counts else metric.gauge).data_points:
                words = frozenset((a.key, a.value.string_value) for a in point.attributes)
                before = found.get((metric.name, words), 0) if counts else 0
                value = point.as_double if point.HasField("as_double") else point.as_int
                found[metric.name, words] = before + value
        return found


@contextmanager
def collecting(status: int | None = 200, *, trickles: bool = False) -> Iterator[Collector]:
    """A collector that listens as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.headers.append({k.lower(): v for k, v in self.headers.items()})
            collector.requests.append(ExportMetricsServiceRequest.FromString(body))
            if collector.status is None:
                self._hang()
                return
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _hang(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: " if collector.trickles else b"")
            with suppress(OSError):  # who asked has gone
                while not collector.released.wait(0.1):
                    self.wfile.write(b"x" if collector.trickles else b"")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}", status, trickles)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            collector.released.set()
            server.shutdown()
            thread.join()
