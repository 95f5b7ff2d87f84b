"""The doctor sees uploads of which the queue never hears, and queues that cannot get the news."""

from __future__ import annotations

import json

import pytest

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.upload_queue import arn, make_queue

OTHERS = {"detail": {"object": {"key": [{"prefix": "other/"}]}}}


@pytest.fixture
def queue(admin, bucket):
    return make_queue(admin, bucket, visible_after_s=60, max_receives=5)


@pytest.fixture
def rule(said, bucket, queue):
    """What is said of the rule that is to fill the queue."""
    return lambda: said(inbox=f"s3://{bucket}/in", queue_url=queue.url)["inbox rule"]


@pytest.fixture
def events(admin):
    return admin.client("events")


def pattern(bucket, **more):
    found = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}, **more}}
    return json.dumps(found)


@pytest.mark.parametrize(
    "more",
    [
        {"object": {"key": [{"prefix": "other/"}]}},
        {"object": {"key": [{"suffix": ".parquet"}]}},
        {"reason": ["PutObject"]},  # large files come in parts
    ],
)
def test_a_rule_whose_pattern_leaves_uploads_out_is_reported(rule, events, bucket, more):
    events.put_rule(Name=bucket, EventPattern=pattern(bucket, **more))
    ok, text = rule()
    assert not ok
    assert f"rule {bucket} has the queue for target, but is disabled or its pattern leaves" in text
    assert "keys such as in/BTC.csv): enable or correct it" in text


def test_a_rule_that_is_disabled_is_reported(rule, events, bucket):
    events.disable_rule(Name=bucket)
    assert "enable or correct it" in rule()[1]


def test_a_rule_for_the_prefix_of_the_inbox_is_fit(rule, events, bucket):
    narrow = pattern(bucket, object={"key": [{"prefix": "in/"}]})
    events.put_rule(Name=bucket, EventPattern=narrow)
    assert rule() == (True, f"rule {bucket} sends the events of uploads to the queue")


def test_a_rule_that_has_no_queue_for_target_is_reported_with_the_cure(
    rule, events, admin, bucket, queue
):
    events.remove_targets(Rule=bucket, Ids=["inbox"])
    wanted = arn(admin.client("sqs"), queue.url)
    ok, text = rule()
    assert not ok
    assert f"rule {bucket} does not have the queue for target: add {wanted} to it" in text
    events.delete_rule(Name=bucket)
    ok, text = rule()
    assert not ok
    assert "no rule sends it the events of uploads: make one for aws.s3" in text


def test_a_queue_that_does_not_let_eventbridge_send_is_reported_unless_a_role_does(
    rule, events, admin, bucket, queue
):
    sqs = admin.client("sqs")
    sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": ""})
    ok, text = rule()
    assert not ok
    assert "policy does not let EventBridge send to it: allow events.amazonaws.com sqs:Sen" in text
    target = {"Id": "inbox", "Arn": arn(sqs, queue.url), "RoleArn": "arn:aws:iam::1:role/send"}
    events.put_targets(Rule=bucket, Targets=[target])
    assert rule()[0]


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"Service": "events.amazonaws.com"}])
def test_a_policy_lets_eventbridge_send_in_several_words(rule, admin, queue, principal):
    allowed = {"Effect": "Allow", "Principal": principal, "Action": "SQS:Send*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    admin.client("sqs").set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": policy})
    assert rule()[0]


def test_a_queue_whose_key_eventbridge_cannot_use_is_reported(said, admin, bucket, queue):
    key = {"KmsMasterKeyId": "alias/aws/sqs"}
    admin.client("sqs").set_queue_attributes(QueueUrl=queue.url, Attributes=key)
    ok, text = said(inbox=f"s3://{bucket}", queue_url=queue.url)["queue"]
    assert not ok
    assert "EventBridge cannot use its key alias/aws/sqs: encrypt by SSE-SQS" in text


def test_a_queue_or_topic_in_another_region_is_reported_before_it_is_looked_for(said):
    found = said(
        queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/uploads",
        topic_arn="arn:aws:sns:us-east-1:123456789012:notices",
    )
    for what in ("queue", "topic"):
        ok, text = found[what]
        assert not ok
        assert f"it is in us-east-1, but {REGION} is set" in text


@pytest.mark.parametrize("operation", ["ListRuleNamesByTarget", "TestEventPattern"])
def test_rules_that_may_not_be_looked_at_are_not_checked(rule, router, operation):
    router.fail("events", 9, status=400, code="AccessDeniedException", operation=operation)
    ok, text = rule()
    assert ok
    assert "not checked, events:ListRules, events:DescribeRule, events:ListRuleNames" in text


def test_events_that_were_given_up_are_counted_with_the_commands_that_help(
    said, admin, bucket, queue
):
    letters = {"inbox": f"s3://{bucket}/in", "queue_url": queue.url}
    assert said(**letters)["dead letters"] == (True, "no event of an upload was given up")
    for body in ("{", "[]"):
        admin.client("sqs").send_message(QueueUrl=queue.dead_letters_url, MessageBody=body)
    ok, text = said(**letters)["dead letters"]
    assert not ok
    assert "events of uploads were not worked off in 5 attempts: 2. The hourly look" in text
    dead = queue.dead_letters_url
    assert f"`aws sqs receive-message --queue-url {dead}` shows events" in text
    assert f"`aws sqs purge-queue --queue-url {dead}` deletes them all" in text
