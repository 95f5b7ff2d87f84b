"""Where the news of uploads goes: the queue, the rule that fills it, and the topic of notices."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from crypto_assets.resources.aws import split_uri
from crypto_assets.resources.doctor.buckets import bucket_of
from crypto_assets.resources.doctor.piece import Account, Piece
from crypto_assets.resources.doctor.roles import services_of
from crypto_assets.resources.errors import UsageError

VISIBILITY_S = 60
_OF_ADDRESS = re.compile(r"//(?:sqs\.)?([a-z]+(?:-[a-z]+)+-\d)\.(?:queue\.)?amazonaws\.")
_SQS_OWN_KEY = "alias/aws/sqs"  # of SQS itself: its policy cannot let EventBridge use it
_RULES = (
    "events:ListRules, events:DescribeRule, events:ListRuleNamesByTarget, "
    "events:ListTargetsByRule and events:TestEventPattern"
)


def _queue(account: Account, url: str) -> str:
    if region := _OF_ADDRESS.search(url):
        account.wants_region(region[1])
    found = _attributes(account, url)
    visibility, redrive = (
        int(found["VisibilityTimeout"]),
        json.loads(found.get("RedrivePolicy", "{}")),
    )
    cures = []
    if not redrive:
        cures.append("it has no dead-letter queue: set a redrive policy")
    if visibility < VISIBILITY_S:
        cures.append(f"its visibility timeout is {visibility} s: set {VISIBILITY_S} s or more")
    if found.get("KmsMasterKeyId", "").endswith(_SQS_OWN_KEY):
        cures.append(f"EventBridge cannot use its key {_SQS_OWN_KEY}: encrypt by SSE-SQS")
    if cures:
        raise UsageError("; ".join(cures))
    receives = redrive["maxReceiveCount"]
    return f"a message comes again after {visibility} s, {receives} times in all"


def _dead_letters(account: Account, url: str) -> str:
    """What is left of events that were not worked off in all their attempts.

    The dead-letter queue of a queue is in the same account and region, as SQS demands.
    """
    redrive = json.loads(_attributes(account, url)["RedrivePolicy"])
    dead = f"{url.rpartition('/')[0]}/{redrive['deadLetterTargetArn'].rpartition(':')[2]}"
    count = int(_attributes(account, dead)["ApproximateNumberOfMessages"])
    if count:
        raise UsageError(
            f"events of uploads were not worked off in {redrive['maxReceiveCount']} attempts: "
            f"{count:,}. The hourly look at the bucket finds their uploads all the same; "
            f"`aws sqs receive-message --queue-url {dead}` shows events, "
            f"`aws sqs purge-queue --queue-url {dead}` deletes them all"
        )
    return "no event of an upload was given up"


def _rule(account: Account, url: str) -> str:
    """Whether a rule sends the events of all uploads to the queue, and may."""
    queue = _attributes(account, url)
    rules = _Rules(account.client("events"), list(_uploads(account)))
    arn = queue["QueueArn"]
    names = rules.names(arn)
    sending = [name for name in names if rules.sends(rules.rule(name))]
    if not sending:
        raise UsageError(_cure(rules, names, arn))
    senders = services_of(json.loads(queue.get("Policy") or "{}"), "sqs:SendMessage")
    if not senders & {"events.amazonaws.com", "*"} and not any(
        rules.has_role(name, arn) for name in sending
    ):
        raise UsageError(
            "the queue's policy does not let EventBridge send to it: allow events.amazonaws.com "
            "sqs:SendMessage"
        )
    return f"rule {', '.join(sending)} sends the events of uploads to the queue"


def _cure(rules: _Rules, names: list[str], queue: str) -> str:
    if names:
        return (
            f"rule {', '.join(names)} has the queue for target, but is disabled or its pattern "
            "leaves out events of uploads (Object Created by PutObject or CompleteMultipartUpload, "
            f"keys such as {rules.key}): enable or correct it"
        )
    if without := [rule["Name"] for rule in rules.of_s3() if rules.sends(rule)]:
        return f"rule {', '.join(without)} does not have the queue for target: add {queue} to it"
    return f"no rule sends it the events of uploads: make one for aws.s3, with {queue} as target"


class _Rules:
    """The rules of the default bus, where S3 sends its events, tried with events of uploads."""

    def __init__(self, client: Any, uploads: list[dict[str, Any]]) -> None:
        self._client = client
        self._uploads = [json.dumps(upload) for upload in uploads]
        self.key = uploads[0]["detail"]["object"]["key"]

    def names(self, queue: str) -> list[str]:
        pages = self._client.get_paginator("list_rule_names_by_target").paginate(TargetArn=queue)
        return [name for page in pages for name in page["RuleNames"]]

    def rule(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.describe_rule(Name=name)
        return found

    def of_s3(self) -> list[dict[str, Any]]:
        """The rules for events of S3; an account may have hundreds of others."""
        pages = self._client.get_paginator("list_rules").paginate()
        rules = (rule for page in pages for rule in page["Rules"])
        return [rule for rule in rules if "aws.s3" in rule.get("EventPattern", "")]

    def sends(self, rule: dict[str, Any]) -> bool:
        pattern = rule.get("EventPattern")
        return (
            bool(pattern)
            and rule["State"] != "DISABLED"
            and all(
                self._client.test_event_pattern(EventPattern=pattern, Event=upload)["Result"]
                for upload in self._uploads
            )
        )

    def has_role(self, name: str, queue: str) -> bool:
        """Whether the rule sends to the queue as a role, so that its policy does not matter."""
        pages = self._client.get_paginator("list_targets_by_rule").paginate(Rule=name)
        targets = [target for page in pages for target in page["Targets"]]
        return any(target["Arn"] == queue and target.get("RoleArn") for target in targets)


def _uploads(account: Account) -> Iterator[dict[str, Any]]:
    """Events as S3 sends them of uploads to the inbox, in one request and in parts.

    docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    inbox = account.settings.aws.inbox
    bucket, (_, prefix) = bucket_of(inbox), split_uri(inbox)
    key = f"{prefix}/BTC.csv" if prefix else "BTC.csv"
    for reason in ("PutObject", "CompleteMultipartUpload"):
        yield {
            "version": "0",
            "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": "111122223333",
            "time": "2026-01-01T00:00:00Z",
            "region": account.region,
            "resources": [f"arn:aws:s3:::{bucket}"],
            "detail": {
                "version": "0",
                "bucket": {"name": bucket},
                "object": {"key": key, "size": 5000, "etag": "b1946ac92492d2347c6235b4d2611184"},
                "reason": reason,
            },
        }


def _attributes(account: Account, url: str) -> dict[str, str]:
    names = [
        *("ApproximateNumberOfMessages", "KmsMasterKeyId", "Policy", "QueueArn"),
        *("RedrivePolicy", "VisibilityTimeout"),
    ]
    sqs = account.client("sqs")
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names).get(
        "Attributes", {}
    )
    return found


def _topic(account: Account, arn: str) -> str:
    _, _, _, region, *_ = f"{arn}:::".split(":")
    account.wants_region(region)
    account.client("sns").get_topic_attributes(TopicArn=arn)
    return arn


QUEUE = (
    Piece("queue", "queue_url", "sqs:GetQueueAttributes", _queue, optional=True),
    Piece("inbox rule", "queue_url", _RULES, _rule),
    Piece("dead letters", "queue_url", "sqs:GetQueueAttributes", _dead_letters),
)
TOPIC = (Piece("topic", "topic_arn", "sns:GetTopicAttributes", _topic),)
