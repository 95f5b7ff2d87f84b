"""An event as a row of the event log: the same as Dagster's own storage writes, to the letter."""

from __future__ import annotations

import logging
import warnings
from enum import StrEnum

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._serdes import serialize_value, whitelist_for_serdes

from crypto_assets.event_log.rows import row_of, serialized

SCHEMA = dg.TableSchema([dg.TableColumn("date", "date", constraints=dg.TableColumnConstraints())])
METADATA = {
    "text": "a \"b\" ü \ud83d\ude00 \x00 'c'",
    "int": 3,
    "float": 0.1,
    "infinite": float("inf"),
    "flag": True,
    "none": dg.MetadataValue.null(),
    "json": {"b": [1, {"c": None}], "a": 1.5},
    "md": dg.MetadataValue.md("*x*"),
    "url": dg.MetadataValue.url("https://example.com"),
    "path": dg.MetadataValue.path("/a/b"),
    "asset": dg.MetadataValue.asset(dg.AssetKey(["a", "b"])),
    "time": dg.MetadataValue.timestamp(1.5),
    "table": dg.MetadataValue.table([dg.TableRecord({"date": "2026-01-01"})], schema=SCHEMA),
    "dagster/column_schema": SCHEMA,
}


@whitelist_for_serdes
class Verdict(StrEnum):
    PASS = "PASS"


@whitelist_for_serdes
class Vote(StrEnum):
    """Another list, with a word that is also in the first."""

    PASS = "PASS"


@pytest.fixture(autouse=True)
def _of_the_pinned_version():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        yield


def events() -> list[EventLogEntry]:
    """What a run of assets of each kind stores, and what is reported outside of runs."""

    @dg.multi_asset(
        specs=[dg.AssetSpec("made", skippable=True), dg.AssetSpec("seen", skippable=True)],
        partitions_def=dg.StaticPartitionsDefinition(["A", "B"]),
    )
    def both(context):
        tags = {"dagster/data_version": "1", "own": ""}
        made = dg.AssetMaterialization("made", "", METADATA, "A", tags)
        context.log_event(made)
        context.log_event(dg.AssetObservation("seen", partition="B", metadata=METADATA))
        raise dg.Failure("x", metadata=METADATA)

    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize([both], instance=instance, partition_key="A", raise_on_error=False)
        instance.report_runless_asset_event(dg.AssetMaterialization("made", metadata=METADATA))
        stored = [instance.all_logs(run.run_id), instance.all_logs("")]
    return [event for found in stored for event in found]


def test_every_event_of_a_run_is_written_as_dagster_writes_it():
    found = events()
    kinds = {event.dagster_event_type for event in found}
    assert {dg.DagsterEventType.ASSET_OBSERVATION, dg.DagsterEventType.STEP_FAILURE} < kinds
    for event in found:
        assert serialized(event) == serialize_value(event)


def test_the_row_of_an_asset_event_is_that_of_dagsters_storage(tmp_path):
    stock = SqliteEventLogStorage(str(tmp_path))
    asset_events = [event for event in events() if event.dagster_event.asset_key]
    assert len(asset_events) >= 5  # two are planned, two are logged, one is reported
    for event in asset_events:
        row = dict(stock._event_to_row(event))
        del row["timestamp"]
        assert row_of(event) == row


def test_an_event_without_a_key_or_a_partition_has_none_in_its_row():
    data = StepMaterializationData(dg.AssetMaterialization("a", partition=""))
    happened = DagsterEvent("ASSET_MATERIALIZATION", "job", event_specific_data=data)
    event = EventLogEntry(None, logging.INFO, "", "run", 1.0, dagster_event=happened)
    assert row_of(event)["partition"] is None


def test_the_same_word_of_two_lists_is_written_with_the_name_of_its_own():
    words = [Vote.PASS, Verdict.PASS]
    assert words[0] == words[1]
    assert serialized(words) == serialize_value(words)
