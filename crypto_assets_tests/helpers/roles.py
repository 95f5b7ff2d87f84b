"""Who asks AWS in the tests, by access key, and whether the policies let them.

Both those of `deploy/iam` and those of the template have to. Each role has a key of its own. What a
test itself prepares or looks at, it asks as admin: of that no policy says anything. How a request
is judged is `iam` and `iam_calls`.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.request import Request
from crypto_assets_tests.helpers.iam import Call, allows
from crypto_assets_tests.helpers.iam_calls import calls_of
from crypto_assets_tests.helpers.template import allows_in_stack

POLICIES = Path(__file__).parents[2] / "deploy/iam"
ORCHESTRATOR, UPLOADER = "AKIATESTORCHESTRATOR", "AKIATESTTESTUPLOADER"
JOB, COPY = "AKIATESTTESTTEST0JOB", "AKIATESTTESTTESTCOPY"
# Two more identities that run Dagster, each with a database user of its own.
LAPTOP_KEY, SERVER_KEY = "AKIATESTTESTTESTLAPTOP", "AKIATESTTESTTESTSERVER"
FUNCTION = "000000000000"  # ministack gives its functions this one
ADMIN = "AKIATESTTESTTESTROOT"
_ROLES = {
    **dict.fromkeys((ORCHESTRATOR, LAPTOP_KEY, SERVER_KEY), "orchestrator"),
    UPLOADER: "uploader",
    JOB: "job",
    COPY: "copy",
    FUNCTION: "stream-function",
}
# Names of buckets and of what tests name after them; `none` is not there.
_MADE = r"(?:(?:test|shared)-[\w-]+|none)"
_IN_S3 = "arn:aws:s3:::"
# What stands in the policies for what a test has in its place; a whole bucket may be either one.
_SAMPLES = (
    (rf"{_IN_S3}{_MADE}/job-logs/(.*)", rf"{_IN_S3}example-lake/example-logs/\1"),
    (
        rf"{_IN_S3}{_MADE}/(?:(?:the/)?lake/|(?=load/))(.*)",
        rf"{_IN_S3}example-lake/example-tables/\1",
    ),
    (rf"{_IN_S3}{_MADE}/(?:inbox/|in/box/)?(.*)", rf"{_IN_S3}example-uploads/example-inbox/\1"),
    (rf"{_IN_S3}{_MADE}", f"{_IN_S3}example-lake", f"{_IN_S3}example-uploads"),
    (rf"(arn:aws:sqs:.*:){_MADE}-dead", r"\1example-queue-dead"),
    (rf"(arn:aws:sqs:.*:){_MADE}", r"\1example-queue"),
    (rf"(arn:aws:sns:.*:)(?:{_MADE}|accounts-\w+)", r"\1example-topic"),
    (rf"(arn:aws:iam:.*:role/){_MADE}", r"\1crypto-assets-job"),
    (r"(arn:aws:iam:.*:role/)copy", r"\1crypto-assets-copy"),
    (rf"(arn:aws:dynamodb:.*:table/){_MADE}-CustomerAccount", r"\1CustomerAccount"),
    (r"(arn:aws:dynamodb:.*:table/)accounts-\w+", r"\1CustomerAccount"),
    (r"(arn:aws:dynamodb:.*:table/)accounts-\w+-digests", r"\1CustomerAccountDigests"),
    (r"(arn:aws:kms:.*:key/).+", r"\g<1>11111111-2222-3333-4444-555555555555"),
    (r"(.*:namespace/)market", r"\g<1>33333333-4444-5555-6666-777777777777"),
    (r"(arn:aws:emr-serverless:.*:/applications/)0none", r"\g<1>00f1abcdefgh0123"),
    (r"(.*:workgroup/)(?:analytics|market|none)", r"\g<1>66666666-7777-8888-9999-000000000000"),
)


def keys_of(key: str) -> dict[str, str]:
    """The credentials of this access key, as environment variables."""
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "made-up-secret"}


@cache
def client_of(key: str, url: str, service: str) -> Any:
    """A client of this service at this address, with this access key."""
    credentials = {name.lower(): value for name, value in keys_of(key).items()}
    return boto3.client(service, REGION, endpoint_url=url, **credentials)


@dataclass(frozen=True)
class Admin:
    """Who prepares and looks at what is behind this address."""

    endpoint_url: str

    def client(self, service: str) -> Any:
        return client_of(ADMIN, self.endpoint_url, service)


@cache
def policy(role: str) -> Mapping[str, Any]:
    """The identity policy of a role, with its sample names."""
    return json.loads((POLICIES / f"{role}.json").read_text())


def allows_in_file(role: str, call: Call) -> bool:
    """Whether the policy of a role in `deploy/iam` allows a call."""
    return allows(policy(role), call)


@dataclass(frozen=True, eq=False)  # two that saw the same are two who watch
class Record:
    """The requests that were seen since it was last judged."""

    _requests: deque[Request] = field(default_factory=deque)

    def __call__(self, request: Request) -> None:
        self._requests.append(request)

    def refused(self) -> list[str]:
        """Role, action and resource of each call that its role's policy does not allow."""
        requests = [self._requests.popleft() for _ in range(len(self._requests))]
        asked = dict.fromkeys(
            (request.key, call)
            for request in requests
            if request.key != ADMIN
            for call in calls_of(request)
        )
        return [
            f"{_ROLES.get(key, f'nobody ({key!r})')}: {call.action} on {call.resource}"
            for key, call in asked
            if not _is_allowed(key, call)
        ]


def _is_allowed(key: str, call: Call) -> bool:
    return key in _ROLES and any(
        allows_in_file(_ROLES[key], one) and allows_in_stack(_ROLES[key], one)
        for one in _sampled(call)
    )


def _sampled(call: Call) -> Iterator[Call]:
    """The call with the policies' sample names for those of the test."""
    for pattern, *samples in _SAMPLES:
        if found := re.fullmatch(pattern, call.resource, re.DOTALL):
            yield from (Call(call.action, found.expand(one), call.context) for one in samples)
            return
    yield call
