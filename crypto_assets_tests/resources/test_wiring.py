"""The resources that settings choose."""

from __future__ import annotations

import pytest

from crypto_assets.defs.layers import Shown, layer_specs
from crypto_assets.resources import wiring
from crypto_assets.resources.accounts.store import AccountStore
from crypto_assets.resources.engine.engine import Engine
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.metrics.metrics import Metrics
from crypto_assets.resources.notifier.notifier import LogNotifier, Notifier
from crypto_assets.resources.settings import AwsSettings, Settings
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.resources.warehouse.warehouse import Warehouse
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.market_data.data_set import MARKET_DATA

RESOURCES = ("inbox", "lake", "engine", "warehouse", "store", "notifier")
INTERFACES = {
    "inbox": Inbox,
    "lake": Objects,
    "engine": Engine,
    "warehouse": Warehouse,
    "store": AccountStore,
    "notifier": Notifier,
    "metrics": Metrics,
}


@pytest.mark.parametrize(
    ("name", "place"),
    [(name, place) for name, table in wiring.TABLES.items() for place in table.values()],
)
def test_every_word_of_a_setting_names_a_class_that_is_what_the_setting_wants(name, place):
    assert issubclass(wiring.implementation(place), INTERFACES[name])


def words(**settings: object) -> tuple[str, ...]:
    chosen = Settings(**settings)
    return tuple(getattr(chosen, name) for name in RESOURCES)


def test_a_profile_gives_the_defaults_of_the_resources_and_any_of_them_can_be_set(home):
    topic = AwsSettings(topic_arn="arn:aws:sns:eu-central-1:123456789012:notices")
    assert words() == ("folder", "folder", "sail", "duckdb", "duckdb", "log")
    aws = ("s3", "s3", "emr-serverless", "redshift", "dynamodb", "sns")
    assert words(profile="aws", aws=topic) == aws
    assert words(profile="aws") == (*aws[:-1], "log")
    assert words(profile="aws", engine="sail", store="duckdb") == (
        *("s3", "s3", "sail", "redshift", "duckdb", "log"),
    )


def test_a_resource_is_set_by_an_environment_variable_or_the_toml_file(home, tmp_path, monkeypatch):
    monkeypatch.setenv("CRYPTO_ASSETS_LAKE", "s3")
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_LAKE", "s3://bucket/lake")
    (tmp_path / "crypto_assets.toml").write_text('store = "dynamodb"\n[aws]\nregion = "here"\n')
    assert words() == ("folder", "s3", "sail", "duckdb", "dynamodb", "log")
    assert Settings().aws == AwsSettings(lake="s3://bucket/lake", region="here")


def mismatch(name: str, word: str, part: str, storage: str, wanted: str) -> str:
    return (
        f"{name} {word} does not work with {part} {storage}: set CRYPTO_ASSETS_{part.upper()} to "
        f"{wanted}, or CRYPTO_ASSETS_{name.upper()} to another {name}"
    )


EMR = {"engine": "emr-serverless"}
CLUSTER = {"engine": "spark", "spark_master": "spark://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (EMR, mismatch("engine", "emr-serverless", "inbox", "folder", "s3")),
        ({**EMR, "inbox": "s3"}, mismatch("engine", "emr-serverless", "lake", "folder", "s3")),
        (CLUSTER, mismatch("engine", "spark", "inbox", "folder", "s3")),
        ({**CLUSTER, "inbox": "s3"}, mismatch("engine", "spark", "lake", "folder", "s3")),
        ({"warehouse": "redshift"}, mismatch("warehouse", "redshift", "lake", "folder", "s3")),
        ({"store": "redis"}, "setting store: 'redis' is none of duckdb, dynamodb"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_one_line(
    home, run, monkeypatch, settings, problem
):
    for name, word in settings.items():
        monkeypatch.setenv(f"CRYPTO_ASSETS_{name.upper()}", word)
    assert run("status") == (2, "", f"crypto-assets: {problem}\n")
    code, out, _ = run("doctor")
    assert code == 1
    assert f"FIX settings {problem}" in [" ".join(line.split()) for line in out.splitlines()]


@pytest.mark.parametrize(
    ("make", "settings", "problem"),
    [
        (wiring.lake, {}, "a setting is missing: set CRYPTO_ASSETS_AWS_LAKE"),
        (wiring.lake, {"lake": "a/folder"}, "'a/folder' is no S3 URI: set CRYPTO_ASSETS_AWS_LAKE"),
        (
            wiring.engine,
            {"lake": "s3://lake", "emr_application_id": "00f"},
            "a setting is missing: set CRYPTO_ASSETS_AWS_EMR_ROLE_ARN",
        ),
        (
            wiring.warehouse,
            {"lake": "s3://lake"},
            "a setting is missing: set CRYPTO_ASSETS_AWS_REDSHIFT_WORKGROUP",
        ),
    ],
)
def test_a_setting_that_an_implementation_cannot_do_without_is_named(home, make, settings, problem):
    with pytest.raises(UsageError, match=problem):
        make(Settings(profile="aws", aws=AwsSettings(**settings)))


def test_notices_go_to_a_topic_only_if_one_is_named(home):
    with pytest.raises(UsageError, match="a setting is missing: set CRYPTO_ASSETS_AWS_TOPIC_ARN"):
        wiring.notifier(Settings(notifier="sns"))
    assert isinstance(wiring.notifier(Settings(profile="aws")), LogNotifier)


def shown(settings: Settings) -> list[set[str]]:
    """What Dagster shows each layer of both data sets as."""
    return [
        spec.kinds
        for data_set in (MARKET_DATA, ACCOUNTS)
        for spec in layer_specs(data_set, Shown(wiring.kinds(settings)))
    ]


def test_dagster_shows_the_warehouse_and_the_store_that_are_used(home):
    parquet = {"parquet"}
    assert shown(Settings()) == [
        *(parquet, parquet, parquet, {"duckdb"}),
        *(parquet, parquet, {"parquet", "duckdb"}, {"duckdb"}),
    ]
    on_aws = AwsSettings(lake="s3://bucket/lake", redshift_workgroup="analytics")
    assert shown(Settings(profile="aws", aws=on_aws)) == [
        *(parquet, parquet, parquet, {"redshift"}),
        *(parquet, parquet, {"parquet", "redshift"}, {"dynamodb"}),
    ]
