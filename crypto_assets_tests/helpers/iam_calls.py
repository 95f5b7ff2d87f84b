"""Which actions IAM is asked for when a request comes: the request's own, and those it leads to.

Sources: the service authorization reference; for S3 "Required permissions for Amazon S3 API
operations". Every bucket, queue and topic counts as encrypted with the key `KEY`, and every read of
an object as one that may find none: S3 says 404 only to who may list the bucket, else 403.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import unescape

import botocore.session

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.request import Request
from crypto_assets_tests.helpers.iam import Call

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
USER_ID = "AIDAEXAMPLEUSER"  # of whoever asks
_MINISTACKS_ACCOUNT = "000000000000"
# Parameters that do not change what a request is.
_PARAMETER = re.compile(
    "list-type|prefix|delimiter|encoding-type|max-keys|marker|start-after|continuation-token|"
    "fetch-owner|x-id|partNumber|(X-Amz|response)-.*"
)
_OF_BUCKETS = {
    ("HEAD", ""): "ListBucket",
    ("GET", ""): "ListBucket",
    ("GET", "uploads"): "ListBucketMultipartUploads",
    ("GET", "notification"): "GetBucketNotification",
    ("GET", "encryption"): "GetEncryptionConfiguration",
    ("GET", "policy"): "GetBucketPolicy",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "versioning"): "GetBucketVersioning",
}
_OF_OBJECTS = {
    ("HEAD", ""): "GetObject",
    ("GET", ""): "GetObject",
    ("HEAD", "versionId"): "GetObjectVersion",
    ("GET", "versionId"): "GetObjectVersion",
    ("GET", "tagging"): "GetObjectTagging",
    ("PUT", ""): "PutObject",
    ("PUT", "uploadId"): "PutObject",
    ("POST", "uploads"): "PutObject",
    ("POST", "uploadId"): "PutObject",
    ("GET", "uploadId"): "ListMultipartUploadParts",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("DELETE", ""): "DeleteObject",
    ("DELETE", "versionId"): "DeleteObjectVersion",
}
_OF_SEVERAL = {"DeleteMessageBatch": "DeleteMessage", "SendMessageBatch": "SendMessage"}
_HEADERS = {"x-amz-tagging": "PutObjectTagging", "x-amz-acl": "PutObjectAcl"}


def calls_of(request: Request) -> list[Call]:
    """What IAM is asked, in the account `ACCOUNT`; a request not known here is `unknown`."""
    if request.seen.service == "s3":
        found = _s3(request)
    else:
        found = _OTHERS.get(request.seen.service, _plain)(request, _given(request))
    return [
        Call(call.action, call.resource.replace(_MINISTACKS_ACCOUNT, ACCOUNT), call.context)
        for call in found
    ]


def _s3(request: Request) -> Iterator[Call]:
    bucket, _, key = request.seen.path.lstrip("/").partition("/")
    parts = [name for name in request.query if not _PARAMETER.fullmatch(name)]
    kind = request.seen.method, "&".join(parts)
    if key:
        yield from _object(request, _OF_OBJECTS.get(kind, f"unknown {kind}"), f"{bucket}/{key}")
    elif kind == ("POST", "delete"):
        for name in re.findall(r"<Key>(.*?)</Key>", request.body.decode(), re.DOTALL):
            yield Call("s3:DeleteObject", f"arn:aws:s3:::{bucket}/{unescape(name)}")
    else:
        yield Call(f"s3:{_OF_BUCKETS.get(kind, f'unknown {kind}')}", f"arn:aws:s3:::{bucket}")


def _object(request: Request, action: str, path: str) -> Iterator[Call]:
    """The action on an object, with those of a copy's source, a condition, a header and the key."""
    yield Call(f"s3:{action}", f"arn:aws:s3:::{path}")
    if action == "GetObject":
        yield Call("s3:ListBucket", f"arn:aws:s3:::{path.partition('/')[0]}")
        yield _of_key("Decrypt", "s3")
    if action != "PutObject":
        return
    yield _of_key("GenerateDataKey", "s3")
    if request.query.keys() & {"uploads", "uploadId"}:
        yield _of_key("Decrypt", "s3")
    if source := request.headers.get("x-amz-copy-source"):
        yield from _object(request, "GetObject", unquote(source).lstrip("/"))
    if "if-match" in request.headers:
        yield Call("s3:GetObject", f"arn:aws:s3:::{path}")
    for header in request.headers.keys() & _HEADERS:
        yield Call(f"s3:{_HEADERS[header]}", f"arn:aws:s3:::{path}")


