"""The application of EMR Serverless: whether a job of ours can run on it and reach S3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crypto_assets.resources.doctor.network import LOOKS, way_to_s3
from crypto_assets.resources.doctor.piece import Account, Piece
from crypto_assets.resources.engine.emr_size import JobSize
from crypto_assets.resources.errors import UsageError

RELEASE = "emr-spark-8.1.0"
ARCHITECTURE = "X86_64"  # of the wheels in the job's artifact
_WORKER_DISK_GB = 20  # what a worker has unless a job asks for more


def _application(account: Account, application_id: str) -> str:
    found = _found(account, application_id)
    label, state = found["releaseLabel"], found["state"]
    if label != RELEASE:
        raise UsageError(f"its release is {label}: create one of {RELEASE}")
    if state == "TERMINATED":
        raise UsageError("it is terminated: create another")
    architecture = found.get("architecture", ARCHITECTURE)
    if architecture != ARCHITECTURE:
        raise UsageError(
            f"it is {architecture}, but the wheels of a job are for {ARCHITECTURE}: create another"
        )
    started = found.get("autoStartConfiguration", {}).get("enabled", True)
    if not started and state != "STARTED":
        raise UsageError("it is not started, and jobs do not start it: turn on its auto-start")
    if short := _short(JobSize.of(account.settings.aws), found.get("maximumCapacity", {})):
        raise UsageError(f"{short}: raise its maximum capacity, or a job waits for ever")
    return f"{application_id} {label}, {state.lower()}"


def _short(job: JobSize, capacity: Mapping[str, str]) -> str:
    """What the application may have at most, and a job asks for more of."""
    executors = job.most_executors
    workers = job.workers(executors)
    asked = {
        "cpu": workers.vcpus,
        "memory": workers.memory_gb,
        "disk": (1 + executors) * _WORKER_DISK_GB,
    }
    units = {"cpu": "vCPU", "memory": "GB", "disk": "GB of disk"}
    return ", ".join(
        f"a job asks for {wanted} {units[name]}, it may have {capacity[name]}"
        for name, wanted in asked.items()
        if name in capacity and _number(capacity[name]) < wanted
    )


def _number(size: str) -> float:
    """The number of `16 vCPU` or `64 GB`; infinite where there is none."""
    found = re.match(r"\s*(\d+(?:\.\d+)?)", size)
    return float(found[1]) if found else float("inf")


def _network(account: Account, application_id: str) -> str:
    network = _found(account, application_id).get("networkConfiguration", {})
    return way_to_s3(account, network.get("subnetIds", []))


def _found(account: Account, application_id: str) -> dict[str, Any]:
    client = account.client("emr-serverless")
    found: dict[str, Any] = client.get_application(applicationId=application_id)["application"]
    return found


_SETTING, _ACTION = "emr_application_id", "emr-serverless:GetApplication"
APPLICATION = (
    Piece("application", _SETTING, _ACTION, _application, needed=True),
    Piece("application network", _SETTING, LOOKS, _network),
)
