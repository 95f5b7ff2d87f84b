"""The inbox that gets events of its uploads: nothing is lost or reported before it is seen."""

from __future__ import annotations

import time

import pytest

from crypto_assets.resources.inbox.inbox import OVERRIDES
from crypto_assets.resources.inbox.sqs import RELIST_SECONDS, EventInbox, UploadEvents
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets_tests.helpers.upload_queue import (
    FOR_GOOD_S,
    delivered,
    lapsing,
    make_queue,
    waiting,
)
from crypto_assets_tests.helpers.waiting import HANG_S


@pytest.fixture
def queue(admin, bucket):
    return make_queue(admin, bucket, visible_after_s=FOR_GOOD_S, max_receives=9)


@pytest.fixture
def inbox(aws, bucket, queue, tmp_path):
    objects = S3Objects(aws=aws, root=f"s3://{bucket}/inbox", locks=str(tmp_path))
    events = UploadEvents(aws=aws, queue_url=queue.url, bucket=bucket, prefix="inbox")
    return EventInbox(objects=objects, events=events)


@pytest.fixture
def write(inbox, admin, queue):
    """Writes an object and waits for its event."""

    def write_object(key, content=b"x"):
        before = waiting(admin, queue.url)
        inbox.objects.write(key, content)
        delivered(admin, queue.url, before + 1)

    return write_object


@pytest.fixture
def lapse(admin, inbox):
    """Ends the visibility timeout of the events that the inbox received."""
    return lapsing(admin, inbox.events)


def look(inbox, listed_at=None):
    """The keys of the news, and the receipts to acknowledge."""
    news = inbox.news(time.time() if listed_at is None else listed_at)
    found = sorted(arrival.key for arrival in news.arrivals)
    return found, [receipt for _, receipt in news.receipts]


def test_events_tell_of_uploads_as_they_stand_now(inbox, write):
    write("btc.csv", b"old")
    write("btc.csv", b"newer")
    write("比特 币/a+b%.csv")
    news = inbox.news(time.time())
    assert not news.complete
    assert sorted(news.arrivals, key=lambda arrival: arrival.key) == [
        inbox.arrival("btc.csv"),
        inbox.arrival("比特 币/a+b%.csv"),
    ]
    assert sorted(key for key, _ in news.receipts) == ["btc.csv", "btc.csv", "比特 币/a+b%.csv"]
    assert all(map(inbox.is_settled, news.arrivals))


def test_news_come_again_until_they_are_acknowledged(inbox, admin, queue, write, lapse):
    write("btc.csv")
    assert look(inbox)[0] == ["btc.csv"]
    assert look(inbox) == ([], [])
    lapse()
    found, receipts = look(inbox)
    assert found == ["btc.csv"]
    inbox.acknowledge(receipts)
    inbox.acknowledge(receipts)
    assert waiting(admin, queue.url) == 0


def test_lost_events_are_made_up_for_by_a_listing_now_and_then(inbox, admin, queue, write):
    write("btc.csv")
    admin.client("sqs").purge_queue(QueueUrl=queue.url)
    assert look(inbox) == ([], [])
    assert look(inbox, time.time() - RELIST_SECONDS + HANG_S) == ([], [])
    news = inbox.news(time.time() - RELIST_SECONDS - 1)
    assert (news.complete, news.receipts) == (True, [])
    assert news.arrivals == [inbox.arrival("btc.csv")]


def test_an_event_before_its_object_is_visible_comes_again(inbox, admin, queue, write, lapse):
    write("btc.csv")
    inbox.objects.delete(["btc.csv"])  # not to be seen, as with an event that came too early
    inbox.acknowledge(look(inbox)[1])
    lapse()
    write("btc.csv")
    found, receipts = look(inbox)
    assert (found, len(receipts)) == (["btc.csv"], 2)
    inbox.acknowledge(receipts)
    assert waiting(admin, queue.url) == 0


def test_the_overrides_are_no_upload_and_their_event_is_worked_off(inbox, admin, queue, write):
    write(OVERRIDES, b"")
    write(f"btc/{OVERRIDES}", b"")
    found, receipts = look(inbox)
    assert (found, len(receipts)) == ([f"btc/{OVERRIDES}"], 2)
    inbox.acknowledge(receipts)
    assert waiting(admin, queue.url) == 0


def test_what_the_product_writes_itself_is_no_news(inbox, admin, queue, write):
    inbox.pin("btc.csv", b"x")
    delivered(admin, queue.url, 1)
    write("_registry/BTC.json", b"{}")
    assert look(inbox) == ([], [])
    assert waiting(admin, queue.url) == 0
