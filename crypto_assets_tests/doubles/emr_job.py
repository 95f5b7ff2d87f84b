"""One job run of the double of EMR Serverless: its states, and the child process that it is.

Which interpreter the child has, and what it finds there, is `emr_worker`.
"""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from crypto_assets_tests.doubles.emr_worker import Packages, Worker, Workers
from crypto_assets_tests.helpers.roles import JOB, client_of, keys_of
from crypto_assets_tests.helpers.waiting import HANG_S

JobFault = Literal["at start", "half-way", "hang"]
ENDED = {"SUCCESS", "FAILED", "CANCELLED"}
_unpacking = threading.Lock()


@dataclass
class Job:
    """A job run; `start` begins its way through the states, in a thread of its own."""

    id: str
    request: dict[str, Any]
    conf: dict[str, str]
    fault: JobFault | None
    workers: Workers
    s3_url: str
    step_s: float
    minute_s: float
    billing_late_s: float
    vcpus: int
    gb: float
    fits: Callable[[Job], bool]
    state: str = "SUBMITTED"
    details: str = ""
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    worker: Worker | None = None

    @property
    def arn(self) -> str:
        application = self.request["applicationId"]
        return (
            "arn:aws:emr-serverless:eu-central-1:123456789012:/applications/"
            f"{application}/jobruns/{self.id}"
        )

    @property
    def output(self) -> str:
        """What the child printed, for tests that fail."""
        return self.worker.output if self.worker else ""

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        if self._thread:
            self._thread.join(HANG_S)

    def cancel(self) -> bool:
        """Begins the end, unless that has come."""
        if self.state in ENDED:
            return False
        self.state = "CANCELLING"
        self._cancelled.set()
        return True

    def summary(self) -> dict[str, Any]:
        return {
            "applicationId": self.request["applicationId"],
            "id": self.id,
            "name": self.request.get("name"),
            "arn": self.arn,
            "createdBy": "arn:aws:iam::123456789012:user/test",
            "createdAt": self.created,
            "updatedAt": self.ended or time.time(),
            "executionRole": self.request["executionRoleArn"],
            "state": self.state,
            "stateDetails": self.details,
            "releaseLabel": "emr-spark-8.1.0",
        }

    def described(self) -> dict[str, Any]:
        facts = {**self.summary(), "jobRunId": self.id, "jobDriver": self.request["jobDriver"]}
        facts |= {"tags": self.request.get("tags", {}), "attempt": 1}
        del facts["id"]
        if self.started:
            facts["startedAt"] = self.started
        if self.ended and self.started:
            seconds = self.ended - self.started
            facts |= {"endedAt": self.ended, "totalExecutionDurationSeconds": int(seconds)}
            if time.time() - self.ended >= self.billing_late_s:
                hours = max(seconds, 60) / 3600
                facts["billedResourceUtilization"] = {
                    "vCPUHour": round(self.vcpus * hours, 3),
                    "memoryGBHour": round(self.gb * hours, 3),
                    "storageGBHour": 0.0,
                }
        return facts

    def _run(self) -> None:
        for state in ("PENDING", "SCHEDULED", "RUNNING"):
            while not self._cancelled.wait(self.step_s):
                if state != "SCHEDULED" or self.fits(self):
                    break
            else:
                return self._end("CANCELLED", "cancelled by request")
            self.started = time.time() if state == "RUNNING" else None
            self.state = state
        if self.fault == "at start":
            return self._end("FAILED", "Job failed, please check complete logs: exit code 1")
        try:
            return self._watch()
        except Exception as error:  # noqa: BLE001 - whatever it is, the job is what failed
            return self._end("FAILED", f"Job failed: {error!r}"[:256])

    def _watch(self) -> None:
        """Runs the child to its end, to the time limit or to the fault this job has."""
        limit = self.request.get("executionTimeoutMinutes", 720) * self.minute_s
        with self._child() as child:
            try:
                while child.poll() is None:
                    if self._cancelled.wait(0.02):
                        return self._end("CANCELLED", "cancelled by request")
                    if time.time() - self.started > limit:
                        return self._end("CANCELLED", "it ran longer than its time limit")
            finally:
                child.kill()
        if child.returncode:
            return self._end("FAILED", f"Job failed: ExitCode: {child.returncode}")
        return self._end("SUCCESS", "")

    def _end(self, state: str, details: str) -> None:
        self._write_log()
        self.details, self.ended, self.state = details, time.time(), state

    def _write_log(self) -> None:
        """What the driver printed, where the job wants it: by the job's role, as EMR does it."""
        wanted = self.request.get("configurationOverrides", {}).get("monitoringConfiguration", {})
        if uri := wanted.get("s3MonitoringConfiguration", {}).get("logUri"):
            parts, name = urlsplit(uri), self.request["applicationId"]
            key = f"applications/{name}/jobs/{self.id}/SPARK_DRIVER/stdout.gz"
            self._s3().put_object(
                Bucket=parts.netloc,
                Key=f"{parts.path.strip('/')}/{key}",
                Body=gzip.compress(self.output.encode()),
            )

    def _child(self) -> subprocess.Popen[bytes]:
        """The entry point under `spark-submit`, so to say: in a folder with nothing but its own."""
        if self.fault == "hang":
            return subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
        submit = self.request["jobDriver"]["sparkSubmit"]
        archive, _, name = self.conf["spark.archives"].partition("#")
        prefix = "spark.emr-serverless.driverEnv."
        given = {k.removeprefix(prefix): v for k, v in self.conf.items() if k.startswith(prefix)}
        packages = Packages(self._unpacked(archive), name, given.pop("PYTHONPATH"))
        environment = {
            **{k: v for k, v in os.environ.items() if k.startswith("AWS_")},
            **keys_of(JOB),
            "AWS_ENDPOINT_URL": self.s3_url,
            "AWS_ALLOW_HTTP": "true",
            "DOUBLE_FAULT": self.fault or "",
            **given,
        }
        self.worker = self.workers.take(packages)
        entry_point = self._object(submit["entryPoint"])
        self.worker.run(entry_point, submit["entryPointArguments"], environment)
        return self.worker.process

    def _unpacked(self, uri: str) -> Path:
        """The archive as it is on S3, unpacked once for all jobs that have the same."""
        parts = urlsplit(uri)
        with _unpacking:
            head = self._s3().head_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))
            folder = self.workers.folder / head["ETag"].strip('"')
            if not folder.exists():
                with tarfile.open(fileobj=io.BytesIO(self._object(uri))) as archive:
                    archive.extractall(folder, filter="data")
            return folder

    def _object(self, uri: str) -> bytes:
        parts = urlsplit(uri)
        found = self._s3().get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))
        return found["Body"].read()

    def _s3(self) -> Any:
        return client_of(JOB, self.s3_url, "s3")
