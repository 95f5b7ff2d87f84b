"""What people read when something went wrong on AWS: each text, as it is sent, with its command."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import click
import dagster as dg
import pytest

from crypto_assets.cli import main
from crypto_assets.definitions import DATA_SETS
from crypto_assets.defs import late, notices
from crypto_assets.resources.market_data.freshness import Late
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.iam_calls import ACCOUNT
from crypto_assets_tests.helpers.template import everything

EVENT = {  # "Automating EMR Serverless with Amazon EventBridge", job run state change events
    "version": "0",
    "id": "00df3ec6-5da1-36e6-ab71-20f0de68f8a0",
    "detail-type": "EMR Serverless Job Run State Change",
    "source": "aws.emr-serverless",
    "account": ACCOUNT,
    "time": "2026-05-31T21:07:42Z",
    "region": REGION,
    "resources": [],
    "detail": {
        "jobRunId": "00f1cbn5g4bb0c01",
        "applicationId": "00f1982r1uukb925",
        "arn": "arn:aws:emr-serverless:/applications/00f1982r1uukb925/jobruns/00f1cbn5g4bb0c01",
        "releaseLabel": "emr-spark-8.1.0",
        "state": "FAILED",
        "previousState": "RUNNING",
        "createdBy": f"arn:aws:iam::{ACCOUNT}:role/team-blue-orchestrator",
        "updatedAt": "2026-05-31T21:07:42.299487Z",
        "createdAt": "2026-05-31T21:07:25.325900Z",
    },
}
OTHER_WORDS = re.compile(
    r"\b(told|stands|note|order|stamp|overtaken|drop|delivery|etc)\b", re.IGNORECASE
)
ALARM = "AWS::CloudWatch::Alarm"
LONGEST_SENTENCE = 40  # words
RUN = "0f5b8d2c-3d1e-4c57-9d0e-6a54c1f2b7aa"


def transformed(target: dict[str, Any], event: dict[str, Any]) -> str:
    """What EventBridge sends of an event: "Amazon EventBridge input transformation"."""
    transformer = target["InputTransformer"]
    text = transformer["InputTemplate"]
    for name, path in transformer["InputPathsMap"].items():
        value: Any = event
        for part in path.removeprefix("$.").split("."):
            value = value[part]
        text = text.replace(f"<{name}>", value)
    return json.loads(text)


def failed_job() -> str:
    (target,) = everything().properties("FailedJobsRule")["Targets"]
    return transformed(target, EVENT)


def of_alarm(name: str) -> str:
    return everything().properties(name)["AlarmDescription"]


def failed_currencies() -> str:
    run = dg.DagsterRun(job_name="refresh_currencies", run_id=RUN)
    problems = [
        ("ETH", "bronze", "Ether Prices.csv: line 12: not a price: 'n.a. see mail'"),
        ("XMR", "silver", "history: no valid price in 3 data lines"),
    ]
    return "\n".join(notices.notice(run, problems, "", DATA_SETS))


def late_currencies() -> str:
    found = [Late("XMR", date(2026, 2, 20), 28, 7)]
    return "\n".join(late.notice(found, "s3://team-blue-uploads/inbox/currencies.toml"))


TEXTS = {
    "failed job": (
        failed_job,
        (
            "Job run 00f1cbn5g4bb0c01 of application 00f1982r1uukb925 failed: `aws emr-serverless "
            "get-job-run --application-id 00f1982r1uukb925 --job-run-id 00f1cbn5g4bb0c01` says "
            "why, `crypto-assets status` what it was for, and a running "
            "`crypto-assets ui` tries again."
        ),
    ),
    "dead letters": (
        lambda: of_alarm("DeadLettersAlarm"),
        (
            "An event of an upload was not worked off in five attempts. The hourly look at the "
            "bucket finds the upload all the same. `crypto-assets doctor` says how to see and "
            "delete it."
        ),
    ),
    "changes that were given up": (
        lambda: of_alarm("GivenUpAlarm"),
        (
            "Changes of customer accounts were reported to nobody, after ten attempts. `aws sqs "
            "receive-message --queue-url https://sqs.eu-central-1.amazonaws.com/123456789012/"
            "team-blue-given-up` shows which; the stream keeps them for 24 hours."
        ),
    ),
    "uploads that wait": (
        lambda: of_alarm("OldUploadsAlarm"),
        (
            "An upload waits for an hour: does `crypto-assets ui` run? `crypto-assets doctor` says "
            "what is wrong."
        ),
    ),
    "many uploads": (
        lambda: of_alarm("ManyUploadsAlarm"),
        (
            "For an hour more than 20,000 uploads have been waiting, two for each of 10,000 "
            "currencies: does `crypto-assets ui` run?"
        ),
    ),
    "failed currencies": (
        failed_currencies,
        (
            f"2 tickers failed in run {RUN}\n"
            "ETH failed at bronze: Ether Prices.csv: line 12: not a price: 'n.a. see mail'\n"
            "XMR failed at silver: history: no valid price in 3 data lines\n"
            "Upload files that are right; `crypto-assets materialize --failed --stale` tries again."
        ),
    ),
    "late currencies": (
        late_currencies,
        (
            "1 currency is late\n"
            "XMR: its last price is of 2026-02-20, 28 days ago; 7 are allowed\n"
            "Upload newer files; `crypto-assets status --late` lists all late currencies.\n"
            "If a currency may be older, say how old: late_after_days = DAYS below [XMR] in "
            "s3://team-blue-uploads/inbox/currencies.toml"
        ),
    ),
}
every = pytest.mark.parametrize("name", TEXTS)


@every
def test_a_notice_says_what_happened_and_which_command_helps(name):
    text, wanted = TEXTS[name]
    assert text() == wanted


@every
def test_the_commands_of_a_notice_are_whole_and_those_of_ours_exist(name):
    commands = re.findall(r"`([^`]+)`", TEXTS[name][0]())
    assert commands
    for command in commands:
        program, *words = command.split(" ")
        assert program in {"aws", "crypto-assets"}
        if program == "crypto-assets":
            called = main.get_command(click.Context(main), words[0])
            assert {*words[1:]} <= {o for each in called.params for o in each.opts}


@every
def test_a_notice_is_in_short_sentences_of_plain_words(name):
    text = TEXTS[name][0]()
    assert not OTHER_WORDS.search(text)
    sentences = re.split(r"(?<=[.?:;])\s+", text)
    assert max(len(sentence.split()) for sentence in sentences) <= LONGEST_SENTENCE


def test_each_alarm_and_each_rule_for_notices_is_read_here():
    alarms = {one["AlarmDescription"] for one in everything().of_type(ALARM).values()}
    assert alarms < {text() for text, _ in TEXTS.values()}
    rules = everything().of_type("AWS::Events::Rule").items()
    topic = everything().outputs["TopicArn"]
    assert [name for name, rule in rules if rule["Targets"][0]["Arn"] == topic] == [
        "FailedJobsRule"
    ]
