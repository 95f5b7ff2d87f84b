"""What Dagster records of a batch: states by partition, events, versions, the run's own state."""

from __future__ import annotations

import dagster as dg
import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets.defs.partitions import partitions_named
from crypto_assets.event_log.storage import BatchingSqliteEventLogStorage
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import open_instance

LAYERS = ["bronze", "silver", "gold", "warehouse"]
TICKERS = ["BTC", "BAD", "ETH"]


@pytest.fixture
def instance(home, settings, pair):
    """The instance after a batch of three in which one has a broken line."""
    for ticker in TICKERS:
        cells = {9: "n.a. see mail"} if ticker == "BAD" else {}
        history, trend = pair(ticker, cells=cells)
        words = ["add", ticker, "--history", str(history), "--trend", str(trend), "--force"]
        assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0
    assert CliRunner().invoke(main, ["materialize", "--all"]).exit_code == 1
    with open_instance(settings) as opened:
        yield opened


def latest(instance, layer, ticker):
    selected = dg.AssetRecordsFilter(dg.AssetKey(layer), asset_partitions=[ticker])
    return instance.fetch_materializations(selected, limit=1).records


def test_what_is_published_together_is_recorded_together(home, add, monkeypatch):
    add("BTC")
    stored: list[list[dg.AssetKey | None]] = []
    store = BatchingSqliteEventLogStorage.store_event_batch

    def kept(self: BatchingSqliteEventLogStorage, events: list[dg.EventLogEntry]) -> None:
        stored.append([event.get_dagster_event().asset_key for event in events])
        store(self, events)

    monkeypatch.setattr(BatchingSqliteEventLogStorage, "store_event_batch", kept)
    assert CliRunner().invoke(main, ["materialize", "BTC"]).exit_code == 0
    assert [dg.AssetKey(layer) for layer in ("bronze", "silver", "gold")] in stored


def test_good_partitions_are_green_in_every_layer_and_the_bad_one_red_and_the_run_too(instance):
    partitions = partitions_named("ticker")
    for layer in LAYERS:
        states = instance.get_status_by_partition(dg.AssetKey(layer), TICKERS, partitions)
        assert {ticker: state.value for ticker, state in states.items()} == {
            "BTC": "MATERIALIZED",
            "BAD": "FAILED",
            "ETH": "MATERIALIZED",
        }
    (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert run.job_name == "refresh_currencies"


def test_a_materialization_says_what_was_read_filled_and_dropped_and_from_which_file(instance):
    (record,) = latest(instance, "bronze", "BTC")
    bronze = {k: v.value for k, v in record.asset_materialization.metadata.items()}
    assert bronze["history/file"] == "BTC Historical Data.csv"
    assert (bronze["history/file_lines"], bronze["history/data"]) == (41, 40)
    assert bronze["history/date_format"] == "MM/DD/YYYY"
    (record,) = latest(instance, "silver", "BTC")
    silver = {k: v.value for k, v in record.asset_materialization.metadata.items()}
    assert silver["history/rows"] == 40
    assert (silver["history/missing"], silver["history/dropped_duplicates"]) == (0, 0)
    (record,) = latest(instance, "gold", "BTC")
    gold = {k: v.value for k, v in record.asset_materialization.metadata.items()}
    assert (gold["rows"], gold["first_date"], gold["last_date"]) == (41, "2024-01-21", "2024-03-04")
    assert gold["batch"].endswith(" s for 2")
    assert gold["dagster/partition_row_count"] == 41
    assert gold["last_rows"].splitlines()[2].startswith("| 2024-03-04 |")
    assert gold["chart"].startswith("![price (blue)")
    assert len(record.asset_materialization.tags["dagster/data_version"]) == 16


def test_what_is_only_shown_is_not_kept_in_the_home(settings, instance):
    kept = wiring.outcomes(settings).layers("market_data", ["BTC"], {"gold": ""})["BTC"]["gold"]
    assert kept.measures["rows"] == 41
    assert not {"chart", "last_rows"} & kept.measures.keys()


def test_the_failed_run_names_its_tickers_and_has_a_table_of_what_failed_why_and_what_to_do(
    instance,
):
    (run,) = instance.get_runs()
    assert run.tags["tickers"] == "BTC, BAD, ETH"
    (record,) = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE
    ).records
    failure = record.event_log_entry.dagster_event.step_failure_data.user_failure_data
    assert failure.metadata["failed"].value == 1
    (row,) = (each.data for each in failure.metadata["failures"].records)
    assert row == {
        "ticker": "BAD",
        "layer": "bronze",
        "problem": "BAD Historical Data.csv: line 9: not a price: 'n.a. see mail'",
        "cure": "upload a file that is right, as the problem says; it is computed by itself then",
    }


def test_the_failure_is_an_observation_on_the_layer_where_it_broke(instance):
    selected = dg.AssetRecordsFilter(dg.AssetKey("bronze"), asset_partitions=["BAD"])
    (record,) = instance.fetch_observations(selected, limit=10).records
    problem = record.event_log_entry.asset_observation.metadata["problem"].value
    assert problem == "BAD Historical Data.csv: line 9: not a price: 'n.a. see mail'"
    assert latest(instance, "bronze", "BAD") == []


def test_uploads_are_reported_with_their_content_as_version(instance):
    (record,) = latest(instance, "history_file", "ETH")
    made = record.asset_materialization
    assert made.metadata["file"].value == "ETH Historical Data.csv"
    assert len(made.tags["dagster/data_version"]) == 64


def test_no_pool_slot_stays_taken(instance):
    assert instance.event_log_storage.get_concurrency_info("spark").active_slot_count == 0
