"""Metrics of real runs as a collector on loopback reads them; one that is away harms nobody."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from importlib.metadata import version

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA as DELTA

from crypto_assets.resources import wiring
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.metrics import otlp
from crypto_assets.resources.metrics.metrics import METRICS
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.collector import collecting
from crypto_assets_tests.helpers.loopback import free_port
from crypto_assets_tests.helpers.new_process import in_a_new_process
from crypto_assets_tests.helpers.processes import COMMAND
from crypto_assets_tests.helpers.sensor_desk import SensorDesk
from crypto_assets_tests.helpers.waiting import HANG_S

BAD = {12: "n.a. see mail"}  # a line that no history has
OF = "crypto_assets"
SECRET = "hunter2"


@pytest.fixture
def to(home, monkeypatch):
    """Turns metrics on and names their collector; gives the settings then.

    Each call begins as a process does.
    """

    def point(url: str) -> Settings:
        otlp._of_process.cache_clear()
        monkeypatch.setenv("CRYPTO_ASSETS_METRICS", "otlp")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", str(1000 * HANG_S))
        return Settings()

    for name in ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    yield point
    otlp._of_process.cache_clear()


def words(*of: str) -> frozenset[tuple[str, str]]:
    """Attributes from `name=value`, without what all names begin with."""
    pairs = (each.split("=") for each in of)
    return frozenset((f"{OF}.{name}", value) for name, value in pairs)


@pytest.fixture
def two(add):
    """BTC, which is good, and ETH, whose history has a line that nobody can read."""
    add("BTC")
    add("ETH", cells=BAD)


def test_a_run_of_two_currencies_of_which_one_is_bad_is_counted_by_verdict_and_reason(to, two, run):
    with collecting() as collector:
        to(collector.url)
        assert run("materialize", "--all")[0] == 1
    sent = collector.values()
    data_set = "data_set=market_data"
    assert sent[f"{OF}.run.started", words(data_set)] == 1
    assert sent[f"{OF}.run.ended", words(data_set, "outcome=failed")] == 1
    verdicts = {what: number for (name, what), number in sent.items() if "verdicts" in name}
    assert verdicts == {
        words(data_set, "layer=bronze", "verdict=passed"): 1,
        words(data_set, "layer=bronze", "verdict=failed", "reason=upload"): 1,
        words(data_set, "layer=silver", "verdict=passed"): 1,
        words(data_set, "layer=gold", "verdict=passed"): 1,
        words(data_set, "layer=warehouse", "verdict=passed"): 1,
    }
    layers = ("bronze", "silver", "gold", "warehouse")
    rows = [sent[f"{OF}.layer.rows", words(data_set, f"layer={layer}")] for layer in layers]
    assert rows == [51, 47, 41, 41]
    assert all(sent[f"{OF}.layer.time", words(data_set, f"layer={layer}")] > 0 for layer in layers)


def test_what_is_sent_is_named_and_measured_in_the_units_that_the_page_lists(to, two, run):
    with collecting() as collector:
        chosen = to(collector.url)
        run("materialize", "--all")
        with open_instance(chosen) as instance:
            SensorDesk(chosen, instance).tick()
        wiring.metrics(chosen).send()
    sent = {metric.name: metric for metric in collector.metrics}
    assert {name: (m.unit, m.description) for name, m in sent.items()} == {
        each.name: (each.unit, each.holds) for each in METRICS
    }
    for each in METRICS:
        metric = sent[each.name]
        assert metric.HasField("sum" if each.kind == "counter" else "gauge")
        points = (metric.sum if each.kind == "counter" else metric.gauge).data_points
        named = {attribute.key for point in points for attribute in point.attributes}
        assert named <= set(each.attributes)
    assert sent[f"{OF}.run.started"].sum.aggregation_temporality == DELTA


def test_a_run_that_succeeds_is_counted_and_the_next_one_counts_from_nothing(to, add, run):
    add("BTC")
    with collecting() as collector:
        to(collector.url)
        for _ in range(2):
            assert run("materialize", "BTC")[0] == 0
    ended = [m.sum.data_points[0].as_int for m in collector.metrics if m.name.endswith("ended")]
    assert ended == [1, 1]


def test_whose_the_metrics_are_is_the_product_the_environment_and_what_its_owner_adds(
    to, monkeypatch
):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=data")
    with collecting() as collector:
        to(collector.url)
        metrics = wiring.metrics(Settings(env="blue"))
        metrics.queue_looked_at(1.0)
        metrics.send()
    assert collector.resource == {
        "service.name": "crypto-assets",
        "service.version": version("crypto-assets"),
        "deployment.environment.name": "blue",
        "team": "data",
    }


def test_the_age_of_the_queue_is_that_of_the_oldest_upload_nobody_has_decided_on(to, settings):
    with collecting() as collector, open_instance(settings) as instance:
        desk = SensorDesk(to(collector.url), instance)
        desk.deliver_pair("BTC")
        arrived = min(each.arrived for each in wiring.inbox(desk.settings).arrivals())
        before = time.time() - arrived
        desk.tick()
        after = time.time() - arrived
        metrics = wiring.metrics(desk.settings)
        metrics.send()
        assert before <= collector.values()[f"{OF}.queue.age", words()] <= after
        desk.tick()
        metrics.send()
        assert collector.values()[f"{OF}.queue.age", words()] == 0


@pytest.mark.parametrize("how", [{}, {"trickles": True}])
def test_a_collector_that_hangs_neither_fails_nor_holds_up_a_run_and_is_one_line(
    to, two, run, caplog, how
):
    with collecting(None, **how) as collector:  # it is released when the run has ended
        to(collector.url)
        assert run("materialize", "--all")[0] == 1
        assert "BTC" in run("status")[1]
    (line,) = warnings(caplog)
    assert line == f"metrics were not sent: {collector.url} does not answer within 2 s"


def test_a_collector_that_is_away_fails_no_run_and_is_one_line(to, two):
    place = f"127.0.0.1:{free_port()}"
    to(f"http://user:{SECRET}@{place}/{SECRET}")
    done = subprocess.run(
        [*COMMAND, "materialize", "--all"],
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 1
    assert re.search("^BTC +ok ", done.stdout, re.MULTILINE)
    said = [line for line in done.stderr.splitlines() if line.startswith("crypto-assets: ")]
    assert said == [
        f"crypto-assets: metrics were not sent: http://{place} does not answer within 2 s"
    ]
    assert SECRET not in done.stdout + done.stderr


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of metrics, by us or by OpenTelemetry."""
    ours = ("crypto_assets.metrics", "opentelemetry")
    return [record.getMessage() for record in caplog.records if record.name.startswith(ours)]


