"""What S3 keeps of each job run of EMR Serverless: its record, its order, what it tells.

A record is written before its job is started and removed when its results are used up, so whoever
comes after a killed process finds the job instead of starting another. Starting, watching and
cancelling jobs is `emr`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
from dagster_pipes import (
    DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT,
    DAGSTER_PIPES_MESSAGES_CLI_ARGUMENT,
    PipesContextData,
    PipesParams,
    encode_param,
)

from crypto_assets.spark.batch import Order, to_json

ORDER = "order"  # the name of the order among the extras of the Pipes context
_JOBS = "_jobs"
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict"}
_GONE = {"NoSuchKey", "404"}


def order_hash(batch: Order, artifact: str) -> str:
    """Names what is to be computed and by which code, wherever it is written to."""
    order = to_json(dataclasses.replace(batch, staging=""))
    return hashlib.sha256(f"{artifact}\n{order}".encode()).hexdigest()


def client_token(order: str, attempt: int, run_id: str) -> str:
    """The idempotency token with which this attempt at the order is started."""
    return hashlib.sha256(f"{order}\n{attempt}\n{run_id}".encode()).hexdigest()


@dataclass(frozen=True)
class Record:
    """One attempt at an order: `request` is how its job is started, `etag` the stored version."""

    order: str
    attempt: int
    staging: str
    request: dict[str, Any]
    job_run_id: str | None = None
    etag: str = ""

    @property
    def token(self) -> str:
        return self.request["clientToken"]

    @property
    def run_id(self) -> str:
        """The run whose staging the job writes to."""
        return self.staging.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True)
class JobStore:
    """The records below `lake`, an S3 URI."""

    s3: Any
    lake: str

    @property
    def bucket(self) -> str:
        return urlsplit(self.lake).netloc

    def key(self, *parts: str) -> str:
        return "/".join([part for part in (urlsplit(self.lake).path.strip("/"), *parts) if part])

    def get(self, order: str) -> Record | None:
        """The latest attempt at this order that is not used up."""
        return self._read(self.key(_JOBS, f"{order}.json"))

    def all(self) -> Iterator[Record]:
        """The latest attempt at every order."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.key(_JOBS, "") + "/", Delimiter="/"
        )
        for page in pages:
            for found in page.get("Contents", []):
                if record := self._read(found["Key"]):
                    yield record

    def save(self, record: Record) -> Record | None:
        """Writes the record if nobody wrote or removed it since it was read; else gives None."""
        from botocore.exceptions import ClientError

        condition = {"IfMatch": record.etag} if record.etag else {"IfNoneMatch": "*"}
        body = {**dataclasses.asdict(record), "etag": ""}
        try:
            written = self.s3.put_object(
                Bucket=self.bucket,
                Key=self.key(_JOBS, f"{record.order}.json"),
                Body=json.dumps(body).encode(),
                **condition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _CHANGED | _GONE:
                return None
            raise
        return dataclasses.replace(record, etag=written["ETag"])

    def delete(self, record: Record) -> None:
        """Removes the record with the order and the messages of all its attempts."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.key(_JOBS, record.order) + "/"
        )
        for page in pages:
            keys = [{"Key": found["Key"]} for found in page.get("Contents", [])]
            if keys:
                self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True})
        self.s3.delete_object(Bucket=self.bucket, Key=self.key(_JOBS, f"{record.order}.json"))

    def put_order(self, record: Record, batch: Order) -> None:
        """Writes the Pipes context of the job, with its order; the same one however often."""
        context: PipesContextData = {
            "asset_keys": None,
            "code_version_by_asset_key": None,
            "provenance_by_asset_key": None,
            "partition_key": None,
            "partition_key_range": None,
            "partition_time_window": None,
            "run_id": record.run_id,
            "job_name": None,
            "retry_number": record.attempt - 1,
            "extras": {ORDER: to_json(dataclasses.replace(batch, staging=record.staging))},
        }
        self.s3.put_object(
            Bucket=self.bucket,
            Key=self._context(record.order, record.token),
            Body=json.dumps(context).encode(),
        )

    def arguments(self, order: str, token: str) -> list[str]:
        """What tells the job where its order is and where its messages go."""
        context = {"bucket": self.bucket, "key": self._context(order, token)}
        messages = {"bucket": self.bucket, "key_prefix": self._messages(order, token)}
        return [
            *(DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT, encode_param(context)),
            *(DAGSTER_PIPES_MESSAGES_CLI_ARGUMENT, encode_param(messages)),
        ]

    def messages(self, record: Record) -> JobMessages:
        return JobMessages(self.s3, self.bucket, self._messages(record.order, record.token))

    def results_remain(self, record: Record) -> bool:
        """Whether what the job wrote and told is still there."""
        staging = urlsplit(record.staging)
        written = (staging.netloc, staging.path.strip("/") + "/")
        told = (self.bucket, self._messages(record.order, record.token) + "/")
        return all(
            self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents")
            for bucket, prefix in (written, told)
        )

    def _context(self, order: str, token: str) -> str:
        return self.key(_JOBS, order, token, "context.json")

    def _messages(self, order: str, token: str) -> str:
        return self.key(_JOBS, order, token, "messages")

    def _read(self, key: str) -> Record | None:
        found = _body(self.s3, self.bucket, key)
        return Record(**{**json.loads(found[0]), "etag": found[1]}) if found else None


class JobMessages(dg.PipesMessageReader):
    """Reads a job's Pipes messages when told to, from a place known before the job is started.

    `PipesS3MessageReader` makes up a place of its own, which nobody could adopt, and waits ten
    seconds behind a job that broke off.
    """

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._prefix = s3, bucket, prefix
        self._next = 1

    @contextmanager
    def read_messages(self, handler: dg.PipesMessageHandler) -> Iterator[PipesParams]:
        self._handler = handler
        yield {"bucket": self._bucket, "key_prefix": self._prefix}

    def read(self) -> None:
        """Hands over every message that is there and was not yet."""
        while found := _body(self._s3, self._bucket, f"{self._prefix}/{self._next}.json"):
            for line in found[0].splitlines():
                self._handler.handle_message(json.loads(line))
            self._next += 1

    @property
    def expected_writer_count(self) -> int:
        """One; the base's own property warns of being a preview wherever it is read."""
        return 1

    def no_messages_debug_text(self) -> str:
        return f"Looked for messages below s3://{self._bucket}/{self._prefix}."


def _body(s3: Any, bucket: str, key: str) -> tuple[bytes, str] | None:
    """An object's content and ETag; None if there is none."""
    from botocore.exceptions import ClientError

    try:
        found = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return None
        raise
    return found["Body"].read(), found["ETag"]
