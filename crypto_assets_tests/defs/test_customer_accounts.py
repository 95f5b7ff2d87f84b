"""What Dagster records of a snapshot: partitions, events, the check, the notice of a failure."""

from __future__ import annotations

import dagster as dg
import pytest

from crypto_assets.definitions import defs_of
from crypto_assets.defs.launch import launch
from crypto_assets.defs.notices import failures, notice
from crypto_assets.defs.partitions import partitions_named
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.settings import Settings
from crypto_assets.spark.accounts.data_set import ACCOUNTS as DATA_SET

LAYERS = tuple(DATA_SET.layers)
CUSTOMERS = """customer_id,first_name,last_name,gender,state
1,José,O'Brien,male,"Washington, D.C."
2,Ann,Lee,female,New Jerse
"""
ACCOUNTS = """customer_id,account_number,type_of_account,created_at
1,,legacy,2024-01-01T00:00:00.000Z
3,,legacy,
"""


def run(instance, accounts, name):
    """The outcomes of a run of all layers of this snapshot."""
    job = defs_of(Settings()).resolve_job_def("refresh_accounts")
    return list(launch(job, instance, accounts, [name], LAYERS))


@pytest.fixture
def launched(settings):
    """Launches snapshots of these files; gives the instance and the outcomes of the last one."""
    inbox, own = wiring.inbox(settings), wiring.accounts(settings)
    with open_instance(settings) as instance:

        def register_and_run(accounts=ACCOUNTS):
            texts = {"customers": CUSTOMERS, "accounts": accounts}
            files = {kind: inbox.pin(f"{kind}.csv", text.encode()) for kind, text in texts.items()}
            return instance, run(instance, own, own.registry.register(files).partition)

        yield register_and_run


def test_the_layers_follow_each_other_and_are_partitioned_by_snapshot(home):
    graph = defs_of(Settings()).resolve_asset_graph()
    upstream = {"customers_file", "accounts_file"}
    for layer in LAYERS:
        node = graph.get(dg.AssetKey(layer))
        assert node.parent_keys == {dg.AssetKey(key) for key in upstream}
        upstream = {layer}
        assert node.partitions_def.name == "snapshot"
        assert node.code_version != graph.get(dg.AssetKey("bronze")).code_version
    assert not graph.get(dg.AssetKey("customers_file")).is_materializable


def test_a_good_snapshot_is_green_everywhere_with_its_counts_and_the_check_warns(launched):
    instance, (outcome,) = launched()
    assert not outcome.failed
    partitions = partitions_named(DATA_SET.partition)
    for layer in LAYERS:
        key = dg.AssetKey(layer)
        states = instance.get_status_by_partition(key, [outcome.partition], partitions)
        assert [state.value for state in states.values()] == ["MATERIALIZED"]
    table = outcome.passed["customer_accounts"]
    assert (table["rows"], table["accounts_without_customer"]) == (2, 1)
    assert table["customers_without_account"] == 1
    store = outcome.passed["customer_account_store"]
    assert (store["inserted"], store["inserted_such_as"]) == (2, "1legacy, 3legacy")
    assert store["live_before"] == 0
    check = dg.AssetCheckKey(dg.AssetKey("accounts_silver"), "profile")
    (record,) = instance.event_log_storage.get_asset_check_execution_history(check, limit=5)
    result = record.event.asset_check_evaluation
    assert (result.passed, result.severity.value) == (False, "WARN")
    lines = [row.data for row in result.metadata["table"].records]
    nearest = {"what": "misspelt states", "value": "New Jerse (nearest: New Jersey)"}
    assert {"file": "customers", **nearest, "is": "1"} in lines
    (done,) = instance.get_runs()
    assert done.status == dg.DagsterRunStatus.SUCCESS


def test_a_bad_snapshot_is_red_where_it_broke_and_the_notice_says_how_to_go_on(launched):
    instance, (outcome,) = launched(f"{ACCOUNTS}4,,checking,2024-02-30T00:00:00.000Z\n")
    assert list(outcome.problems) == ["accounts_silver"]
    assert list(outcome.passed) == ["accounts_bronze"]
    (failed,) = instance.get_runs()
    assert failed.status == dg.DagsterRunStatus.FAILURE
    subject, text = notice(failed, failures(instance, failed.run_id), "", [DATA_SET])
    assert subject == f"1 snapshot failed in run {failed.run_id}"
    assert "line 4: created_at" in text
    assert "`crypto-assets accounts` tries again" in text


def test_an_older_snapshot_ends_green_and_names_the_newer_one(launched, settings):
    instance, (first,) = launched()
    _, (second,) = launched(f"{ACCOUNTS}4,,trading,\n")
    (again,) = run(instance, wiring.accounts(settings), first.partition)
    assert not again.failed
    assert list(again.passed) == ["accounts_bronze", "accounts_silver"]
    newest = dict.fromkeys(("customer_accounts", "customer_account_store"), second.partition)
    assert again.superseded == newest
