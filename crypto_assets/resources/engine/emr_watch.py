"""Watching one job run of EMR Serverless to its end: what it reports, how it ends, what it costs.

Asks for the job's state at most `CALLS_PER_HOUR` times an hour; that the job is done is learnt from
its own messages on S3, which are looked for more often. Starting and cancelling is `emr`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crypto_assets.resources.costs import GB_HOUR, VCPU_HOUR
from crypto_assets.resources.engine.emr_jobs import JobMessages
from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.spark.job_spec import LayerResult, result_from_json

if TYPE_CHECKING:
    import dagster as dg

CALLS_PER_HOUR = 60
COST_CALLS = 3  # asked for after the end, when the figures billed may come late
WAITING = {"SUBMITTED", "PENDING", "SCHEDULED", "QUEUED"}
ENDED = {"SUCCESS", "FAILED", "CANCELLED"}
_STEADY_S = 100.0
_GROWTH = 1.7


def asks(poll_seconds: float) -> Iterator[float]:
    """Seconds to wait before each question for a job's state: soon at first, then rarely."""
    wait = poll_seconds
    while True:
        yield wait
        wait = min(wait * _GROWTH, max(_STEADY_S, poll_seconds))


@dataclass
class Watch:
    """Follows a job; `job` is its latest description."""

    get: Callable[[], dict[str, Any]]
    messages: JobMessages
    job: dict[str, Any]
    poll_seconds: float
    queue_limit_min: float
    complete: bool = field(default=False, init=False)

    def results(self, context: dg.OpExecutionContext) -> Iterator[LayerResult]:
        """Each layer's result when the job has reported it, until the job has ended in any way.

        Raises `RefusedError` if it waits for workers longer than `queue_limit_min`.
        """
        for asked in self._looks():
            if asked:
                self._ask(context)
            yield from self._reported(context)
            if self.job["state"] in ENDED:
                return

    def cost(self, partitions: int) -> dict[str, Any]:
        """What the ended job took; figures billed that do not come in time are left out."""
        for _ in range(COST_CALLS):
            if _used(self.job):
                break
            time.sleep(self.poll_seconds)
            self.job = self.get()
        return usage(self.job, partitions)

    def _reported(self, context: dg.OpExecutionContext) -> Iterator[LayerResult]:
        """The results among the new messages; what the job logs goes to the run's log."""
        for message in self.messages.new():
            method, params = message["method"], message["params"] or {}
            if method == "report_custom_message":
                yield result_from_json(params["payload"])
            elif method == "log":
                context.log.log(params["level"], params["message"])
            elif method == "closed":
                self.complete = True
                if error := params.get("exception"):
                    context.log.error("the job broke off: %s", "".join(error["stack"]))

    def _looks(self) -> Iterator[bool]:
        """One item per look at the messages: whether the job's state is to be asked for as well."""
        yield False
        waits, closed = asks(self.poll_seconds), False
        due = time.monotonic() + next(waits)
        while True:
            if self.complete and not closed:
                waits, closed, due = asks(self.poll_seconds), True, 0.0
            else:
                time.sleep(self.poll_seconds)
            asked = time.monotonic() >= due
            if asked:
                due = time.monotonic() + next(waits)
            yield asked

    def _ask(self, context: dg.OpExecutionContext) -> None:
        before, self.job = self.job["state"], self.get()
        name, state = f"EMR Serverless job run {self.job['jobRunId']}", self.job["state"]
        if state != before:
            context.log.info("%s: %s", name, state)
        waited = (datetime.now(UTC) - self.job["createdAt"]).total_seconds() / 60
        if state in WAITING and waited > self.queue_limit_min:
            raise RefusedError(
                f"{name} waited {waited:.0f} min for workers and is {state}: raise the "
                "application's maximum capacity or the account's quota of vCPUs, or ask for "
                "smaller sizes"
            )


def ended_badly(job: dict[str, Any]) -> Exception:
    """What to raise for a job that ended, but not with SUCCESS."""
    details = " ".join(job.get("stateDetails", "").split()) or "no reason given"
    text = f"EMR Serverless job run {job['jobRunId']} ended {job['state']}: {details}"
    return BusyError(text) if job["state"] == "FAILED" else RefusedError(text)


def usage(job: dict[str, Any], partitions: int) -> dict[str, Any]:
    """Seconds, vCPU-hours, GB-hours and estimated USD of an ended job, in all and per partition.

    An estimate: other regions differ by some percent, and storage over 20 GB a worker is left out.
    """
    found: dict[str, Any] = {}
    if "startedAt" in job:
        found["queue_seconds"] = round((job["startedAt"] - job["createdAt"]).total_seconds(), 1)
    if "totalExecutionDurationSeconds" in job:
        found["run_seconds"] = job["totalExecutionDurationSeconds"]
    if used := _used(job):
        usd = used["vCPUHour"] * VCPU_HOUR.usd + used["memoryGBHour"] * GB_HOUR.usd
        found |= {
            "vcpu_hours": used["vCPUHour"],
            "gb_hours": used["memoryGBHour"],
            "run_usd_estimated": round(usd, 6),
            "usd_estimated": round(usd / partitions, 9),
        }
    return found


def with_job(result: LayerResult, measures: dict[str, Any]) -> LayerResult:
    """The result with what is known of its job among each partition's measures."""
    return replace(
        result,
        verdicts=tuple(
            replace(verdict, measures={**verdict.measures, "emr": measures})
            for verdict in result.verdicts
        ),
    )


def _used(job: dict[str, Any]) -> dict[str, float] | None:
    """What was billed; what was used, where that is not known."""
    for name in ("billedResourceUtilization", "totalResourceUtilization"):
        used = job.get(name) or {}
        if "vCPUHour" in used and "memoryGBHour" in used:
            return used
    return None
