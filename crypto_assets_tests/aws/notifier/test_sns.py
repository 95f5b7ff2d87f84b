"""The notifier on SNS: every notice arrives, in the lengths and characters that SNS takes."""

from __future__ import annotations

import json
import logging

import pytest

from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.notifier.sns import MESSAGE_BYTES, SnsNotifier
from crypto_assets_tests.helpers.upload_queue import arn
from crypto_assets_tests.helpers.waiting import until


@pytest.fixture
def topic(admin, bucket):
    return admin.client("sns").create_topic(Name=bucket)["TopicArn"]


@pytest.fixture
def arrived(admin, bucket, topic):
    """Reads the one notice that a subscriber of the topic was sent."""
    sqs = admin.client("sqs")
    queue = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    admin.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(sqs, queue))

    def read():
        found = until("a notice", lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
        (message,) = found
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        notice = json.loads(message["Body"])
        return notice["Subject"], notice["Message"]

    return read


@pytest.fixture
def notifier(aws, topic):
    return SnsNotifier(aws=aws, topic_arn=topic)


@pytest.mark.parametrize(
    ("subject", "text", "wanted"),
    [
        ("2 tickers failed", "BTC failed\n比特币", ("2 tickers failed", "BTC failed\n比特币")),
        ("run\nbroke  off\x07", "why", ("run broke off?", "run\nbroke  off\\u0007\n\nwhy")),
        ("比特币 é", "b\udcff.csv", ("??? ?", "比特币 é\n\nb\\udcff.csv")),
        ("x" * 100, "y", ("x" * 100, "y")),
        ("x" * 101, "y", (f"{'x' * 97}...", f"{'x' * 101}\n\ny")),
        ("no text", "", ("no text", "no text\n\n")),
        ("", "no subject", ("notice", "\n\nno subject")),
    ],
)
def test_a_notice_arrives_and_says_what_its_subject_could_not(
    notifier, arrived, subject, text, wanted
):
    notifier.notify(subject, text)
    assert arrived() == wanted


def test_a_notice_of_256_kb_arrives_whole_and_a_longer_one_says_that_it_was_cut(notifier, arrived):
    whole = "é" * (MESSAGE_BYTES // 2)
    notifier.notify("long", whole)
    assert arrived() == ("long", whole)
    notifier.notify("longer", f"{whole}.")
    _, message = arrived()
    assert MESSAGE_BYTES - 1 <= len(message.encode()) <= MESSAGE_BYTES
    text, _, last = message.rpartition("\n")
    assert set(text) == {"é"}
    assert last == "[cut here: the notice has 262,145 bytes, SNS takes 262,144]"


def test_a_notice_that_sns_refuses_is_an_error_and_in_the_log(aws, topic, caplog):
    notifier = SnsNotifier(aws=aws, topic_arn=f"{topic}-other")
    with (
        caplog.at_level(logging.ERROR, "crypto_assets.notices"),
        pytest.raises(RefusedError, match="NotFound"),
    ):
        notifier.notify("1 ticker failed", "BTC")
    assert caplog.messages == ["1 ticker failed\nBTC"]
