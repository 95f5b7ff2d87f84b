"""Where engine `spark` runs, and what of it is never shown."""

from __future__ import annotations

import socket

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.doctor.doctor import examine
from crypto_assets.resources.engine.spark import SparkEngine
from crypto_assets.resources.errors import BusyError, UsageError
from crypto_assets.resources.settings import read_settings


def test_what_spark_is_told_is_a_table_of_dotted_names(home, tmp_path, monkeypatch):
    (tmp_path / "crypto_assets.toml").write_text(
        '[spark_conf]\nspark.executor.memory = "4g"\n"spark.a" = true\n'
    )
    conf = {"spark.executor.memory": "4g", "spark.a": "true"}
    assert read_settings().spark_conf == conf
    monkeypatch.setenv("CRYPTO_ASSETS_SPARK_CONF", '{"spark.b": 1}')
    assert "spark.b" in read_settings().spark_conf


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("SPARK_MASTER", "http://host", "spark://host:7077"),
        ("SPARK_REMOTE", "https://host/;token=hidden", "begins with sc://"),
        ("SPARK_CONF", '{"fs.key": "hidden"}', "fs.key: a name that begins with `spark.`"),
        ("SPARK_CONF", "hidden", "Expecting value"),
    ],
)
def test_a_wrong_setting_of_spark_is_refused_without_showing_a_secret(
    home, monkeypatch, name, value, wanted
):
    monkeypatch.setenv(f"CRYPTO_ASSETS_{name}", value)
    with pytest.raises(UsageError) as refused:
        read_settings()
    assert wanted in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_a_token_is_shown_nowhere(home, monkeypatch):
    monkeypatch.setenv("CRYPTO_ASSETS_SPARK_REMOTE", "sc://host:15002/;token=hidden")
    monkeypatch.setenv("CRYPTO_ASSETS_SPARK_CONF", '{"spark.hadoop.fs.s3a.secret.key": "hidden"}')
    settings = read_settings()
    engine = SparkEngine.of(settings)
    assert engine.remote.endswith("token=hidden")
    shown = [repr(settings), str(dict(settings)["spark_remote"]), repr(engine)]
    shown += [finding.found for finding in examine(settings)]
    assert not [text for text in shown if "hidden" in text]
    assert any("spark.hadoop.fs.s3a.secret.key" in text for text in shown)


def test_what_a_connect_server_computes_has_to_be_in_s3(home, monkeypatch):
    monkeypatch.setenv("CRYPTO_ASSETS_ENGINE", "spark")
    monkeypatch.setenv("CRYPTO_ASSETS_SPARK_REMOTE", "sc://127.0.0.1:1")
    monkeypatch.setenv("CRYPTO_ASSETS_INBOX", "s3")
    with pytest.raises(UsageError, match="set CRYPTO_ASSETS_LAKE to s3"):
        wiring.check(read_settings())


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:9"])
@pytest.mark.parametrize("host", ["127.0.0.1", "nobody.invalid"])
def test_a_cluster_that_does_not_answer_is_reported_at_once(home, monkeypatch, host, proxy):
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.setenv("no_proxy", "")  # what `keep_loopback_direct` sets goes with the test
    monkeypatch.setenv("NO_PROXY", "")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody else gets it, and nobody listens
        place = f"{host}:{silent.getsockname()[1]}"
        for engine in (
            SparkEngine(master=f"spark://{place}"),
            SparkEngine(remote=f"sc://{place}/;token=hidden"),
            SparkEngine(remote=f"sc://{place}"),
        ):
            with pytest.raises(BusyError, match=f"does not answer at {place} ") as refused:
                engine.check()
            assert "hidden" not in str(refused.value)


def test_a_server_that_is_no_spark_is_reported_in_seconds(home):
    with socket.create_server(("127.0.0.1", 0)) as other:
        engine = SparkEngine(remote=f"sc://127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(BusyError, match=r"no answer in 10 s|no connection"):
            engine.check()
