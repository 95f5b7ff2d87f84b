"""The inbox whose events come from an SQS queue, so that no tick has to list the bucket.

Uploads go S3 bucket -> EventBridge -> SQS, at least once and in no order. The queue's visibility
timeout has to exceed a tick, or the next one is given what this one still works on; its dead-letter
queue (`maxReceiveCount`) takes what fails again and again. What becomes of an upload is `uploads`.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from crypto_assets.resources.aws import Aws, aws_errors, split_uri
from crypto_assets.resources.inbox.inbox import Inbox, News, is_upload
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.storage.objects import Object, Objects, is_hidden

LOGGER = logging.getLogger("crypto_assets.events")
RELIST_SECONDS = 3600.0
TICK_MESSAGES = 500
TICK_SECONDS = 10.0
_CALL_MESSAGES = 10
# Of a receipt, not of the call: the message was given to others meanwhile, or is gone.
_EXPIRED = {"ReceiptHandleIsInvalid", "InvalidParameterValue"}


@dataclass(frozen=True)
class Event:
    """An object was written at `key`, which is relative to the inbox."""

    key: str
    receipt: str


class _Said(NamedTuple):
    """What a message says of one object."""

    created: bool
    bucket: str
    key: str


@dataclass(frozen=True, kw_only=True)
class UploadEvents:
    """The queue of the events of an inbox, which is a bucket or what lies below a prefix of it.

    An event that is not acknowledged comes again after the queue's visibility timeout.
    """

    aws: Aws
    queue_url: str
    bucket: str
    prefix: str = ""

    def receive(self, limit: int, seconds: float) -> list[Event]:
        """The uploads of up to `limit` messages, for at most `seconds` and the call under way.

        Messages that tell of no upload are acknowledged at once, and the log says what they were;
        one that cannot be read is left to the dead-letter queue. An idle queue costs one call.
        Raises `BusyError` and `RefusedError`.
        """
        deadline = time.monotonic() + seconds
        events: list[Event] = []
        received = 0
        while received < limit and (not received or time.monotonic() < deadline):
            messages = self._messages(min(_CALL_MESSAGES, limit - received))
            if not messages:
                break
            received += len(messages)
            events += self._uploads(messages)
        return events

    def acknowledge(self, receipts: Iterable[str]) -> None:
        """Deletes these messages; one that has expired or is gone already is no error.

        Raises `BusyError` and `RefusedError` as the queue answers the call.
        """
        receipts = iter(dict.fromkeys(receipts))
        while batch := list(islice(receipts, _CALL_MESSAGES)):
            entries = [{"Id": str(n), "ReceiptHandle": name} for n, name in enumerate(batch)]
            with self._asking():
                answer = self._client.delete_message_batch(QueueUrl=self.queue_url, Entries=entries)
            for failed in answer.get("Failed", []):
                if failed["Code"] not in _EXPIRED:
                    LOGGER.warning("an event comes again: SQS says %s", failed["Code"])

    def _messages(self, limit: int) -> list[dict[str, Any]]:
        with self._asking():
            answer = self._client.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=0,
            )
        return answer.get("Messages", [])

    def _uploads(self, messages: Iterable[dict[str, Any]]) -> Iterator[Event]:
        """The uploads these messages tell of; those that tell of none are acknowledged."""
        skipped: Counter[str] = Counter()
        foreign = []
        for message in messages:
            try:
                found = [
                    said if isinstance(said, str) else self._event(said, message)
                    for said in _said(message["Body"])
                ]
            except Exception as error:  # noqa: BLE001 - one message must not stop the others
                kind, name = type(error).__name__, message["MessageId"]
                LOGGER.warning("message %s cannot be read and comes again: %s", name, kind)
                continue
            events = [event for event in found if isinstance(event, Event)]
            skipped.update(reason for reason in found if isinstance(reason, str))
            if not events:
                foreign.append(message["ReceiptHandle"])
            yield from events
        if skipped:
            LOGGER.info(
                "skipped messages: %s", ", ".join(f"{n} {what}" for what, n in skipped.items())
            )
        self.acknowledge(foreign)

    def _event(self, said: _Said, message: Mapping[str, Any]) -> Event | str:
        """The upload, or what the object is instead."""
        folder = f"{self.prefix.strip('/')}/".lstrip("/")
        key = said.key.removeprefix(folder)
        if said.bucket != self.bucket:
            return "of another bucket"
        if not said.key.startswith(folder):
            return "outside the inbox"
        if not said.created:
            return "of no creation"
        if not key or key.endswith("/"):
            return "of a folder"
        if is_hidden(key):
            return "of a hidden object"  # the product's own, such as the registry
        return Event(key, message["ReceiptHandle"])

    def _asking(self) -> AbstractContextManager[None]:
        return aws_errors(
            permission=f"allow sqs:ReceiveMessage and sqs:DeleteMessage on {self.queue_url}",
            name="set CRYPTO_ASSETS_AWS_QUEUE_URL to a queue that is there",
        )

    @cached_property
    def _client(self) -> Any:
        return self.aws.client("sqs")


@dataclass(frozen=True, kw_only=True)
class EventInbox(Inbox):
    """The uploads of a bucket with events; listed now and then, for events that got lost."""

    events: UploadEvents

    @classmethod
    def of(cls, settings: Settings, objects: Objects) -> Inbox:
        """As `Inbox.of`; without a queue the bucket is listed."""
        queue_url = settings.aws.queue_url
        if not queue_url:
            return Inbox(objects=objects)
        bucket, prefix = split_uri(settings.aws.wanted("inbox"))
        aws = Aws.of(settings)
        events = UploadEvents(aws=aws, queue_url=queue_url, bucket=bucket, prefix=prefix)
        return cls(objects=objects, events=events)

    def news(self, listed_at: float) -> News:
        """What events tell of; one whose object is not to be seen yet comes again."""
        if time.time() - listed_at > RELIST_SECONDS:
            return super().news(listed_at)
        events = self.events.receive(TICK_MESSAGES, TICK_SECONDS)
        keys = {event.key for event in events if is_upload(event.key)}
        seen = self.objects.for_each(self.arrival, keys)
        found = {arrival.key: arrival for arrival in seen if arrival}
        receipts = [(e.key, e.receipt) for e in events if e.key in found or e.key not in keys]
        return News(list(found.values()), complete=False, receipts=receipts)

    def acknowledge(self, receipts: Collection[str]) -> None:
        self.events.acknowledge(receipts)

    def is_settled(self, arrival: Object) -> bool:  # noqa: ARG002 - objects are written whole
        return True


def _said(body: str) -> list[_Said | str]:
    """What an event of EventBridge, or S3's own notification, says; the key is as S3 has it.

    Formats: "Amazon S3 event message structure", "Amazon EventBridge event message structure" in
    the Amazon S3 user guide. If it is neither, one text says what the message is instead.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ["without JSON"]
    if not isinstance(document, dict):
        return ["of another source"]
    if document.get("Event") == "s3:TestEvent":
        return ["S3 test event"]
    if document.get("source") == "aws.s3":
        detail = document["detail"]
        created = document["detail-type"] == "Object Created"
        return [_object(detail, detail["object"]["key"], created=created)]
    records = document.get("Records") or [{}]
    if any(record.get("eventSource") != "aws:s3" for record in records):
        return ["of another source"]
    return [
        _object(
            record["s3"],
            unquote_plus(record["s3"]["object"]["key"], errors="strict"),
            created=record["eventName"].startswith("ObjectCreated:"),
        )
        for record in records
    ]


def _object(named: Mapping[str, Any], key: str, *, created: bool) -> _Said:
    key.encode()  # raises `UnicodeEncodeError` if S3 cannot have such a key
    return _Said(created=created, bucket=named["bucket"]["name"], key=key)
