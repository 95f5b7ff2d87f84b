"""The store on DynamoDB: the contract, what is asked of the service, what its faults become."""

from __future__ import annotations

import json
import threading

import pytest
from pyarrow import parquet

from crypto_assets.resources import wiring
from crypto_assets.resources.accounts import dynamodb
from crypto_assets.resources.accounts.dynamodb import TRIES, WRITTEN_AT_ONCE
from crypto_assets.resources.accounts.store import uniform
from crypto_assets.resources.aws import ATTEMPTS
from crypto_assets.resources.errors import BusyError, RefusedError, UsageError
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.account_changes import account, apply, batches, change, written
from crypto_assets_tests.helpers.account_store_contract import DELETED, AccountStoreContract
from crypto_assets_tests.helpers.account_stream import make_table, new_store
from crypto_assets_tests.helpers.emr_scene import hurry
from crypto_assets_tests.helpers.roles import Admin
from crypto_assets_tests.helpers.waiting import until

WRITE = "BatchWriteItem"


@pytest.fixture
def absent(router):
    """A store whose table is not there."""
    return new_store(router)


@pytest.fixture
def store(absent, router):
    """A store whose table was made by the command that the doctor shows."""
    make_table(absent)
    router.forget()
    return absent


@pytest.fixture
def changes(tmp_path):
    """Writes changes that insert so many accounts."""

    def write(count, **values):
        rows = [change("insert", account(f"a{n}", **values)) for n in range(count)]
        return written(tmp_path / "changes.parquet", rows)

    return write


def made(path):
    """The items that these changes lead to."""
    return [item for batch in uniform(batches(path)) for item in dynamodb.items(batch)]


def items(store):
    scan = Admin(store.aws.endpoint_url).client("dynamodb").get_paginator("scan")
    pages = scan.paginate(TableName=store.table)
    return [item for page in pages for item in page["Items"]]


class TestDynamoDBAccountStore(AccountStoreContract):
    many = 4_000

    def made(self, store):
        aws = f"Aws(region={REGION!r}, endpoint_url={store.aws.endpoint_url!r})"
        return f"DynamoDBAccountStore(aws={aws}, table={store.table!r})"

    def half_done(self, store):
        return any(store.get(f"a{n}") == [account(f"a{n}", 2021)] for n in (0, 500))

    def held(self, store):
        return len(items(store))


def test_an_item_has_what_applications_read_and_no_more(store, tmp_path):
    rows = [
        change("insert", account("a")),
        change("delete", account("b", 0, customer_id=None, deleted_at=DELETED)),
        change("change", account("c"), previous_year=2019),
        change("restore", account("d"), previous_year=0),
    ]
    apply(store, written(tmp_path / "changes.parquet", rows))
    found = {item["AccountNumber"]["S"]: item for item in items(store)}
    a = {
        "AccountNumber": {"S": "a"},
        "CreatedAtYear": {"N": "2020"},
        "CustomerId": {"N": "7"},
        "Name": {"S": "Ann O'Brien"},
        "Gender": {"S": "F"},
        "State": {"S": "Washington, D.C."},
        "TypeOfAccount": {"S": "checking"},
        "CreatedAt": {"S": "2020-03-04T05:06:07.891Z"},
    }
    b = {
        **{name: a[name] for name in ("Name", "Gender", "State", "TypeOfAccount")},
        "AccountNumber": {"S": "b"},
        "CreatedAtYear": {"N": "0"},
        "DeletedAt": {"S": "2026-11-21T15:36:27.000Z"},
    }
    c = {**a, "AccountNumber": {"S": "c"}, "MovedFromYear": {"N": "2019"}}
    d = {**a, "AccountNumber": {"S": "d"}, "RestoredFromYear": {"N": "0"}}
    assert found == {"a": a, "b": b, "c": c, "d": d}


def test_items_are_sent_25_at_a_time(store, router, changes):
    apply(store, changes(60))
    assert router.operations("dynamodb") == {WRITE: 3}
    assert len(items(store)) == 60


def test_many_items_are_all_there_whatever_the_size_of_the_batches_of_rows(store, changes):
    path = changes(10_050)
    store.apply(parquet.ParquetFile(path).iter_batches(batch_size=1_999), 10_050)
    assert len(items(store)) == 10_050


def test_the_new_year_is_put_before_the_old_item_is_deleted(store, router, changes, tmp_path):
    apply(store, changes(1))
    moved = [change("change", account("a0", 2021), previous_year=2020)]
    path = written(tmp_path / "moved.parquet", moved)
    router.forget()
    sent = router.hold("dynamodb", operation=WRITE)
    writer = threading.Thread(target=apply, args=(store, path))
    writer.start()
    until("the new item", lambda: not sent.times)
    assert store.get("a0") == [account("a0")]
    deletion = router.hold("dynamodb", operation=WRITE)
    sent.release.set()
    until("the deletion", lambda: not deletion.times)
    assert store.get("a0") == [account("a0"), account("a0", 2021)]
    deletion.release.set()
    writer.join()
    assert store.get("a0") == [account("a0", 2021)]


def test_what_dynamodb_leaves_unprocessed_is_sent_again_and_only_that(
    store, router, changes, monkeypatch
):
    hurry(monkeypatch)
    path = changes(3)
    (one,) = ({"PutRequest": {"Item": item}} for item in made(path)[2:])
    body = json.dumps({"UnprocessedItems": {store.table: [one]}}).encode()
    router.fail("dynamodb", 4, status=200, body=body, operation=WRITE)
    apply(store, path)
    assert router.operations("dynamodb") == {WRITE: 5}
    assert [item["AccountNumber"]["S"] for item in items(store)] == ["a2"]


