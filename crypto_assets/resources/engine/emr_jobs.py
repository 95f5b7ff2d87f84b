"""What S3 keeps of each job run of EMR Serverless: its record, its job spec, what it reports.

A record is written before its job is started and removed when its results are used up, so whoever
comes after a killed process finds the job instead of starting another. Starting, watching and
cancelling jobs is `emr`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dagster_pipes import (
    DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT,
    DAGSTER_PIPES_MESSAGES_CLI_ARGUMENT,
    PipesContextData,
    PipesMessage,
    encode_param,
)

from crypto_assets.resources.aws import split_uri
from crypto_assets.resources.errors import ConflictError
from crypto_assets.resources.storage.objects import Content, Objects
from crypto_assets.spark.job_spec import JobSpec, to_json

SPEC = "job_spec"  # the name of the job spec among the extras of the Pipes context
_JOBS = "_jobs"


def spec_hash(spec: JobSpec, artifact: str) -> str:
    """Names what is to be computed and by which code, wherever it is written to."""
    text = to_json(dataclasses.replace(spec, staging=""))
    return hashlib.sha256(f"{artifact}\n{text}".encode()).hexdigest()


def client_token(spec_id: str, attempt: int, run_id: str) -> str:
    """The idempotency token with which this attempt at the job spec is started."""
    return hashlib.sha256(f"{spec_id}\n{attempt}\n{run_id}".encode()).hexdigest()


@dataclass(frozen=True)
class Record:
    """One attempt at a job spec: `request` is how its job is started, `etag` the stored version."""

    spec_id: str
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
    """The records among the lake's objects."""

    objects: Objects

    def get(self, spec_id: str) -> Record | None:
        """The latest attempt at this job spec that is not used up."""
        key = _record_key(spec_id)
        found = self.objects.read_all([key]).get(key)
        return _record(found) if found else None

    def all(self) -> list[Record]:
        """The latest attempt at every job spec."""
        keys = [found.key for found in self.objects.below(_JOBS)]
        records = [key for key in keys if key.count("/") == 1]
        return [_record(found) for found in self.objects.read_all(records).values()]

    def save(self, record: Record) -> Record | None:
        """Writes the record if nobody wrote or removed it since it was read; else gives None."""
        body = json.dumps({**dataclasses.asdict(record), "etag": ""}).encode()
        try:
            key, before = _record_key(record.spec_id), record.etag or None
            return dataclasses.replace(record, etag=self.objects.replace(key, body, before))
        except ConflictError:
            return None

    def delete(self, record: Record) -> None:
        """Removes the record with the job spec and the messages of all its attempts."""
        self.objects.delete_below(f"{_JOBS}/{record.spec_id}")
        self.objects.delete([_record_key(record.spec_id)])

    def put_spec(self, record: Record, spec: JobSpec) -> None:
        """Writes the Pipes context of the job, with its job spec; the same one however often."""
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
            "extras": {SPEC: to_json(dataclasses.replace(spec, staging=record.staging))},
        }
        key = _context_key(record.spec_id, record.token)
        self.objects.write(key, json.dumps(context).encode())

    def arguments(self, spec_id: str, token: str) -> list[str]:
        """Says to the job where its job spec is and where its messages go."""
        bucket, key = split_uri(self.objects.uri(_context_key(spec_id, token)))
        _, prefix = split_uri(self.objects.uri(_messages_folder(spec_id, token)))
        context, messages = (
            {"bucket": bucket, "key": key},
            {"bucket": bucket, "key_prefix": prefix},
        )
        return [
            *(DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT, encode_param(context)),
            *(DAGSTER_PIPES_MESSAGES_CLI_ARGUMENT, encode_param(messages)),
        ]

    def messages(self, record: Record) -> JobMessages:
        return JobMessages(self.objects, _messages_folder(record.spec_id, record.token))

    def results_remain(self, record: Record) -> bool:
        """Whether what the job wrote and reported is still there."""
        written = record.staging.removeprefix(self.objects.uri("")).strip("/")
        reported = _messages_folder(record.spec_id, record.token)
        return all(next(self.objects.below(folder), None) for folder in (written, reported))


@dataclass
class JobMessages:
    """A job's Pipes messages, in the folder that was named to it before it was started."""

    objects: Objects
    folder: str
    _next: int = field(default=1, init=False)

    def new(self) -> Iterator[PipesMessage]:
        """Every message that is there and was not given yet, in order."""
        while found := self.objects.read_all([key := f"{self.folder}/{self._next}.json"]):
            self._next += 1
            yield from map(json.loads, found[key].data.splitlines())


def _record_key(spec_id: str) -> str:
    return f"{_JOBS}/{spec_id}.json"


def _context_key(spec_id: str, token: str) -> str:
    return f"{_JOBS}/{spec_id}/{token}/context.json"


def _messages_folder(spec_id: str, token: str) -> str:
    return f"{_JOBS}/{spec_id}/{token}/messages"


def _record(found: Content) -> Record:
    return Record(**{**json.loads(found.data), "etag": found.etag})
