"""The inbox that is told of its uploads: nothing is lost, and nothing is told before it is seen."""

from __future__ import annotations

import time

import pytest

from crypto_assets.resources.inbox.inbox import OVERRIDES, RELIST_SECONDS, EventInbox
from crypto_assets.resources.inbox.sqs import UploadEvents
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets_tests.helpers.upload_queue import make_queue, waiting

VISIBLE_AFTER_S = 1


@pytest.fixture
def queue(aws, bucket):
    return make_queue(aws, bucket, visible_after_s=VISIBLE_AFTER_S, max_receives=9)


@pytest.fixture
def inbox(aws, bucket, queue, tmp_path):
    objects = S3Objects(aws=aws, root=f"s3://{bucket}/inbox", locks=str(tmp_path))
    events = UploadEvents(aws=aws, queue_url=queue.url, bucket=bucket, prefix="inbox")
    return EventInbox(objects=objects, events=events)


def look(inbox, listed_at=None):
    """The keys of the news, and the receipts to acknowledge."""
    news = inbox.news(time.time() if listed_at is None else listed_at)
    found = sorted(arrival.key for arrival in news.arrivals)
    return found, [receipt for _, receipt in news.receipts]


def test_events_tell_of_uploads_as_they_stand_now(inbox):
    inbox.objects.write("btc.csv", b"old")
    inbox.objects.write("btc.csv", b"newer")
    inbox.objects.write("比特 币/a+b%.csv", b"x")
    news = inbox.news(time.time())
    assert not news.complete
    assert sorted(news.arrivals, key=lambda arrival: arrival.key) == [
        inbox.arrival("btc.csv"),
        inbox.arrival("比特 币/a+b%.csv"),
    ]
    assert sorted(key for key, _ in news.receipts) == ["btc.csv", "btc.csv", "比特 币/a+b%.csv"]
    assert all(map(inbox.is_settled, news.arrivals))


def test_news_come_again_until_they_are_acknowledged(inbox, aws, queue):
    inbox.objects.write("btc.csv", b"x")
    assert look(inbox)[0] == ["btc.csv"]
    assert look(inbox) == ([], [])
    time.sleep(VISIBLE_AFTER_S + 0.2)
    found, receipts = look(inbox)
    assert found == ["btc.csv"]
    inbox.acknowledge(receipts)
    inbox.acknowledge(receipts)
    assert waiting(aws, queue.url) == 0


def test_lost_events_are_made_up_for_by_a_listing_now_and_then(inbox, aws, queue):
    inbox.objects.write("btc.csv", b"x")
    aws.client("sqs").purge_queue(QueueUrl=queue.url)
    assert look(inbox) == ([], [])
    assert look(inbox, time.time() - RELIST_SECONDS + 60) == ([], [])
    news = inbox.news(time.time() - RELIST_SECONDS - 1)
    assert (news.complete, news.receipts) == (True, [])
    assert news.arrivals == [inbox.arrival("btc.csv")]


def test_an_event_before_its_object_is_visible_comes_again(inbox, aws, queue):
    inbox.objects.write("btc.csv", b"x")
    inbox.objects.delete(["btc.csv"])  # not to be seen, as with an event that came too early
    inbox.acknowledge(look(inbox)[1])
    time.sleep(VISIBLE_AFTER_S + 0.2)
    inbox.objects.write("btc.csv", b"x")
    found, receipts = look(inbox)
    assert (found, len(receipts)) == (["btc.csv"], 2)
    inbox.acknowledge(receipts)
    assert waiting(aws, queue.url) == 0


def test_the_overrides_are_no_upload_and_their_event_is_worked_off(inbox, aws, queue):
    inbox.objects.write(OVERRIDES, b"")
    inbox.objects.write(f"btc/{OVERRIDES}", b"")
    found, receipts = look(inbox)
    assert (found, len(receipts)) == ([f"btc/{OVERRIDES}"], 2)
    inbox.acknowledge(receipts)
    assert waiting(aws, queue.url) == 0


def test_what_the_product_writes_itself_is_no_news(inbox, aws, queue):
    inbox.pin("btc.csv", b"x")
    inbox.objects.write("_registry/BTC.json", b"{}")
    assert look(inbox) == ([], [])
    assert waiting(aws, queue.url) == 0