def test_what_was_said_once_is_said_again_only_after_it_worked(to, caplog):
    with collecting() as collector:
        metrics = wiring.metrics(to(collector.url))
        for status in (400, 400, 200, 400):
            collector.status = status
            metrics.queue_looked_at(1.0)
            metrics.send()
    assert (
        warnings(caplog)
        == [f"metrics were not sent: {collector.url} refuses them with HTTP status 400"] * 2
    )


@pytest.mark.parametrize(
    ("status", "mark", "says"),
    [
        (200, "ok", "otlp: {} takes them"),
        (401, "FIX", "otlp: {} refuses them with HTTP status 401: start a collector there, or "),
        (None, "FIX", "otlp: {} does not answer within 2 s: start a collector there, or set "),
    ],
)
def test_the_doctor_asks_the_collector_and_shows_no_secret(
    to, run, monkeypatch, status, mark, says
):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"api-key={SECRET}")
    with collecting(status) as collector:
        to(collector.url.replace("://", f"://user:{SECRET}@"))
        out = run("doctor")[1]
    (line,) = (line for line in out.splitlines() if " metrics " in line and "setting" not in line)
    assert line.split()[0] == mark
    assert says.format(collector.url) in " ".join(out.split())
    assert SECRET not in out
    assert collector.headers[0]["api-key"] == SECRET


def test_without_opentelemetry_one_line_says_how_to_install_it(to, monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    monkeypatch.delitem(sys.modules, otlp.__name__)
    with pytest.raises(UsageError, match=r"pip install 'crypto-assets\[metrics\]'"):
        wiring.metrics(to("http://127.0.0.1:1"))


def test_a_wrong_variable_of_opentelemetry_is_one_line_too(to, monkeypatch):
    chosen = to("http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "0")
    with pytest.raises(UsageError, match="setting metrics: OpenTelemetry says: interval value 0"):
        wiring.metrics(chosen)


def test_where_metrics_are_off_no_run_and_no_doctor_imports_opentelemetry(two, run):
    for command in (("materialize", "BTC"), ("doctor",)):
        _, imported, _ = in_a_new_process(*command)
        assert "dagster" in imported or command == ("doctor",)
        assert not [name for name in imported if name.startswith("opentelemetry")]


def test_where_metrics_are_on_what_runs_nothing_imports_no_opentelemetry_either(
    to, two, monkeypatch
):
    to("http://127.0.0.1:1")
    for command in (("--help",), ("status",)):
        _, imported, _ = in_a_new_process(*command)
        assert not [name for name in imported if name.startswith("opentelemetry")]
