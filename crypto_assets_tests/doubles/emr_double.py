"""A double of EMR Serverless: strict about requests, and it really runs the job that is submitted.

A job is a child process that sees what EMR would give it: PySpark (with Sail in place of Java), the
uploaded archive and entry point, and S3. What each operation takes is botocore's service model.
Settings of `EmrDouble` make jobs fail, hang or wait.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.emr_job import Job, JobFault
from crypto_assets_tests.doubles.emr_worker import Workers
from crypto_assets_tests.doubles.model_check import problems
from crypto_assets_tests.doubles.router import serving

APPLICATION, ACCOUNT = "00f1abcdefgh0123", "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/crypto-assets-job"
_MODEL = botocore.session.Session().get_service_model("emr-serverless")
_JOBS = re.compile(r"/applications/(?P<applicationId>[^/]+)/jobruns")
_ROUTES = [
    ("GET", re.compile(r"/applications/(?P<applicationId>[^/]+)"), "GetApplication"),
    ("POST", _JOBS, "StartJobRun"),
    ("GET", _JOBS, "ListJobRuns"),
    ("GET", re.compile(_JOBS.pattern + r"/(?P<jobRunId>[^/]+)"), "GetJobRun"),
    ("DELETE", re.compile(_JOBS.pattern + r"/(?P<jobRunId>[^/]+)"), "CancelJobRun"),
]
# vCPUs of a worker and the GB of memory it may have: «Worker configurations» in the user guide.
_WORKERS = {1: (2, 8), 2: (4, 16), 4: (8, 30), 8: (16, 60), 16: (32, 120)}


class Refused(Exception):  # noqa: N818 - as the service does
    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        shape = _MODEL.shape_for(code) if code in _MODEL.shape_names else None
        self.status = status or shape.metadata["error"]["httpStatusCode"]
        self.code = code


@dataclass
class EmrDouble:
    """One application. `faults` are taken by the next jobs started, one each."""

    workers: Workers
    s3_url: str
    rate_per_s: float = 1.0
    burst: int = 25
    step_s: float = 0.1  # from one waiting state to the next
    minute_s: float = 60.0
    billing_late_s: float = 0.0
    quota_vcpus: int = 16
    state: str = "CREATED"
    faults: list[JobFault] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    _bucket: tuple[float, float] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        """Carries out one operation; raises `Refused`."""
        if wrong := problems(given, _MODEL.operation_model(operation).input_shape):
            raise Refused("ValidationException", "; ".join(wrong))
        with self._lock:
            if given["applicationId"] != APPLICATION:
                raise Refused("ResourceNotFoundException", f"no {given['applicationId']}")
            return getattr(self, f"_{operation}")(given)

    def _GetApplication(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        now = time.time()
        return {
            "application": {
                "applicationId": given["applicationId"],
                "arn": f"arn:aws:emr-serverless:{REGION}:{ACCOUNT}:/applications/{APPLICATION}",
                "releaseLabel": "emr-spark-8.1.0",
                "type": "Spark",
                "state": self.state,
                "createdAt": now,
                "updatedAt": now,
            }
        }

    def _StartJobRun(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._throttle()
        token, parameters = given["clientToken"], json.dumps(given, sort_keys=True)
        if token not in self._tokens:
            conf = _conf(given)
            job = Job(
                id=f"00{uuid.uuid4().hex[:14]}",
                request=given,
                conf=conf,
                fault=self.faults.pop(0) if self.faults else None,
                workers=self.workers,
                s3_url=self.s3_url,
                step_s=self.step_s,
                minute_s=self.minute_s,
                billing_late_s=self.billing_late_s,
                vcpus=_vcpus(conf),
                gb=_gb(conf),
                fits=self._fits,
            )
            self._tokens[token] = (parameters, job.id)
            self.jobs[job.id] = job
            job.start()
        known, job_id = self._tokens[token]
        if known != parameters:
            raise Refused("ConflictException", "the token was used with other parameters")
        return {"applicationId": APPLICATION, "jobRunId": job_id, "arn": self.jobs[job_id].arn}

    def _GetJobRun(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"jobRun": self._job(given).described()}

    def _CancelJobRun(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        job = self._job(given)
        if not job.cancel():
            raise Refused("ValidationException", f"{job.id} is {job.state} and cannot be cancelled")
        return {"applicationId": APPLICATION, "jobRunId": job.id}

    def _ListJobRuns(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        states = given.get("states") or [job.state for job in self.jobs.values()]
        found = [job.summary() for job in self.jobs.values() if job.state in states]
        start = int(given.get("nextToken", 0))
        page = {"jobRuns": found[start : start + 1]}  # small pages: whoever asks must page
        return {**page, "nextToken": str(start + 1)} if start + 1 < len(found) else page

    def _job(self, given: dict[str, Any]) -> Job:
        if given["jobRunId"] not in self.jobs:
            raise Refused("ResourceNotFoundException", f"no job run {given['jobRunId']}")
        return self.jobs[given["jobRunId"]]

    def _throttle(self) -> None:
        now = time.monotonic()
        tokens, at = self._bucket or (float(self.burst), now)
        tokens = min(self.burst, tokens + (now - at) * self.rate_per_s)
        if tokens < 1:
            self._bucket = (tokens, now)
            raise Refused("ThrottlingException", "Rate exceeded", 429)
        self._bucket = (tokens - 1, now)

    def _fits(self, job: Job) -> bool:
        """Whether the account's quota has room for this job's workers as well."""
        with self._lock:
            busy = sum(other.vcpus for other in self.jobs.values() if other.state == "RUNNING")
            return busy + job.vcpus <= self.quota_vcpus

    def close(self) -> None:
        for job in self.jobs.values():
            job.cancel()
        for job in self.jobs.values():
            job.join()


@contextmanager
def emr_double(workers: Workers, s3_url: str) -> Iterator[tuple[EmrDouble, str]]:
    """A double and its address; its jobs use S3 at `s3_url`."""
    double = EmrDouble(workers, s3_url)
    with serving(type("Handler", (_Handler,), {"double": double})) as url:
        try:
            yield double, url
        finally:
            double.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    double: EmrDouble

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            operation, given = _parsed(self.command, self.path, body)
            status, answer, code = 200, self.double.answer(operation, given), ""
        except Refused as refused:
            status, answer, code = refused.status, {"message": str(refused)}, refused.code
        content = json.dumps(answer).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if code:
            self.send_header("x-amzn-ErrorType", code)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing: what was asked is in the router."""