def test_a_table_that_never_takes_all_is_reported_as_busy(store, router, changes, monkeypatch):
    hurry(monkeypatch)
    path = changes(30)
    left = [{"PutRequest": {"Item": item}} for item in made(path)[:7]]
    body = json.dumps({"UnprocessedItems": {store.table: left}}).encode()
    router.fail("dynamodb", 99, status=200, body=body, operation=WRITE)
    with pytest.raises(BusyError) as busy:
        apply(store, path)
    assert str(busy.value) in {
        f"DynamoDB left 7 of {sent} items unwritten, {TRIES} times in a row: {store.table} gets "
        "more than it takes: run again later"
        for sent in (WRITTEN_AT_ONCE, 5)
    }


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "ProvisionedThroughputExceededException"),
        (400, "ThrottlingException"),
        (400, "RequestLimitExceeded"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ],
)
def test_throttling_and_failures_are_got_over_and_reported_as_busy_if_they_last(
    store, router, changes, monkeypatch, status, code
):
    hurry(monkeypatch)
    router.fail("dynamodb", 3, status=status, code=code, operation=WRITE)
    apply(store, changes(60))
    assert len(items(store)) == 60
    router.fail("dynamodb", 999, status=status, code=code, operation=f"{WRITE}|Query|Scan")
    busy = rf"AWS refuses \w+: {code}: made by the router of the tests; run again later"
    with pytest.raises(BusyError, match=busy):
        apply(store, changes(60))
    with pytest.raises(BusyError, match=busy):
        store.get("a1")
    with pytest.raises(BusyError, match=busy):
        store.forget(7)


def test_a_table_that_throttles_longer_than_boto3_tries_is_waited_for(
    store, router, changes, monkeypatch
):
    hurry(monkeypatch)
    code = "ProvisionedThroughputExceededException"
    router.fail("dynamodb", 2 * ATTEMPTS + 1, status=400, code=code, operation=WRITE)
    apply(store, changes(20))
    assert router.operations("dynamodb") == {WRITE: 2 * ATTEMPTS + 2}
    assert len(items(store)) == 20


@pytest.mark.parametrize("drop", ["before", "within", "after"])
def test_a_lost_connection_loses_nothing(store, router, changes, monkeypatch, drop):
    hurry(monkeypatch)
    router.fail("dynamodb", 3, drop=drop, operation=WRITE)
    apply(store, changes(60))
    assert len(items(store)) == 60


def test_what_the_policy_lacks_is_reported_with_the_action(store, router, changes):
    router.fail("dynamodb", 99, status=400, code="AccessDeniedException")
    for act, action in (
        (lambda: apply(store, changes(60)), "BatchWriteItem"),
        (lambda: store.get("a"), "Query"),
        (lambda: store.forget(7), "Scan"),
    ):
        with pytest.raises(RefusedError) as refused:
            act()
        assert str(refused.value) == (
            f"AWS refuses {action}: made by the router of the tests; allow dynamodb:{action} on "
            f"table {store.table}"
        )
    assert store.check() == f"{store.table}: not checked: allow dynamodb:DescribeTable"


def test_a_table_that_is_not_there_is_reported_with_the_command_that_makes_it(absent, changes):
    text = absent.check()
    command = text.split("`")[1]
    assert text == f"{absent.table} is not there; customer accounts need it: `{command}`"
    with pytest.raises(RefusedError, match="AWS refuses BatchWriteItem: ResourceNotFound") as no:
        apply(absent, changes(1))
    assert str(no.value).endswith(f"or make it: `{command}`")


def test_a_table_that_is_there_is_reported_with_what_it_holds(store, changes):
    apply(store, changes(60))
    assert store.check() == (f"{store.table}, active, about 60 items, stream: NEW_AND_OLD_IMAGES")


def test_the_table_of_the_settings_is_the_stores(home, monkeypatch):
    def table():
        return wiring.account_store(Settings(home=home, profile="aws")).table

    assert table() == "CustomerAccount"
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_ACCOUNT_TABLE", "Another")
    assert table() == "Another"


@pytest.mark.parametrize(
    "key",
    [
        (("AccountNumber", "HASH", "S"),),
        (("AccountNumber", "HASH", "S"), ("CreatedAtYear", "RANGE", "S")),
        (("CreatedAtYear", "HASH", "N"), ("AccountNumber", "RANGE", "S")),
    ],
)
def test_a_table_with_another_key_is_reported_as_wrong(absent, key):
    Admin(absent.aws.endpoint_url).client("dynamodb").create_table(
        TableName=absent.table,
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, _, t in key],
        KeySchema=[{"AttributeName": n, "KeyType": k} for n, k, _ in key],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(UsageError, match="has another key") as wrong:
        absent.check()
    assert ", ".join(" ".join(part) for part in sorted(key)) in str(wrong.value)
    assert "CRYPTO_ASSETS_AWS_ACCOUNT_TABLE" in str(wrong.value)


def test_a_customer_is_found_on_every_page_of_a_segment(store, router, changes):
    """ministack never ends a page of its own accord, as DynamoDB does at 1 MB; so one is made here.

    It has one item of the customer, and says that there are more behind a key.
    """
    apply(store, changes(40))
    key, behind = (
        {"AccountNumber": {"S": number}, "CreatedAtYear": {"N": "0"}} for number in ("made", "!")
    )
    page = json.dumps({"Items": [key], "LastEvaluatedKey": behind}).encode()
    router.forget()
    router.fail("dynamodb", status=200, body=page, operation="Scan")
    assert store.forget(7) == 41
    assert router.operations("dynamodb")["Scan"] == 9
    assert items(store) == []
