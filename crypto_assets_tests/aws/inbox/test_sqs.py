"""The inbox's events: what is reported once, twice or never, and what is no upload at all."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.inbox.sqs import UploadEvents
from crypto_assets_tests.helpers.upload_queue import (
    FOR_GOOD_S,
    delivered,
    lapsing,
    make_queue,
    waiting,
)
from crypto_assets_tests.helpers.waiting import HANG_S

MAX_RECEIVES = 2


@pytest.fixture
def queue(admin, bucket):
    return make_queue(admin, bucket, visible_after_s=FOR_GOOD_S, max_receives=MAX_RECEIVES)


@pytest.fixture
def events(aws, bucket, queue):
    return UploadEvents(aws=aws, queue_url=queue.url, bucket=bucket, prefix="inbox/")


@pytest.fixture
def put(admin, bucket, queue):
    """Uploads an object and waits for its event."""
    client = admin.client("s3")

    def put_object(key, body=b"x"):
        before = waiting(admin, queue.url)
        client.put_object(Bucket=bucket, Key=key, Body=body)
        delivered(admin, queue.url, before + 1)

    return put_object


@pytest.fixture
def lapse(admin, events):
    """Ends the visibility timeout of what was received."""
    return lapsing(admin, events)


@pytest.fixture
def send(admin, queue):
    """Posts a message to the queue as it is."""
    client = admin.client("sqs")

    def post(message):
        body = message if isinstance(message, str) else json.dumps(message)
        client.send_message(QueueUrl=queue.url, MessageBody=body)

    return post


def of_eventbridge(bucket, key, kind="Object Created", **found):
    """An event as EventBridge delivers it, by the Amazon S3 user guide."""
    found = {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", **found}
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": kind,
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-11-12T00:00:00Z",
        "region": "eu-central-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {**found, "sequencer": "00617F08299329D189"},
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "1.2.3.4",
            "reason": "PutObject",
        },
    }


def of_s3(bucket, *keys, name="ObjectCreated:Put"):
    """S3's direct notification, its keys encoded as in URLs, by the Amazon S3 user guide."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "eu-central-1",
                "eventTime": "2026-11-12T00:00:00.000Z",
                "eventName": name,
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "uploads",
                    "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                    "object": {
                        "key": key,
                        "size": 7,
                        "eTag": "0123456789abcdef",
                        "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                        "sequencer": "0055AED6DCD90281E5",
                    },
                },
            }
            for key in keys
        ]
    }


def keys(found):
    return sorted(event.key for event in found)


def test_uploads_are_reported_under_the_names_they_have(events, put):
    names = [
        "btc.csv",
        "比特币 历史数据.csv",
        "a b/multi Timeline (1).csv",
        "a+b=c&d%20e.csv",
        "é'.csv",
    ]
    for name in names:
        put(f"inbox/{name}", b"hello\n")
    assert keys(events.receive(10, HANG_S)) == sorted(names)


def test_a_burst_of_a_thousand_uploads_is_received_whole_and_acknowledged(
    admin, bucket, events, queue
):
    client, wanted = admin.client("s3"), [f"burst/{number:04}.csv" for number in range(1000)]
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda key: client.put_object(Bucket=bucket, Key=f"inbox/{key}", Body=b"x"), wanted
            )
        )
    delivered(admin, queue.url, 1000)
    found = []
    while batch := events.receive(500, HANG_S):
        assert len(batch) <= 500
        events.acknowledge(event.receipt for event in batch)
        found += batch
    assert keys(found) == wanted
    assert waiting(admin, queue.url) == 0


def test_no_more_messages_are_taken_than_asked_for(events, put):
    for number in range(15):
        put(f"inbox/{number}.csv")
    assert [len(events.receive(12, HANG_S)), len(events.receive(12, HANG_S))] == [12, 3]


def test_an_idle_queue_costs_one_short_call(events, aws):
    calls = []

    def called(params, model, **_):
        calls.append((model.name, params["WaitTimeSeconds"]))

    events._client.meta.events.register("provide-client-params.sqs", called)
    assert events.receive(500, HANG_S) == []
    assert calls == [("ReceiveMessage", 0)]


def test_receiving_ends_when_its_time_is_over(events, put):
    for number in range(25):
        put(f"inbox/{number}.csv")
    assert len(events.receive(500, 0)) == 10


def test_what_is_not_acknowledged_comes_again_and_then_is_a_dead_letter(
    admin, events, put, queue, lapse
):
    put("inbox/btc.csv")
    (first,) = events.receive(10, HANG_S)
    assert events.receive(10, HANG_S) == []
    lapse()
    (second,) = events.receive(10, HANG_S)
    assert second.key == first.key
    lapse()
    assert events.receive(10, HANG_S) == []
    assert (waiting(admin, queue.url), waiting(admin, queue.dead_letters_url)) == (0, 1)


def test_what_is_acknowledged_never_comes_again(admin, events, put, queue, lapse):
    put("inbox/btc.csv")
    events.acknowledge([event.receipt for event in events.receive(10, HANG_S)])
    lapse()
    assert events.receive(10, HANG_S) == []
    assert waiting(admin, queue.dead_letters_url) == 0


def test_an_expired_or_doubled_receipt_is_no_error(admin, events, put, queue, lapse, caplog):
    put("inbox/btc.csv")
    (first,) = events.receive(10, HANG_S)
    lapse()
    (second,) = events.receive(10, HANG_S)
    with caplog.at_level(logging.WARNING):
        events.acknowledge([first.receipt, second.receipt, second.receipt])
        events.acknowledge([first.receipt, second.receipt])
        events.acknowledge([])
    assert not caplog.records
    assert waiting(admin, queue.url) == 0


