"""An inbox's queue with all that belongs to it: dead-letter queue, rule, the bucket's events on.

What the CloudFormation template makes in an account, made here call by call on loopback.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crypto_assets.resources.inbox.sqs import UploadEvents
from crypto_assets_tests.helpers.roles import Admin
from crypto_assets_tests.helpers.waiting import HANG_S, until

FOR_GOOD_S = HANG_S  # a visibility timeout that is over when a test says so


@dataclass(frozen=True)
class UploadQueue:
    url: str
    dead_letters_url: str


def make_queue(
    admin: Admin, bucket: str, *, visible_after_s: int, max_receives: int
) -> UploadQueue:
    """A queue that gets the bucket's events."""
    sqs, events = admin.client("sqs"), admin.client("events")
    dead = sqs.create_queue(QueueName=f"{bucket}-dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": max_receives}
    url = sqs.create_queue(
        QueueName=bucket,
        Attributes={
            "VisibilityTimeout": str(visible_after_s),
            "RedrivePolicy": json.dumps(redrive),
        },
    )["QueueUrl"]
    allow_events(sqs, url)
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    events.put_rule(Name=bucket, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=bucket, Targets=[{"Id": "inbox", "Arn": arn(sqs, url)}])
    admin.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return UploadQueue(url, dead)


def allow_events(sqs: Any, url: str) -> None:
    """Lets EventBridge send to a queue."""
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn(sqs, url),
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def delivered(admin: Admin, url: str, count: int) -> None:
    """Waits until the queue has so many messages: events come some time after a write."""
    until(f"{count} messages", lambda: waiting(admin, url) == count)


def lapsing(admin: Admin, events: UploadEvents) -> Callable[[], None]:
    """What ends the visibility timeout of all messages that were received and not deleted."""
    receipts: list[str] = []

    def received(parsed: dict[str, Any], **_: object) -> None:
        receipts.extend(message["ReceiptHandle"] for message in parsed.get("Messages", ()))

    def lapse() -> None:
        for number, receipt in enumerate(receipts):
            entry = {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            sqs.change_message_visibility_batch(QueueUrl=events.queue_url, Entries=[entry])
        receipts.clear()

    sqs = admin.client("sqs")
    events._client.meta.events.register("after-call.sqs.ReceiveMessage", received)
    return lapse


def arn(sqs, url: str) -> str:
    """The ARN of the queue at this address."""
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return attributes["Attributes"]["QueueArn"]


def waiting(admin: Admin, url: str) -> int:
    """Messages of the queue, also those that were received and not deleted."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = admin.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(map(int, answer["Attributes"].values()))
