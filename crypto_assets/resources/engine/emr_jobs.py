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

import dagster as dg
from dagster_pipes import (
    DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT,
    DAGSTER_PIPES_MESSAGES_CLI_ARGUMENT,
    PipesContextData,
    PipesParams,
    encode_param,
)

from crypto_assets.resources.aws import split_uri
from crypto_assets.resources.storage.objects import Content, Objects, Overtaken
from crypto_assets.spark.job_spec import Order, to_json

ORDER = "order"  # the name of the order among the extras of the Pipes context
_JOBS = "_jobs"


def order_hash(order: Order, artifact: str) -> str:
    """Names what is to be computed and by which code, wherever it is written to."""
    text = to_json(dataclasses.replace(order, staging=""))
    return hashlib.sha256(f"{artifact}\n{text}".encode()).hexdigest()


def client_token(order_id: str, attempt: int, run_id: str) -> str:
    """The idempotency token with which this attempt at the order is started."""
    return hashlib.sha256(f"{order_id}\n{attempt}\n{run_id}".encode()).hexdigest()


@dataclass(frozen=True)
class Record:
    """One attempt at an order: `request` is how its job is started, `stamp` the stored version."""

    order_id: str
    attempt: int
    staging: str
    request: dict[str, Any]
    job_run_id: str | None = None
    stamp: str = ""

    @property
    def token(self) -> str:
        return self.request["clientToken"]

    @property
    def run_id(self) -> str:
        """The run whose staging the job writes to."""
        return self.staging.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True)
class JobStore:
    """The records among the lake's objects."""

    objects: Objects

    def get(self, order_id: str) -> Record | None:
        """The latest attempt at this order that is not used up."""
        key = _record_key(order_id)
        found = self.objects.read_all([key]).get(key)
        return _record(found) if found else None

    def all(self) -> list[Record]:
        """The latest attempt at every order."""
        keys = [found.key for found in self.objects.below(_JOBS)]
        records = [key for key in keys if key.count("/") == 1]
        return [_record(found) for found in self.objects.read_all(records).values()]

    def save(self, record: Record) -> Record | None:
        """Writes the record if nobody wrote or removed it since it was read; else gives None."""
        body = json.dumps({**dataclasses.asdict(record), "stamp": ""}).encode()
        try:
            key, before = _record_key(record.order_id), record.stamp or None
            return dataclasses.replace(record, stamp=self.objects.replace(key, body, before))
        except Overtaken:
            return None

    def delete(self, record: Record) -> None:
        """Removes the record with the order and the messages of all its attempts."""
        self.objects.delete_below(f"{_JOBS}/{record.order_id}")
        self.objects.delete([_record_key(record.order_id)])

    def put_order(self, record: Record, order: Order) -> None:
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
            "extras": {ORDER: to_json(dataclasses.replace(order, staging=record.staging))},
        }
        key = _context_key(record.order_id, record.token)
        self.objects.write(key, json.dumps(context).encode())

    def arguments(self, order_id: str, token: str) -> list[str]:
        """What tells the job where its order is and where its messages go."""
        bucket, key = split_uri(self.objects.uri(_context_key(order_id, token)))
        _, prefix = split_uri(self.objects.uri(_messages_folder(order_id, token)))
        context, messages = (
            {"bucket": bucket, "key": key},
            {"bucket": bucket, "key_prefix": prefix},
        )
        return [
            *(DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT, encode_param(context)),
            *(DAGSTER_PIPES_MESSAGES_CLI_ARGUMENT, encode_param(messages)),
        ]

    def messages(self, record: Record) -> JobMessages:
        return JobMessages(self.objects, _messages_folder(record.order_id, record.token))

    def results_remain(self, record: Record) -> bool:
        """Whether what the job wrote and told is still there."""
        written = record.staging.removeprefix(self.objects.uri("")).strip("/")
        told = _messages_folder(record.order_id, record.token)
        return all(next(self.objects.below(folder), None) for folder in (written, told))


class JobMessages(dg.PipesMessageReader):
    """Reads a job's Pipes messages when told to, from a place known before the job is started.

    `PipesS3MessageReader` makes up a place of its own, which nobody could adopt, and waits ten
    seconds behind a job that broke off.
    """

    def __init__(self, objects: Objects, folder: str) -> None:
        self._objects, self._folder = objects, folder
        self._next = 1

    @contextmanager
    def read_messages(self, handler: dg.PipesMessageHandler) -> Iterator[PipesParams]:
        self._handler = handler
        yield {}  # the job was told on its command line where its messages go

    def read(self) -> None:
        """Hands over every message that is there and was not yet."""
        while found := self._objects.read_all([key := f"{self._folder}/{self._next}.json"]):
            for line in found[key].data.splitlines():
                self._handler.handle_message(json.loads(line))
            self._next += 1

    @property
    def expected_writer_count(self) -> int:
        """One; the base's own property warns of being a preview wherever it is read."""
        return 1

    def no_messages_debug_text(self) -> str:
        return f"Looked for messages below {self._objects.uri(self._folder)}."


def _record_key(order_id: str) -> str:
    return f"{_JOBS}/{order_id}.json"


def _context_key(order_id: str, token: str) -> str:
    return f"{_JOBS}/{order_id}/{token}/context.json"


def _messages_folder(order_id: str, token: str) -> str:
    return f"{_JOBS}/{order_id}/{token}/messages"


def _record(found: Content) -> Record:
    return Record(**{**json.loads(found.data), "stamp": found.stamp})