def _of_key(action: str, service: str) -> Call:
    return Call(f"kms:{action}", KEY, {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"})


def _given(request: Request) -> Mapping[str, Any]:
    """The parameters: JSON, or a form."""
    if request.body[:1] == b"{":
        return json.loads(request.body)
    fields = parse_qs(request.body.decode(errors="replace"))
    return {name: values[0] for name, values in fields.items()}


def _arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def _plain(request: Request, _: Mapping[str, Any]) -> Iterator[Call]:
    yield Call(f"{request.seen.service}:{request.seen.operation or 'unknown'}", "*")


def _sqs(request: Request, given: Mapping[str, Any]) -> Iterator[Call]:
    action = _OF_SEVERAL.get(request.seen.operation, request.seen.operation)
    name = given.get("QueueUrl", "").rpartition("/")[2]
    yield Call(f"sqs:{action}", _arn("sqs", name))
    if action == "ReceiveMessage":
        yield _of_key("Decrypt", "sqs")


def _sns(request: Request, given: Mapping[str, Any]) -> Iterator[Call]:
    yield Call(f"sns:{request.seen.operation}", given.get("TopicArn", "*"))
    if request.seen.operation == "Publish":
        yield _of_key("GenerateDataKey", "sns")
        yield _of_key("Decrypt", "sns")


def _dynamodb(request: Request, given: Mapping[str, Any]) -> Iterator[Call]:
    names = given.get("RequestItems") or [given.get("TableName", "")]
    for name in names:
        yield Call(f"dynamodb:{request.seen.operation}", _arn("dynamodb", f"table/{name}"))


def _iam(request: Request, given: Mapping[str, Any]) -> Iterator[Call]:
    role = f"arn:aws:iam::{ACCOUNT}:role/{given.get('RoleName')}"
    yield Call(f"iam:{request.seen.operation}", given.get("PolicySourceArn", role))


def _kms(request: Request, given: Mapping[str, Any]) -> Iterator[Call]:
    key = given.get("KeyId", "")
    arn = key if key.startswith("arn:") else _arn("kms", f"key/{key}")
    yield Call(f"kms:{request.seen.operation}", arn)


def _events(request: Request, given: Mapping[str, Any]) -> Iterator[Call]:
    rule = given.get("Name") or given.get("Rule")
    resource = _arn("events", f"rule/{rule}") if rule else "*"
    yield Call(f"events:{request.seen.operation}", resource)


def _redshift_data(request: Request, given: Mapping[str, Any]) -> Iterator[Call]:
    if request.seen.operation.endswith("ExecuteStatement"):
        workgroup = _arn("redshift-serverless", f"workgroup/{given.get('WorkgroupName')}")
        yield Call(f"redshift-data:{request.seen.operation}", workgroup)
        yield Call("redshift-serverless:GetCredentials", workgroup)
    else:
        owner = {"redshift-data:statement-owner-iam-userid": USER_ID, "aws:userid": USER_ID}
        yield Call(f"redshift-data:{request.seen.operation}", "*", owner)


def _redshift_serverless(request: Request, given: Mapping[str, Any]) -> Iterator[Call]:
    kind = "namespace" if "namespaceName" in given else "workgroup"
    name = given.get(f"{kind}Name")
    yield Call(
        f"redshift-serverless:{request.seen.operation}",
        _arn("redshift-serverless", f"{kind}/{name}"),
    )


def _emr_serverless(request: Request, given: Mapping[str, Any]) -> Iterator[Call]:
    operation, named = _rest("emr-serverless", request.seen.method, request.seen.path)
    application = _arn("emr-serverless", f"/applications/{named.get('applicationId')}")
    if "jobRunId" in named:
        application += f"/jobruns/{named['jobRunId']}"
    yield Call(f"emr-serverless:{operation}", application)
    if operation == "StartJobRun":
        passed = {"iam:PassedToService": "emr-serverless.amazonaws.com"}
        yield Call("iam:PassRole", given["executionRoleArn"], passed)
        if given.get("tags"):
            yield Call("emr-serverless:TagResource", f"{application}/jobruns/new")


def _nothing(*_: object) -> Iterator[Call]:
    """`sts:GetCallerIdentity` needs no permission."""
    return iter(())


@cache
def _rest(service: str, method: str, path: str) -> tuple[str, Mapping[str, str]]:
    """The operation and its parameters in the path, by botocore's model of the service."""
    model = botocore.session.Session().get_service_model(service)
    for name in model.operation_names:
        http = model.operation_model(name).http
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", http["requestUri"].partition("?")[0])
        if http["method"] == method and (found := re.fullmatch(pattern, path)):
            return name, found.groupdict()
    return f"unknown {method} {path}", {}


_OTHERS: Mapping[str, Callable[[Request, Mapping[str, Any]], Iterator[Call]]] = {
    "dynamodb": _dynamodb,
    "emr-serverless": _emr_serverless,
    "events": _events,
    "iam": _iam,
    "kms": _kms,
    "redshift-data": _redshift_data,
    "redshift-serverless": _redshift_serverless,
    "sns": _sns,
    "sqs": _sqs,
    "sts": _nothing,
}
