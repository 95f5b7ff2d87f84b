"""The graph as Dagster sees it, and how fast it loads."""

from __future__ import annotations

import inspect
import subprocess
import sys

import dagster as dg
import pytest

from crypto_assets.definitions import defs_of
from crypto_assets.defs.partitions import contiguous
from crypto_assets.resources.settings import read_settings

LAYERS = ["bronze", "silver", "gold", "warehouse"]


LOADING = """
import time; started = time.monotonic()
import sys, socket
socket.socket.connect = None
from crypto_assets.definitions import defs
defs.resolve_job_def("refresh_currencies")
heavy = {"pyspark", "pysail", "pandas", "pyarrow", "duckdb", "boto3", "py4j"}
print(time.monotonic() - started, *sorted(heavy & set(sys.modules)))
"""


def loaded() -> tuple[float, list[str]]:
    """The seconds that a process takes to load the definitions, and its heavy modules."""
    done = subprocess.run(
        [sys.executable, "-c", LOADING], capture_output=True, text=True, check=True
    )
    seconds, *heavy = done.stdout.split()
    return float(seconds), heavy


@pytest.mark.parametrize("profile", ["local", "aws"])
def test_loading_definitions_imports_no_engine_and_no_cloud_client_and_connects_to_nothing(
    home, monkeypatch, profile
):
    monkeypatch.setenv("CRYPTO_ASSETS_PROFILE", profile)
    for name in ("INBOX", "LAKE", "REDSHIFT_WORKGROUP"):
        monkeypatch.setenv(f"CRYPTO_ASSETS_AWS_{name}", "s3://bucket/folder")
    assert loaded()[1] == []


@pytest.mark.slow
def test_loading_definitions_takes_less_than_two_seconds(home):
    """A figure of a machine that does nothing else; the best of three."""
    assert min(loaded()[0] for _ in range(3)) < 2


def test_the_definitions_are_whole_as_a_code_server_wants_them(settings):
    dg.Definitions.validate_loadable(defs_of(settings))


def test_they_can_be_merged_into_a_code_location_of_ones_own(home):
    from crypto_assets.definitions import defs

    @dg.asset(deps=["gold"])
    def mine() -> None: ...

    merged = dg.Definitions.merge(defs, dg.Definitions(assets=[mine]))
    graph = merged.resolve_asset_graph()
    assert graph.get(dg.AssetKey("mine")).parent_keys == {dg.AssetKey("gold")}
    assert merged.resolve_job_def("refresh_currencies")


def test_dagster_finds_them_in_the_module_and_they_are_made_once(home):
    from crypto_assets import definitions

    # As a code server looks for what it serves.
    found = inspect.getmembers(definitions, lambda value: isinstance(value, dg.Definitions))
    assert found == [("defs", definitions.defs)]
    assert definitions.defs is definitions.defs


def test_importing_the_module_reads_no_settings(home, monkeypatch):
    monkeypatch.setenv("CRYPTO_ASSETS_PROFILE", "mars")
    code = "import crypto_assets.definitions; from crypto_assets.definitions import defs_of"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_layers_follow_each_other_and_are_partitioned_by_ticker(settings):
    graph = defs_of(settings).resolve_asset_graph()
    upstream = {"history_file", "trend_file"}
    for layer in LAYERS:
        node = graph.get(dg.AssetKey(layer))
        assert node.parent_keys == {dg.AssetKey(key) for key in upstream}
        upstream = {layer}
        assert node.partitions_def.name == "ticker"
        assert node.backfill_policy == dg.BackfillPolicy.single_run()
        assert node.code_version
    assert not graph.get(dg.AssetKey("history_file")).is_materializable


def test_scattered_tickers_become_the_fewest_contiguous_stretches():
    ordered = list("ABCDEFG")
    assert list(contiguous(ordered, ["G", "A", "B", "E"])) == [["A", "B"], ["E"], ["G"]]
    assert list(contiguous(ordered, ordered)) == [ordered]
    assert list(contiguous(ordered, ["X"])) == []


def test_every_layer_says_what_its_rows_and_columns_hold_and_where_its_tables_are(home, settings):
    specs = {
        spec.key.to_user_string(): spec for spec in defs_of(settings).resolve_all_asset_specs()
    }
    lake = settings.lake_folder
    assert specs["gold"].metadata["dagster/uri"] == f"{lake}/gold"
    assert specs["silver"].metadata["dagster/uri"] == f"{lake}/silver"
    assert specs["warehouse"].metadata["dagster/table_name"] == "market_data.prices"
    for layer in LAYERS:
        schema = specs[layer].metadata["dagster/column_schema"]
        assert [column.name for column in schema.columns if not column.description] == []
        assert schema.constraints.other
        assert "A row is" in specs[layer].description or "a row is" in specs[layer].description
        (code,) = specs[layer].metadata["dagster/code_references"].code_references
        assert code.file_path.endswith("spark/market_data/job.py")
    columns = specs["silver"].metadata["dagster/column_schema"].columns
    assert [column.name for column in columns] == ["date", "price", "ticker", "g_trend"]


@pytest.mark.parametrize(("value", "there"), [("on", True), ("off", False)])
def test_the_checks_of_currencies_can_be_left_away(home, monkeypatch, value, there):
    monkeypatch.setenv("CRYPTO_ASSETS_CHECKS", value)
    defs = defs_of(read_settings())
    gold = defs.resolve_job_def("refresh_currencies").asset_layer.get(dg.AssetKey("gold"))
    assert bool(gold.check_keys) == there
    assert ("check_freshness" in {sensor.name for sensor in defs.sensors or ()}) == there


def test_the_owners_of_the_settings_are_those_of_every_layer(home, monkeypatch):
    monkeypatch.setenv("CRYPTO_ASSETS_OWNERS", "team:data, Anna@example.com")
    of_settings = defs_of(read_settings())
    specs = {spec.key.to_user_string(): spec for spec in of_settings.resolve_all_asset_specs()}
    assert {tuple(specs[layer].owners) for layer in LAYERS} == {("team:data", "anna@example.com")}
