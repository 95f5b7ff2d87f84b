"""Single objects that a job reads and writes: files of a folder, or objects in S3.

S3 is asked by boto3, with the credentials that boto3 finds where the job runs: a key, a profile, a
container's or an instance's role. What S3 refuses or does not answer is a fault of the service and
never one of the object. Tables of many partitions at once are `storage`'s.
"""

from __future__ import annotations

import errno
import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from crypto_assets.spark.problems import ServiceError
from crypto_assets.spark.replacing import NEW, SHARED, opened_in, replacing

_ATTEMPTS = 3  # of boto3, within seconds
_WAITS_S = (1, 2, 4, 8, 15, 15, 15, 15)  # before further ones: a minute of 503 passes
_CONNECT_S, _READ_S = 10, 60
_SERVER_ERROR = 500
_NOT_IMPLEMENTED = 501  # what a store cannot do, it cannot do later
_MISSING = ("NoSuchKey", "404")
_CURES = {
    "AccessDenied": "allow it in the policy of the job's role",
    "403": "allow it in the policy of the job's role",
    "NoSuchBucket": "look at the settings of inbox and lake",
    "ExpiredToken": "renew the job's credentials",
    "InvalidAccessKeyId": "look at the job's credentials",
    "SignatureDoesNotMatch": "look at the job's credentials",
}
_PASSES = ("SlowDown", "Throttling", "RequestTimeout", "InternalError", "ServiceUnavailable")
_last_failed = False  # while a service does not answer, only the first object waits for it


def opened(uri: str) -> IO[bytes]:
    """The object at `uri` to read once, from its begin to its end.

    Raises `FileNotFoundError` if there is none, `OSError` if this machine refuses, `ServiceError`
    if S3 does; so does reading from it.
    """
    if not _is_s3(uri):
        return open(_local(uri), "rb")  # noqa: PTH123 - whoever asks for it closes it
    bucket, key = _place(uri)
    answer = _asked(uri, lambda s3: s3.get_object(Bucket=bucket, Key=key))
    return io.BufferedReader(_Body(uri, answer["Body"]))


def read(uri: str, limit: int = -1) -> bytes:
    """The content of the object, at most `limit` bytes. Raises as `opened` does."""
    if not _is_s3(uri):
        with opened(uri) as stream:
            if limit < 0:
                return stream.read()
            # Room is made for all that is asked for, which takes longer than to read a file.
            first = stream.read(min(limit, os.fstat(stream.fileno()).st_size + 1))
            return first + stream.read(limit - len(first))
    bucket, key = _place(uri)

    def content(s3: Any) -> bytes:
        answer = s3.get_object(Bucket=bucket, Key=key)
        with answer["Body"] as body:
            found: bytes = body.read(limit if limit >= 0 else None)
        # boto3 says nothing of an answer that breaks off, if it was asked for a part.
        if len(found) < min(limit, answer["ContentLength"]):
            raise OSError("the answer broke off")
        return found

    found: bytes = _asked(uri, content)
    return found


def write(uri: str, content: Any) -> None:
    """Writes the object as a whole. Raises as `opened` does.

    Before this returns, a file that was not there may be there in part.
    """
    if _is_s3(uri):
        bucket, key = _place(uri)
        _asked(uri, lambda s3: s3.put_object(Bucket=bucket, Key=key, Body=bytes(content)))
        return
    path = _local(uri)
    try:
        handle = opened_in(path, NEW, SHARED)
    except FileExistsError:
        # An attempt that its engine has given up may still write while the next one does.
        with replacing(path, durable=False, mode=SHARED) as stream:
            stream.write(content)
    else:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)


def below(uri: str) -> Iterator[str]:
    """The paths of the objects below a folder, relative to it; none if there is no folder."""
    if not _is_s3(uri):
        root = _local(uri)
        for folder, _, names in os.walk(root):
            yield from (Path(folder, name).relative_to(root).as_posix() for name in names)
        return
    bucket, key = _place(uri)
    prefix = f"{key}/"

    def keys(s3: Any) -> list[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    yield from (key.removeprefix(prefix) for key in _asked(uri, keys))


class _Body(io.RawIOBase):
    """The body of an answer of S3, whose faults are those of the service."""

    def __init__(self, uri: str, body: Any) -> None:
        self._uri, self._body = uri, body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _faults(self._uri):
            data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._body.close()
        super().close()


def _asked(uri: str, request: Callable[[Any], Any]) -> Any:
    """What S3 answers. Faults that may pass are waited for, once for all objects that have them."""
    global _last_failed  # noqa: PLW0603 - of the process, as its connections are
    waits = iter(() if _last_failed else _WAITS_S)
    while True:
        try:
            with _faults(uri):
                answer = request(_client())
        except ServiceError as fault:
            wait = next(waits, None) if fault.passes else None
            if wait is None:
                _last_failed = fault.passes
                raise
            time.sleep(wait)
        else:
            _last_failed = False
            return answer


@contextmanager
def _faults(uri: str) -> Iterator[None]:
    """Raises what boto3 raises as `ServiceError`, or `FileNotFoundError` if there is no object."""
    import urllib3.exceptions
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _MISSING:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), uri) from error
        passes = code in _PASSES or (status >= _SERVER_ERROR and status != _NOT_IMPLEMENTED)
        cure = "run again later" if passes else _CURES.get(code, "see the documentation of S3")
        what = f"S3 refuses {error.operation_name} of {uri}: {code or status}"
        raise ServiceError(f"{what}; {cure}", passes=passes) from error
    except (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
    ) as error:
        what = f"the job has no credentials for S3 ({_line(error)})"
        raise ServiceError(f"{what}: give it a role or a key", passes=False) from error
    except (exceptions.BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
        what = f"S3 does not answer for {uri} ({_line(error)})"
        raise ServiceError(f"{what}; run again later", passes=True) from error


@cache
def _client() -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        user_agent_extra="crypto-assets",
    )
    if os.environ.get("AWS_ENDPOINT_URL"):  # over TLS, stores may refuse the chunks of checksums
        config = config.merge(Config(request_checksum_calculation="when_required"))
    return boto3.session.Session().client("s3", config=config)


def _is_s3(uri: str) -> bool:
    return uri.startswith("s3://")


def _place(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _local(uri: str) -> str:
    return unquote(urlsplit(uri).path) if uri.startswith("file://") else uri


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