def test_an_event_reported_twice_is_two_events_of_one_content(admin, bucket, events, send, queue):
    """SQS delivers at least once; ministack delivers once, so the event is posted twice here."""
    for _ in range(2):
        send(of_eventbridge(bucket, "inbox/btc.csv"))
    found = events.receive(10, HANG_S)
    assert keys(found) == ["btc.csv", "btc.csv"]
    assert len({event.receipt for event in found}) == 2
    events.acknowledge(event.receipt for event in found)
    assert waiting(admin, queue.url) == 0


def test_an_event_of_a_bucket_with_versions_is_understood(bucket, events, send):
    """ministack's events have no version id, so the event of the S3 user guide is posted here."""
    send(of_eventbridge(bucket, "inbox/btc.csv", **{"version-id": "IYV3p45BT0ac8hjHg"}))
    send(of_eventbridge(bucket, "inbox/a+b%20c.csv"))
    assert keys(events.receive(10, HANG_S)) == ["a+b%20c.csv", "btc.csv"]


def test_the_direct_notifications_of_s3_are_understood(admin, bucket, events, send, queue):
    """ministack does not encode keys as S3 does, so the message of the S3 user guide is posted."""
    send(of_s3(bucket, "inbox/%E6%AF%94+%2B+%25.csv", "inbox/b.csv", "other/c.csv"))
    found = events.receive(10, HANG_S)
    assert keys(found) == ["b.csv", "比 + %.csv"]
    events.acknowledge(event.receipt for event in found)
    assert waiting(admin, queue.url) == 0


def test_a_bucket_whose_inbox_is_all_of_it_needs_no_prefix(aws, bucket, queue, put):
    events = UploadEvents(aws=aws, queue_url=queue.url, bucket=bucket)
    put("inbox/btc.csv")
    assert keys(events.receive(10, HANG_S)) == ["inbox/btc.csv"]


def test_what_is_beside_the_inbox_or_no_upload_is_acknowledged_and_said(
    admin, bucket, events, put, queue, caplog
):
    put("lake/gold/ticker=BTC/data.parquet")
    put("inbox.csv")
    put("inbox/")
    put("inbox/new folder/", b"")
    put("inbox/_registry/BTC.json")
    put("inbox/btc.csv")
    admin.client("s3").delete_object(Bucket=bucket, Key="inbox/btc.csv")
    delivered(admin, queue.url, 7)
    with caplog.at_level(logging.INFO, "crypto_assets.events"):
        assert keys(events.receive(20, HANG_S)) == ["btc.csv"]
    (record,) = caplog.records
    assert record.message == (
        "skipped messages: 2 outside the inbox, 2 of a folder, 1 of a hidden object, "
        "1 of no creation"
    )
    assert waiting(admin, queue.url) == 1


def test_foreign_messages_are_acknowledged_and_said_without_their_content(
    admin, bucket, events, send, queue, caplog
):
    """Nothing but S3 writes to the rule's bus here, so what others may send is posted directly."""
    send({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket})
    send("s3cr3t, not JSON")
    send("[" * 100_000)
    send("[1, 2]")
    send({"source": "aws.ec2", "detail-type": "s3cr3t", "detail": {}})
    send({"Records": [{"eventSource": "aws:ses", "s3": "s3cr3t"}]})
    send({"hello": "s3cr3t"})
    send(of_eventbridge("s3cr3t-bucket", "inbox/btc.csv"))
    send(of_eventbridge(bucket, "inbox/btc.csv", "Object Restore Completed"))
    send(of_s3(bucket, "inbox/s3cr3t.csv", name="ObjectRemoved:Delete"))
    with caplog.at_level(logging.INFO, "crypto_assets.events"):
        assert events.receive(20, HANG_S) == []
    (record,) = caplog.records
    assert record.message == (
        "skipped messages: 1 S3 test event, 2 without JSON, 4 of another source, "
        "1 of another bucket, 2 of no creation"
    )
    assert waiting(admin, queue.url) == 0


def test_messages_that_cannot_be_read_stop_no_other_and_become_dead_letters(
    admin, bucket, events, send, queue, lapse, caplog
):
    """S3 sends no such messages, so they are posted directly."""
    send({"source": "aws.s3"})
    send(of_eventbridge(bucket, ["s3cr3t"]))
    send(of_eventbridge(bucket, "inbox/\ud800.csv"))
    without_bucket = {"object": {"key": "inbox/s3cr3t"}}
    send({"source": "aws.s3", "detail-type": "Object Created", "detail": without_bucket})
    send(of_s3(bucket, "inbox/%FF.csv"))
    send(of_eventbridge(bucket, "inbox/eth.csv"))
    with caplog.at_level(logging.WARNING):
        (event,) = events.receive(20, HANG_S)
    assert event.key == "eth.csv"
    assert len(caplog.records) == 5
    assert "s3cr3t" not in caplog.text
    events.acknowledge([event.receipt])
    for _ in range(MAX_RECEIVES):
        lapse()
        assert events.receive(20, HANG_S) == []
    assert (waiting(admin, queue.url), waiting(admin, queue.dead_letters_url)) == (0, 5)


def test_a_queue_that_is_not_there_is_an_error(aws, bucket, queue):
    events = UploadEvents(aws=aws, queue_url=f"{queue.url}-other", bucket=bucket)
    with pytest.raises(RefusedError, match=r"NonExistentQueue.*CRYPTO_ASSETS_AWS_QUEUE_URL"):
        events.receive(10, HANG_S)
