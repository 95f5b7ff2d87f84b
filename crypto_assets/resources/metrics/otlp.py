"""Metrics sent by OpenTelemetry's protocol over HTTP (OTLP), as its own variables say where to.

Imported only where they are wanted: OpenTelemetry is an extra. A collector that is away or slow
costs a run a few seconds at its end and one line of warning, never more.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from threading import Lock, Thread
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk import metrics as sdk
from opentelemetry.sdk.environment_variables import (
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT,
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE,
)
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource

from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.metrics.metrics import (
    DATA_SET,
    ENDED,
    LAYER,
    METRICS,
    OUTCOME,
    QUEUE_AGE,
    REASON,
    ROWS,
    STARTED,
    TIME,
    VERDICT,
    VERDICTS,
    Metrics,
    reason,
    rows_of,
)
from crypto_assets.resources.settings import Settings
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.job_spec import LayerResult, Verdict

LOGGER = logging.getLogger("crypto_assets.metrics")
ANSWER_SECONDS, SEND_SECONDS = 2.0, 3.0
_LOCAL = "http://localhost:4318"  # OpenTelemetry's own default
_NO_SUCCESS = 400  # from here on a status of HTTP is no success


class OtlpMetrics(Metrics):
    """The metrics of this process, sent each minute and when a run ends."""

    def __init__(self, environment: str) -> None:
        self._exporter = _Exporter()
        self._provider = sdk.MeterProvider(
            [PeriodicExportingMetricReader(self._exporter)],
            _resource(environment),
            shutdown_on_exit=False,  # it would wait for a collector that is away
        )
        meter = self._provider.get_meter("crypto_assets")
        make = {"counter": meter.create_counter, "gauge": meter.create_gauge}
        self._made: dict[str, Any] = {
            each.name: make[each.kind](each.name, each.unit, each.holds) for each in METRICS
        }

    @classmethod
    def of(cls, settings: Settings) -> Metrics:
        """Those of this process: it has one reader, which a thread of its own serves.

        Raises `UsageError` if one of OpenTelemetry's variables is wrong.
        """
        try:
            return _of_process(settings.env)
        except ValueError as error:
            raise UsageError(f"setting metrics: OpenTelemetry says: {error}") from error

    def run_started(self, data_set: DataSet) -> None:
        self._made[STARTED.name].add(1, {DATA_SET: data_set.name})

    def run_ended(self, data_set: DataSet, outcome: Literal["succeeded", "failed"]) -> None:
        self._made[ENDED.name].add(1, {DATA_SET: data_set.name, OUTCOME: outcome})

    def layer_made(self, data_set: DataSet, result: LayerResult) -> None:
        of = {DATA_SET: data_set.name, LAYER: result.layer}
        self._made[TIME.name].add(result.seconds, of)
        self._made[ROWS.name].add(sum(rows_of(v) or 0 for v in result.verdicts if v.passed), of)
        counted = Counter(_words(data_set, verdict) for verdict in result.verdicts)
        for words, number in counted.items():
            self._made[VERDICTS.name].add(number, {**of, **dict(words)})

    def queue_looked_at(self, age: float) -> None:
        self._made[QUEUE_AGE.name].set(age)

    def send(self) -> None:
        if not _ends(self._provider.force_flush):
            self._exporter.warn()

    def check(self) -> str:
        if not _ends(lambda: self._exporter.export(MetricsData([]))) or not self._exporter.sent:
            raise UsageError(
                f"otlp: {self._exporter.problem}: start a collector there, or set "
                f"{OTEL_EXPORTER_OTLP_ENDPOINT}"
            )
        return f"otlp: {self._exporter.place} takes them"


class _Exporter(OTLPMetricExporter):
    """Sends within `ANSWER_SECONDS`; warns once, in one line, until it works again.

    The library's own messages may show the address with what is secret in it.
    """

    def __init__(self) -> None:
        self.place, self.sent = _place(), False
        self._warned, self._status, self._warning = False, 0, Lock()
        # By a filter: Dagster's own setting up of logging enables what is disabled.
        logging.getLogger(OTLPMetricExporter.__module__).addFilter(_nothing)
        session = requests.Session()
        session.hooks["response"].append(self._answered)
        super().__init__(
            session=session, timeout=ANSWER_SECONDS, preferred_temporality=_temporality()
        )

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = None, **options: Any
    ) -> MetricExportResult:
        self.sent, self._status = False, 0
        result = super().export(metrics_data, timeout_millis, **options)
        self.sent = result is MetricExportResult.SUCCESS
        if not self.sent:
            self.warn()
        self._warned = not self.sent
        return result

    def warn(self) -> None:
        """Says in the log that metrics were lost, unless it was said before."""
        with self._warning:  # whoever waits for the sending may warn too
            if not self._warned:
                LOGGER.warning("metrics were not sent: %s", self.problem)
            self._warned = True

    @property
    def problem(self) -> str:
        """Why the last metrics were not sent."""
        if self._status >= _NO_SUCCESS:
            return f"{self.place} refuses them with HTTP status {self._status}"
        return f"{self.place} does not answer within {ANSWER_SECONDS:.0f} s"

    def _answered(self, response: requests.Response, **_: Any) -> None:
        self._status = response.status_code


def _nothing(record: logging.LogRecord) -> bool:  # noqa: ARG001 - of no record
    return False


@cache
def _of_process(environment: str) -> OtlpMetrics:
    return OtlpMetrics(environment)


def _resource(environment: str) -> Resource:
    """Whose metrics these are; `OTEL_RESOURCE_ATTRIBUTES` adds to it.

    Without an id of the process: each run is a process, and would be series of its own.
    """
    named = {"service.name": "crypto-assets", "service.version": version("crypto-assets")}
    if environment:
        named["deployment.environment.name"] = environment
    return Resource(named).merge(OTELResourceDetector().detect())


def _temporality() -> dict[type, AggregationTemporality] | None:
    """Counts since the last time: a run ends before a total of its process would mean anything."""
    if os.environ.get(OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE):
        return None
    return {sdk.Counter: AggregationTemporality.DELTA}


def _place() -> str:
    """Where the metrics go, without what may be secret: user, password, path and query."""
    names = (OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT)
    parts = urlsplit(next(filter(None, map(os.environ.get, names)), _LOCAL))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _words(data_set: DataSet, verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """The attributes that say how the verdict is."""
    if verdict.passed:
        return ((VERDICT, "passed"),)
    word = "superseded" if verdict.superseded_by else "failed"
    return (VERDICT, word), (REASON, reason(data_set, verdict))


def _ends(work: Callable[[], object]) -> bool:
    """Whether this ends in `SEND_SECONDS`: an answer that trickles in has no end of its own."""
    sender = Thread(target=work, name="metrics", daemon=True)
    sender.start()
    sender.join(SEND_SECONDS)
    return not sender.is_alive()
