"""The function of the accounts' stream: each batch is reported once, whatever breaks on the way."""

from __future__ import annotations

import pytest

from crypto_assets_tests.helpers.account_changes import account, apply, change, written
from crypto_assets_tests.helpers.account_store_contract import DELETED
from crypto_assets_tests.helpers.account_stream import counts, make_stream, make_table, new_store

SNS_TRIES = 5


@pytest.fixture
def stream(router):
    store = new_store(router)
    make_table(store)
    stream = make_stream(store, router)
    yield stream
    mappings = stream.client("lambda").list_event_source_mappings(FunctionName=stream.name)
    for mapping in mappings["EventSourceMappings"]:
        stream.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    stream.client("lambda").delete_function(FunctionName=stream.name)


@pytest.fixture
def write(stream, tmp_path):
    """Applies these changes to the table."""
    return lambda *rows: apply(stream.store, written(tmp_path / "changes.parquet", list(rows)))


def inserts(first, last):
    return [change("insert", account(f"a{n:03}")) for n in range(first, last)]


def poison(stream, number="bad"):
    """Writes an item as no store of ours does: the time of its deletion is a number."""
    item = {
        "AccountNumber": {"S": number},
        "CreatedAtYear": {"N": "2020"},
        "DeletedAt": {"N": "5"},
    }
    stream.client("dynamodb").put_item(TableName=stream.name, Item=item)


@pytest.fixture
def poisoned(stream, write):
    """Inserts accounts before and behind a record that cannot be read; all records, and which."""

    def make(before, behind):
        write(*inserts(0, before))
        poison(stream)
        write(*inserts(before, before + behind))
        records = stream.records()
        return records, records[before]["dynamodb"]["SequenceNumber"]

    return make


def test_250_changes_through_table_stream_function_and_topic_give_3_messages(stream, write):
    write(*inserts(0, 160))
    write(
        *(change("change", account(f"a{n:03}", name="Ann Lee")) for n in range(40)),
        *(change("delete", account(f"a{n:03}", deleted_at=DELETED)) for n in range(40, 70)),
    )
    write(*(change("restore", account(f"a{n:03}")) for n in range(40, 60)))
    stream.follow()
    messages = stream.messages(3)
    assert [sum(counts([message]).values()) for message in messages] == [100, 100, 50]
    assert counts(messages) == {"inserted": 160, "changed": 40, "deleted": 30, "restored": 20}


def test_each_change_is_reported_as_what_it_is_and_with_up_to_ten_numbers(stream, write):
    write(
        *inserts(0, 12),
        change("insert", account("moves", 2019)),
        change("insert", account("comes back")),
        change("insert", account("comes back elsewhere", 2019)),
        change("insert", account("erased", customer_id=9)),
    )
    write(
        *(
            change("delete", account(name, year, deleted_at=DELETED))
            for name, year in (("comes back", 2020), ("comes back elsewhere", 2019))
        )
    )
    write(
        change("change", account("a000", state="Ohio")),
        change("change", account("moves"), previous_year=2019),
        change("restore", account("comes back")),
        change("restore", account("comes back elsewhere"), previous_year=2019),
    )
    stream.store.forget(9)
    assert stream.invoke(stream.records()) == []
    (message,) = stream.messages(1)
    assert message["Subject"] == (
        "customer accounts: 16 inserted, 2 changed, 2 deleted, 2 restored"
    )
    inserted, *others = message["Message"].splitlines()
    shown = inserted.removeprefix("16 inserted: ").removesuffix(", and 6 more").split(", ")
    assert len(set(shown)) == 10
    reported = {line.split(": ")[0]: set(line.split(": ")[1].split(", ")) for line in others}
    assert reported == {
        "2 changed": {"a000", "moves"},
        "2 deleted": {"comes back", "comes back elsewhere"},
        "2 restored": {"comes back", "comes back elsewhere"},
    }


def test_a_batch_in_which_nothing_is_to_be_reported_gives_no_message(stream, write):
    write(*inserts(0, 3))
    before = len(stream.records())
    stream.store.forget(7)
    assert stream.invoke(stream.records()[before:]) == []
    assert stream.invoke([]) == []
    assert stream.messages(0) == []


