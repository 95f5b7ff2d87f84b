"""The function that gives the warehouse of a stack its usage limit, and what it answers."""

from __future__ import annotations

import importlib.util
import json
from http.server import BaseHTTPRequestHandler

import pytest

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.router import serving
from crypto_assets_tests.doubles.serverless_double import Serverless, serverless
from crypto_assets_tests.helpers.template import TEMPLATE

WORKGROUP = f"arn:aws:redshift-serverless:{REGION}:123456789012:workgroup/0a1b"
LIMIT = {
    "usageLimitId": "limit-0",
    "resourceArn": WORKGROUP,
    "usageType": "serverless-compute",
    "period": "monthly",
    "breachAction": "deactivate",
}
ANSWER = {
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "UsageLimit",
    "PhysicalResourceId": WORKGROUP,
    "Status": "SUCCESS",
}


@pytest.fixture
def account(credentials, monkeypatch):
    with serverless() as double:
        monkeypatch.setenv("AWS_ENDPOINT_URL", double.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        yield double


@pytest.fixture
def answered(account: Serverless):
    """What the function answers to CloudFormation, and of which type it says the answer is."""
    code = TEMPLATE.parent / "lambda/usage_limit/handler.py"
    spec = importlib.util.spec_from_file_location("usage_limit", code)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    answers = []

    class Stack(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answers.append((json.loads(body), self.headers["Content-Type"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    def call(kind: str, rpu_hours: str = "100"):
        with serving(Stack) as url:
            given = {"Workgroup": WORKGROUP, "RpuHours": rpu_hours}
            names = ("StackId", "RequestId", "LogicalResourceId")
            event = {name: ANSWER[name] for name in names}
            event |= {"RequestType": kind, "ResponseURL": url, "ResourceProperties": given}
            module.handler(event, None)
        return answers.pop()

    return call


def test_a_new_stack_gives_its_workgroup_a_limit_that_stops_it(account, answered):
    assert answered("Create") == (ANSWER, "")
    assert account.usage_limits == [{**LIMIT, "amount": 100}]


def test_a_changed_stack_changes_the_limit_that_is_there(account, answered):
    weekly = {**LIMIT, "usageLimitId": "limit-7", "period": "weekly", "amount": 5}
    account.usage_limits = [weekly, {**LIMIT, "amount": 100}]
    assert answered("Update", "40") == (ANSWER, "")
    assert account.usage_limits == [weekly, {**LIMIT, "amount": 40}]


def test_a_deleted_stack_asks_nothing_of_a_workgroup_that_may_be_gone(account, answered):
    account.usage_limits = [{**LIMIT, "amount": 100}]
    assert answered("Delete") == (ANSWER, "")
    assert account.usage_limits == [{**LIMIT, "amount": 100}]


def test_what_goes_wrong_is_the_answer(account, answered):
    answer, _ = answered("Create", "many")
    reason = "invalid literal for int() with base 10: 'many'"
    assert answer == {**ANSWER, "Status": "FAILED", "Reason": reason}
    assert account.usage_limits == []
