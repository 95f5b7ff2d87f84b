"""Ticks of the uploads sensor that find customers and accounts."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import dagster as dg

from crypto_assets.resources import wiring
from crypto_assets.resources.accounts import snapshots
from crypto_assets.spark.accounts.data_set import ACCOUNTS as DATA_SET
from crypto_assets_tests.helpers.exports_text import history_csv

CUSTOMERS = "customer_id,first_name,last_name,gender,state\n1,Ann,Lee,female,NJ\n"
ACCOUNTS = (
    "customer_id,account_number,type_of_account,created_at\n1,,legacy,2024-01-01T00:00:00.000Z\n"
)


def reported(desk, key: str) -> list[str]:
    records = desk.instance.fetch_materializations(dg.AssetKey(key), limit=100).records
    return [str(record.partition_key) for record in reversed(records)]


def test_a_snapshot_gets_a_run_once_both_files_are_there(desk):
    desk.deliver("bank/customers.csv", CUSTOMERS)
    assert (desk.tick(), desk.snapshots) == ([], [])
    assert desk.said == ["bank/customers.csv: customers, which wait for new accounts beside them"]
    desk.deliver("bank/accounts.csv", ACCOUNTS)
    desk.tick()
    (name,) = desk.snapshots
    assert len(desk.run_keys) == 1
    assert desk.instance.get_dynamic_partitions(DATA_SET.partition) == [name]
    assert reported(desk, "customers_file") == reported(desk, "accounts_file") == [name]
    assert (desk.tick(), desk.snapshots) == ([], [])
    assert desk.said == ["nothing new"]
    assert desk.quarantined() == {}


def test_a_tick_that_was_lost_asks_again_for_the_same_run(desk):
    desk.deliver("customers.csv", CUSTOMERS)
    desk.deliver("accounts.csv", ACCOUNTS)
    desk.tick(keep_cursor=False)
    first = desk.snapshots, desk.run_keys
    desk.tick()
    assert (desk.snapshots, desk.run_keys) == first
    assert len(desk.snapshots) == 1


def test_each_delivery_is_a_snapshot_and_the_same_files_again_are_none(desk):
    seen = []
    for at, state in ((300, "NJ"), (200, "WA"), (100, "WA")):
        desk.deliver("customers.csv", CUSTOMERS.replace("NJ", state), age=at)
        desk.deliver("accounts.csv", ACCOUNTS, age=at - 1)
        desk.tick()
        seen += desk.snapshots
    assert len(seen) == 2
    assert seen == sorted(seen) == wiring.accounts(desk.settings).registry.names()


def test_an_unpaired_new_file_goes_with_the_one_that_is_there_after_a_while(desk, monkeypatch):
    desk.deliver("customers.csv", CUSTOMERS)
    desk.deliver("accounts.csv", ACCOUNTS)
    desk.tick()
    desk.deliver("customers.csv", CUSTOMERS.replace("Ann", "Anne"), age=5)
    desk.tick()
    assert desk.snapshots == []
    monkeypatch.setattr(snapshots, "UNPAIRED_SECONDS", 0)
    desk.tick()
    (name,) = desk.snapshots
    assert reported(desk, "customers_file")[-1] == name


def test_a_file_with_an_old_time_of_its_own_arrives_now(desk):
    desk.deliver("customers.csv", CUSTOMERS)
    desk.deliver("accounts.csv", ACCOUNTS)
    desk.tick()
    (first,) = desk.snapshots
    time.sleep(0.01)
    year = 365 * 24 * 3600
    for age in (year, -year):  # unpacked from an archive; of a clock that goes wrong
        desk.deliver("customers.csv", CUSTOMERS.replace("Ann", f"Ann {age}"), age=age)
        desk.deliver("accounts.csv", ACCOUNTS, age=age)
        desk.tick()
        (name,) = desk.snapshots
        assert first < name < f"{datetime.now(UTC) + timedelta(seconds=1):%Y%m%dT%H%M%S}"


def test_currencies_and_snapshots_come_in_one_tick(desk):
    desk.deliver_pair("BTC")
    desk.deliver("bank/customers.csv", CUSTOMERS)
    desk.deliver("bank/accounts.csv", ACCOUNTS)
    assert desk.tick() == [["BTC"]]
    assert len(desk.snapshots) == 1


def test_a_currencys_file_called_accounts_is_no_delivery_of_a_bank(desk):
    desk.deliver("btc/accounts.csv", history_csv())
    desk.tick()
    assert desk.said == ["btc/accounts.csv: the history of BTC, which waits for its trend"]