def test_a_record_that_cannot_be_read_does_not_block_the_others(stream, poisoned):
    records, bad = poisoned(50, 70)
    answers = stream.deliver(records)
    assert answers == [[bad], [bad], [bad], [bad], []]
    messages = stream.messages(2)
    assert [counts([message]) for message in messages] == [{"inserted": 99}, {"inserted": 21}]


def test_all_records_that_cannot_be_read_are_reported_and_only_they(stream, write):
    for n in range(3):
        poison(stream, f"bad {n}")
        write(*inserts(n * 10, n * 10 + 10))
    records = stream.records()
    bad = [records[n]["dynamodb"]["SequenceNumber"] for n in (0, 11, 22)]
    assert stream.deliver(records) == [bad] * 4
    assert counts(stream.messages(1)) == {"inserted": 30}


@pytest.mark.parametrize(
    "breaking",
    [
        lambda record: record.pop("eventName"),
        lambda record: record.update(eventName="TRUNCATE"),
        lambda record: record["dynamodb"].pop("NewImage"),
        lambda record: record["dynamodb"].update(NewImage=None),
        lambda record: record["dynamodb"].pop("Keys"),
        lambda record: record["dynamodb"]["Keys"].update(AccountNumber={"N": "5"}),
        lambda record: record["dynamodb"]["Keys"].update(AccountNumber={"S": 5}),
        lambda record: record["dynamodb"]["Keys"].update(CreatedAtYear={"N": "soon"}),
    ],
)
def test_a_record_of_another_shape_is_reported(stream, write, breaking):
    write(*inserts(0, 3))
    records = stream.records()
    breaking(records[1])
    assert stream.invoke(records) == [records[1]["dynamodb"]["SequenceNumber"]]
    assert counts(stream.messages(1)) == {"inserted": 2}


def test_what_is_no_record_at_all_is_left_out(stream, write):
    write(*inserts(0, 2))
    odd = [{}, {"dynamodb": None}, {"dynamodb": {"SequenceNumber": "x"}}, None]
    assert stream.invoke([*odd, *stream.records()]) == []
    assert stream.invoke(odd) == []
    assert counts(stream.messages(1)) == {"inserted": 2}


def test_a_batch_given_twice_is_reported_once(stream, write):
    write(*inserts(0, 100))
    records = stream.records()
    assert [stream.invoke(records) for _ in range(3)] == [[], [], []]
    assert counts(stream.messages(1)) == {"inserted": 100}


def test_a_batch_given_again_with_more_behind_it_is_reported_of_these(stream, poisoned):
    records, bad = poisoned(30, 30)
    assert stream.invoke(records[:50]) == [bad]
    assert stream.invoke(records[30:]) == [bad]
    assert stream.invoke(records[30:]) == [bad]
    messages = stream.messages(2)
    assert [counts([message]) for message in messages] == [{"inserted": 49}, {"inserted": 11}]


def test_sns_failing_once_is_not_noticed(stream, write, router):
    write(*inserts(0, 100))
    router.fail("sns", operation="Publish")
    assert stream.invoke(stream.records()) == []
    assert counts(stream.messages(1)) == {"inserted": 100}


def test_sns_failing_for_longer_loses_nothing(stream, write, router):
    write(*inserts(0, 150))
    failing = router.fail("sns", SNS_TRIES, operation="Publish")
    stream.follow()
    messages = stream.messages(2)
    assert failing.times == 0
    assert [counts([message]) for message in messages] == [{"inserted": 100}, {"inserted": 50}]


def test_sns_failing_for_a_batch_with_a_record_that_cannot_be_read_loses_nothing(
    stream, poisoned, router
):
    records, bad = poisoned(10, 10)
    router.fail("sns", SNS_TRIES, operation="Publish")
    assert stream.deliver(records) == [None, [bad], [bad], [bad]]
    assert counts(stream.messages(1)) == {"inserted": 20}