def _parsed(method: str, url: str, body: bytes) -> tuple[str, dict[str, Any]]:
    """The operation and its parameters from path, query and body, as the model places them."""
    parts = urlsplit(url)
    matches = [(o, path.fullmatch(parts.path)) for verb, path, o in _ROUTES if verb == method]
    found = [(operation, match.groupdict()) for operation, match in matches if match]
    if not found:
        raise Refused("ValidationException", f"no operation {method} {parts.path}")
    operation, in_path = found[0]
    shape = _MODEL.operation_model(operation).input_shape
    given: dict[str, Any] = {**in_path, **(json.loads(body) if body else {})}
    for name, values in parse_qs(parts.query).items():
        member = shape.members.get(name)
        is_list = member is not None and member.type_name == "list"
        given[name] = values if is_list else values[0]
    if "shutdownGracePeriodInSeconds" in given:
        given["shutdownGracePeriodInSeconds"] = int(given["shutdownGracePeriodInSeconds"])
    return operation, given


def _conf(given: dict[str, Any]) -> dict[str, str]:
    """The Spark configuration submitted; worker sizes must be among those that are offered."""
    text = given["jobDriver"]["sparkSubmit"].get("sparkSubmitParameters", "")
    words = text.split()
    if words[::2] != ["--conf"] * len(words[::2]) or not all("=" in word for word in words[1::2]):
        raise Refused("ValidationException", f"not spark-submit parameters: {text}")
    conf = dict(word.split("=", 1) for word in words[1::2])
    for worker in ("driver", "executor"):
        cores, gb = int(conf[f"spark.{worker}.cores"]), _worker_gb(conf, worker)
        low, high = _WORKERS.get(cores, (0, -1))
        if not low <= gb <= high:
            raise Refused("ValidationException", f"no {worker} of {cores} vCPUs and {gb} GB")
    return conf


def _worker_gb(conf: dict[str, str], worker: str) -> float:
    parts = [conf[f"spark.{worker}.memory"], conf[f"spark.{worker}.memoryOverhead"]]
    return sum(int(part.removesuffix("m")) for part in parts) / 1024


def _vcpus(conf: dict[str, str]) -> int:
    count = int(conf["spark.executor.instances"])
    return int(conf["spark.driver.cores"]) + count * int(conf["spark.executor.cores"])


def _gb(conf: dict[str, str]) -> float:
    count = int(conf["spark.executor.instances"])
    return _worker_gb(conf, "driver") + count * _worker_gb(conf, "executor")
