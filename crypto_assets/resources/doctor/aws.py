"""The doctor's round of the AWS account: looks at each piece, says what is missing and the cure.

Only looks, never changes anything. What a piece is for is in the module that uses it; whether this
machine itself is fit is `doctor`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from crypto_assets.resources.aws import MAY_NOT, Aws, error_code, one_line, split_uri
from crypto_assets.resources.doctor.finding import Finding
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.settings import Settings, variable

RELEASE = "emr-spark-8.1.0"
VISIBILITY_S = 60
_MISSING = re.compile(r"NoSuch|NotFound|NonExist|DoesNotExist|^404$")
_CREDENTIALS = "renew them, or name others by AWS_PROFILE or CRYPTO_ASSETS_AWS_KEY_FILE"


@dataclass(frozen=True)
class _Piece:
    """One thing in the account, the setting that names it and how it is looked at.

    `look` gives what was found and raises `UsageError` with the cure; it needs leave for `action`.
    What the product does not do itself (not `needed`) need not be permitted here: then it is
    reported as not checked.
    """

    what: str
    setting: str
    action: str
    look: Callable[[Any, str], str]
    needed: bool = False
    optional: bool = False

    @property
    def service(self) -> str:
        return self.action.partition(":")[0]


def uses_aws(settings: Settings) -> bool:
    """Whether any resource is on AWS."""
    return any(getattr(settings, name) == word for name, word in _PIECES)


def examine_aws(aws: Aws, settings: Settings) -> Iterator[Finding]:
    """The credentials, then a finding for each piece; those of the network come within seconds.

    Nothing if no resource is on AWS.
    """
    if not uses_aws(settings):
        return
    named = settings.aws
    used = (pieces for (name, word), pieces in _PIECES.items() if getattr(settings, name) == word)
    asked = [p for pieces in used for p in pieces if getattr(named, p.setting) or not p.optional]
    try:
        yield _credentials(aws)
        # Made here: clients may be shared between threads, but not made in several.
        clients = {s: aws.client(s, quick=True) for s in dict.fromkeys(p.service for p in asked)}
    except UsageError as error:
        yield Finding("credentials", False, str(error))
        return
    with ThreadPoolExecutor(len(asked) or 1) as pool:
        yield from pool.map(
            lambda piece: _look(piece, clients[piece.service], getattr(named, piece.setting)),
            asked,
        )


def _credentials(aws: Aws) -> Finding:
    """Whose credentials they are. Raises `UsageError` if AWS does not take them."""
    from botocore import exceptions

    try:
        who = aws.client("sts", quick=True).get_caller_identity()
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        return Finding("credentials", False, one_line(error))
    except exceptions.ClientError as error:
        raise UsageError(f"AWS does not take them: {error_code(error)}: {_CREDENTIALS}") from error
    except exceptions.BotoCoreError as error:
        raise UsageError(f"{one_line(error)}: {_CREDENTIALS}") from error
    return Finding("credentials", True, f"account {who['Account']}, {who['Arn']}")


def _look(piece: _Piece, client: Any, value: str) -> Finding:
    from botocore.exceptions import ClientError

    name = variable("aws", piece.setting)
    if not value:
        return Finding(piece.what, False, f"not set: set {name}")
    try:
        return Finding(piece.what, True, piece.look(client, value))
    except ClientError as error:
        code = error_code(error) or "an error without a code"
        if MAY_NOT.search(code):
            cure = f"not checked, {piece.action} is not permitted: allow it"
            return Finding(piece.what, not piece.needed, f"{value}: {cure}")
        there = "it is not there" if _MISSING.search(code) else f"{piece.action} says {code}"
        return Finding(piece.what, False, f"{value}: {there}: create it or correct {name}")
    except Exception as error:  # noqa: BLE001 - whatever is wrong is what the doctor is asked for
        return Finding(piece.what, False, f"{value}: {one_line(error)} ({name})")


def _bucket(client: Any, uri: str) -> str:
    region = client.head_bucket(Bucket=_bucket_of(uri)).get("BucketRegion", "")
    return f"{uri} {region}".strip()


def _notifications(client: Any, uri: str) -> str:
    answer = client.get_bucket_notification_configuration(Bucket=_bucket_of(uri))
    if "EventBridgeConfiguration" not in answer:
        raise UsageError("it sends EventBridge nothing: turn on its EventBridge notifications")
    return "EventBridge gets the events of uploads"


def _bucket_of(uri: str) -> str:
    bucket, _ = split_uri(uri)
    if not uri.startswith("s3://") or not bucket:
        raise UsageError("an S3 URI such as s3://bucket or s3://bucket/folder is wanted")
    return bucket


def _queue(client: Any, url: str) -> str:
    names = ["RedrivePolicy", "VisibilityTimeout"]
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names).get("Attributes", {})
    visibility, redrive = (
        int(found["VisibilityTimeout"]),
        json.loads(found.get("RedrivePolicy", "{}")),
    )
    cures = []
    if not redrive:
        cures.append("it has no dead-letter queue: set a redrive policy")
    if visibility < VISIBILITY_S:
        cures.append(f"its visibility timeout is {visibility} s: set {VISIBILITY_S} s or more")
    if cures:
        raise UsageError("; ".join(cures))
    receives = redrive["maxReceiveCount"]
    return f"a message comes again after {visibility} s, {receives} times in all"


def _application(client: Any, application_id: str) -> str:
    found = client.get_application(applicationId=application_id)["application"]
    label, state = found["releaseLabel"], found["state"]
    if label != RELEASE:
        raise UsageError(f"its release is {label}: create one of {RELEASE}")
    if state == "TERMINATED":
        raise UsageError("it is terminated: create another")
    return f"{application_id} {label}, {state.lower()}"


def _workgroup(client: Any, name: str) -> str:
    status = client.get_workgroup(workgroupName=name)["workgroup"]["status"]
    if status not in {"AVAILABLE", "MODIFYING"}:
        raise UsageError(f"it is {status.lower()}: wait, or create another")
    return f"{name}, {status.lower()}"


def _topic(client: Any, arn: str) -> str:
    client.get_topic_attributes(TopicArn=arn)
    return arn


def _role_of(*services: str) -> Callable[[Any, str], str]:
    """Looks whether one of these services may take on the role."""

    def look(client: Any, arn: str) -> str:
        role = client.get_role(RoleName=arn.rpartition("/")[2])["Role"]
        trusted = _trusted(role["AssumeRolePolicyDocument"]) & set(services)
        if not trusted:
            raise UsageError(f"its trust policy does not name {services[0]}: add it")
        return f"{arn} trusts {', '.join(sorted(trusted))}"

    return look


def _trusted(policy: Mapping[str, Any]) -> set[str]:
    """The services that a trust policy allows."""
    found: set[str] = set()
    for statement in _listed(policy.get("Statement", [])):
        principal = statement.get("Principal", {})
        if statement.get("Effect") == "Allow" and isinstance(principal, Mapping):
            found.update(_listed(principal.get("Service", [])))
    return found


def _listed(value: Any) -> list[Any]:
    """IAM leaves the brackets out around a single one."""
    return value if isinstance(value, list) else [value]


_EMR, _REDSHIFT = "emr-serverless.amazonaws.com", "redshift-serverless.amazonaws.com"
_APPLICATION, _WORKGROUP = "emr-serverless:GetApplication", "redshift-serverless:GetWorkgroup"
# By the resource and the word it is set to; the store looks at its table itself.
_PIECES: Mapping[tuple[str, str], tuple[_Piece, ...]] = {
    ("inbox", "s3"): (
        _Piece("inbox", "inbox", "s3:ListBucket", _bucket, needed=True),
        _Piece("inbox events", "inbox", "s3:GetBucketNotification", _notifications),
        _Piece("queue", "queue_url", "sqs:GetQueueAttributes", _queue),
    ),
    ("lake", "s3"): (_Piece("lake bucket", "lake", "s3:ListBucket", _bucket, needed=True),),
    ("engine", "emr-serverless"): (
        _Piece("application", "emr_application_id", _APPLICATION, _application, needed=True),
        _Piece("job role", "emr_role_arn", "iam:GetRole", _role_of(_EMR)),
    ),
    ("warehouse", "redshift"): (
        _Piece("workgroup", "redshift_workgroup", _WORKGROUP, _workgroup),
        _Piece(  # without one the workgroup's default role is taken
            *("COPY role", "redshift_role_arn", "iam:GetRole"),
            _role_of(_REDSHIFT, "redshift.amazonaws.com"),
            optional=True,
        ),
    ),
    ("store", "dynamodb"): (),
    ("notifier", "sns"): (_Piece("topic", "topic_arn", "sns:GetTopicAttributes", _topic),),
}
