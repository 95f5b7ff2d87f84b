"""Conditions of S3 writes, judged by a router in the place of a store that lacks them.

What a condition asks for, whether it holds, and how a request is signed anew without it. Who looks
at the destination and lets one write at a time through is `router`.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from crypto_assets_tests.doubles import REGION

CONDITIONS = {"if-match", "if-none-match"}


def is_conditional(headers: Mapping[str, str]) -> bool:
    return any(name.lower() in CONDITIONS for name in headers)


def refusal(headers: Mapping[str, str], status: int, etag: str) -> tuple[int, str] | None:
    """Status and code of the refusal if the condition does not hold.

    `status` and `etag` are what a HEAD of the destination answers.
    """
    wanted, unwanted = headers.get("If-Match"), headers.get("If-None-Match")
    exists = status != HTTPStatus.NOT_FOUND
    if exists and status != HTTPStatus.OK:
        return status, "InternalError"  # not known: the client asks again
    if wanted and not exists:
        return 404, "NoSuchKey"
    if (unwanted and exists) or (wanted and wanted.strip('"') != etag.strip('"')):
        return 412, "PreconditionFailed"
    return None


def signed(
    keys: tuple[str, str], method: str, url: str, headers: Mapping[str, str], body: bytes
) -> dict[str, str]:
    """The headers without conditions, with the signature of access key and secret in `keys`."""
    kept = {name: value for name, value in headers.items() if name.lower() not in CONDITIONS}
    request = AWSRequest(method, url, kept, body)
    S3SigV4Auth(Credentials(*keys), "s3", REGION).add_auth(request)
    return dict(request.headers.items())
