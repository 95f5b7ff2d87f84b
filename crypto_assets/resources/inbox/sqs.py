"""Upload events: what an SQS queue tells of the inbox, so that no tick has to list the bucket.

Uploads go S3 bucket -> EventBridge -> SQS, at least once and in no order. The queue's visibility
timeout has to exceed a tick, or the next one is given what this one still works on; its dead-letter
queue (`maxReceiveCount`) takes what fails again and again. What becomes of an upload is `uploads`.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

import dagster as dg
from pydantic import Field

from crypto_assets.resources.aws import Aws, faults_told
from crypto_assets.resources.storage.objects import is_hidden

LOGGER = logging.getLogger("crypto_assets.events")
_CALL_MESSAGES = 10
# Of a receipt, not of the call: the message was given to others meanwhile, or is gone.
_EXPIRED = {"ReceiptHandleIsInvalid", "InvalidParameterValue"}


@dataclass(frozen=True)
class Event:
    """An object was written at `key`, which is relative to the inbox."""

    key: str
    receipt: str


class _Foreign(Exception):  # noqa: N818 - the text says what the message is, without its content
    pass


class _Told(NamedTuple):
    """What a message says of one object."""

    created: bool
    bucket: str
    key: str


class UploadEvents(dg.ConfigurableResource):
    """The queue of the inbox's events.

    An event that is not acknowledged comes again after the queue's visibility timeout.
    """

    aws: dg.ResourceDependency[Aws]
    queue_url: str = Field(description="SQS queue that gets the inbox's events.")
    bucket: str = Field(description="Bucket of the inbox.")
    prefix: str = Field(default="", description="Prefix of the inbox in its bucket.")

    def receive(self, limit: int, seconds: float) -> list[Event]:
        """The uploads of up to `limit` messages, for at most `seconds` and the call under way.

        Messages that tell of no upload are acknowledged at once, and the log says what they were;
        one that cannot be read is left to the dead-letter queue. An idle queue costs one call.
        Raises `ServiceFault`.
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

        Raises `ServiceFault` if the queue refuses the call.
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
                found = [self._event(told, message) for told in _told(message["Body"])]
            except _Foreign as reason:
                found = [str(reason)]
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

    def _event(self, told: _Told, message: Mapping[str, Any]) -> Event | str:
        """The upload, or what the object is instead."""
        folder = f"{self.prefix.strip('/')}/".lstrip("/")
        key = told.key.removeprefix(folder)
        if told.bucket != self.bucket:
            return "of another bucket"
        if not told.key.startswith(folder):
            return "outside the inbox"
        if not told.created:
            return "of no creation"
        if not key or key.endswith("/"):
            return "of a folder"
        if is_hidden(key):
            return "of a hidden object"  # the product's own, such as the registry
        return Event(key, message["ReceiptHandle"])

    def _asking(self) -> AbstractContextManager[None]:
        return faults_told(
            permission=f"allow sqs:ReceiveMessage and sqs:DeleteMessage on {self.queue_url}",
            name="set CRYPTO_ASSETS_AWS_QUEUE_URL to a queue that is there",
        )

    @cached_property
    def _client(self) -> Any:
        return self.aws.client("sqs")


def _told(body: str) -> list[_Told]:
    """What an event of EventBridge, or S3's own notification, says; the key is as S3 has it.

    Formats: "Amazon S3 event message structure", "Amazon EventBridge event message structure" in
    the Amazon S3 user guide. Raises `_Foreign` if it is neither.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise _Foreign("without JSON") from None
    if not isinstance(document, dict):
        raise _Foreign("of another source")
    if document.get("Event") == "s3:TestEvent":
        raise _Foreign("S3 test event")
    if document.get("source") == "aws.s3":
        detail = document["detail"]
        created = document["detail-type"] == "Object Created"
        return [_object(detail, detail["object"]["key"], created=created)]
    records = document.get("Records") or [{}]
    if any(record.get("eventSource") != "aws:s3" for record in records):
        raise _Foreign("of another source")
    return [
        _object(
            record["s3"],
            unquote_plus(record["s3"]["object"]["key"], errors="strict"),
            created=record["eventName"].startswith("ObjectCreated:"),
        )
        for record in records
    ]


def _object(told: Mapping[str, Any], key: str, *, created: bool) -> _Told:
    key.encode()  # raises `UnicodeEncodeError` if S3 cannot have such a key
    return _Told(created=created, bucket=told["bucket"]["name"], key=key)
