"""What Dagster records of a snapshot: partitions, events, the check, the notice of a failure."""

from __future__ import annotations

import dagster as dg
import pytest

from crypto_assets.definitions import defs
from crypto_assets.defs.launch import launch_snapshot
from crypto_assets.defs.notices import failures, notice
from crypto_assets.defs.partitions import snapshot_partitions
from crypto_assets.resources import wiring as profile
from crypto_assets.resources.instance import open_instance
from crypto_assets.spark.job_spec import ACCOUNT_LAYERS

CUSTOMERS = """customer_id,first_name,last_name,gender,state
1,José,O'Brien,male,"Washington, D.C."
2,Ann,Lee,female,New Jerse
"""
ACCOUNTS = """customer_id,account_number,type_of_account,created_at
1,,legacy,2024-01-01T00:00:00.000Z
3,,legacy,
"""


@pytest.fixture
def launched(settings):
    """Launches snapshots of these files; gives the instance and the outcomes of the last one."""
    inbox, snapshots = profile.inbox(settings), profile.snapshots(settings)
    with open_instance(settings) as instance:

        def launch(accounts=ACCOUNTS):
            files = {"customers": CUSTOMERS, "accounts": accounts}
            uploads = [inbox.pin(f"{kind}.csv", text.encode()) for kind, text in files.items()]
            name = snapshots.put(*uploads).name
            job = defs().resolve_job_def("refresh_accounts")
            outcomes = launch_snapshot(
                job, instance, name, ACCOUNT_LAYERS, confirm_mass_delete=False
            )
            return instance, list(outcomes)

        yield launch


def test_the_layers_follow_each_other_and_are_partitioned_by_snapshot(home):
    graph = defs().resolve_asset_graph()
    upstream = {"customers_file", "accounts_file"}
    for layer in ACCOUNT_LAYERS:
        node = graph.get(dg.AssetKey(layer))
        assert node.parent_keys == {dg.AssetKey(key) for key in upstream}
        upstream = {layer}
        assert node.partitions_def.name == "snapshot"
        assert node.code_version != graph.get(dg.AssetKey("bronze")).code_version
    assert not graph.get(dg.AssetKey("customers_file")).is_materializable


def test_a_good_snapshot_is_green_everywhere_with_its_counts_and_the_check_warns(launched):
    instance, (outcome,) = launched()
    assert not outcome.failed
    for layer in ACCOUNT_LAYERS:
        key = dg.AssetKey(layer)
        states = instance.get_status_by_partition(key, [outcome.partition], snapshot_partitions)
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
    (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.SUCCESS


def test_a_bad_snapshot_is_red_where_it_broke_and_the_notice_says_how_to_go_on(launched):
    instance, (outcome,) = launched(f"{ACCOUNTS}4,,checking,2024-02-30T00:00:00.000Z\n")
    assert list(outcome.problems) == ["accounts_silver"]
    assert list(outcome.passed) == ["accounts_bronze"]
    (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.FAILURE
    subject, text = notice(run.run_id, failures(instance, run.run_id), "")
    assert subject == f"1 snapshot failed in run {run.run_id}"
    assert "line 4: created_at" in text
    assert "`crypto-assets accounts` tries again" in text


def test_an_older_snapshot_ends_green_and_says_what_stands_in_its_place(launched, settings):
    instance, (first,) = launched()
    _, (second,) = launched(f"{ACCOUNTS}4,,trading,\n")
    job = defs().resolve_job_def("refresh_accounts")
    (again,) = launch_snapshot(
        job, instance, first.partition, ACCOUNT_LAYERS, confirm_mass_delete=False
    )
    assert not again.failed
    assert list(again.passed) == ["accounts_bronze", "accounts_silver"]
    newest = dict.fromkeys(("customer_accounts", "customer_account_store"), second.partition)
    assert again.superseded == newest
