"""The engine beyond one machine: each job spec is one job run on an EMR Serverless application.

A job is started once for its job spec, adopted when the process that started it was killed, and
cancelled on every other way out. Watching it is `emr_watch`, what S3 keeps of it `emr_jobs`, what
it receives `artifact`, what it runs `spark/main.py`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tenacity import retry, retry_if_exception, stop_after_delay, wait_random_exponential

from crypto_assets.resources.aws import THROTTLED, Aws, aws_errors, error_code
from crypto_assets.resources.engine.artifact import Artifact, Packer
from crypto_assets.resources.engine.emr_jobs import JobStore, Record, client_token, spec_hash
from crypto_assets.resources.engine.emr_size import JobSize
from crypto_assets.resources.engine.emr_watch import ENDED, WAITING, Watch, ended_badly, with_job
from crypto_assets.resources.engine.engine import Engine, Execute
from crypto_assets.resources.engine.session import SESSION_CONF
from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.resources.settings import AwsSettings, Settings
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.spark.job_spec import JobSpec, LayerResult

if TYPE_CHECKING:
    import dagster as dg

_CHANGES = 10  # of a record by others, while this process wants to write it
_TAG = re.compile(r"[^A-Za-z0-9 /_.:=+@-]")
_TAG_LENGTH = 256
# A storm of other jobs may throttle a start for longer than clients wait by themselves.
_until_not_throttled = retry(
    retry=retry_if_exception(lambda error: bool(THROTTLED.search(error_code(error)))),
    wait=wait_random_exponential(multiplier=1, max=30),
    stop=stop_after_delay(300),
    reraise=True,
)


@dataclass(frozen=True, kw_only=True)
class EmrServerlessEngine(Engine):
    """Runs each job spec as a job of an EMR Serverless application (release emr-spark-8.1.0).

    `objects` are the lake's: `_artifacts` and `_jobs` are there. `role_arn` is the role of the job
    runs, which reads the inbox and writes the lake. `cache` is a local folder that keeps the built
    artifact and its wheels.
    """

    storages = frozenset({"s3"})

    aws: Aws
    objects: S3Objects
    application_id: str
    role_arn: str
    cache: str
    readers: int = 12
    size: JobSize = field(default_factory=partial(JobSize.of, AwsSettings()))
    queue_limit_min: float = 60  # while a job waits for its workers
    poll_seconds: float = 10  # between looks at a job's messages on S3

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            aws=Aws.of(settings),
            objects=S3Objects.of(settings, "lake"),
            application_id=settings.aws.wanted("emr_application_id"),
            role_arn=settings.aws.wanted("emr_role_arn"),
            cache=str(settings.artifacts),
            size=JobSize.of(settings.aws),
        )

    @contextmanager
    def running(self) -> Iterator[Execute]:
        """Everything but the jobs is there then; each job spec starts or adopts one."""
        with aws_errors():
            service = self._service()
        artifact = Packer(Path(self.cache)).uploaded(self.objects)
        yield partial(_run, service, artifact)

    def check(self) -> str:
        """Says which release the application has; starts nothing."""
        with aws_errors():
            client = self.aws.client("emr-serverless")
            found = client.get_application(applicationId=self.application_id)["application"]
        shown = f"application {self.application_id}: {found['releaseLabel']}, {found['state']}"
        if found["type"].lower() != "spark" or found["state"] == "TERMINATED":
            raise RefusedError(f"{shown}, {found['type']}: a Spark application is wanted")
        return shown

    def abandon(self, running: Collection[str]) -> None:
        """Cancels and forgets the jobs whose staging belongs to none of the `running` runs."""
        with aws_errors():
            service = self._service()
            for record in service.store.all():
                if record.run_id not in running:
                    service.cancel(record)
                    service.store.delete(record)

    def _service(self) -> _Service:
        return _Service(self, self.aws.client("emr-serverless"), JobStore(self.objects))


def _run(service: _Service, artifact: Artifact, spec: JobSpec) -> Iterator[LayerResult]:
    """Yields each layer's verdicts as the job reports them, the last one with what the job cost.

    Raises `BusyError` if the job failed, `RefusedError` if somebody or a limit ended it; what it
    reported before is yielded first.
    """
    import dagster as dg

    if not spec.partitions:
        return
    context = dg.OpExecutionContext.get()
    with aws_errors():
        last = None
        with service.job(spec, artifact, context) as (record, job):
            about = {"job_run_id": record.job_run_id, "attempt": record.attempt}
            watch = service.watch(record, job)
            for result in watch.results(context):
                if result.layer == spec.layers[-1]:
                    last = result
                else:
                    yield with_job(result, about)
        about |= watch.cost(len(spec.partitions))
        context.log.info(
            "EMR Serverless job run: %s", ", ".join(f"{name} {about[name]}" for name in about)
        )
        if last:
            yield with_job(last, about)
        if watch.job["state"] != "SUCCESS":
            raise ended_badly(watch.job)
        if not watch.complete:
            raise BusyError(f"EMR Serverless job run {record.job_run_id} did not tell its end")
        service.store.delete(record)


@dataclass(frozen=True)
class _Service:
    """The application, asked with the engine's settings."""

    engine: EmrServerlessEngine
    client: Any
    store: JobStore

    @contextmanager
    def job(
        self, spec: JobSpec, artifact: Artifact, context: dg.OpExecutionContext
    ) -> Iterator[tuple[Record, dict[str, Any]]]:
        """The one job for this spec, adopted or started now; cancelled when the block breaks off.

        Gives its record and its description.
        """
        held: list[Record] = []
        try:
            yield self._launched(spec, artifact, context, held)
        except BaseException:
            if held:
                self.cancel(held[-1])
            raise

    def _launched(
        self,
        spec: JobSpec,
        artifact: Artifact,
        context: dg.OpExecutionContext,
        held: list[Record],
    ) -> tuple[Record, dict[str, Any]]:
        """Finds or starts the job; `held` gets each record whose job may run."""
        spec_id, before = spec_hash(spec, artifact.name), None
        for _ in range(_CHANGES):
            found = None if before else self.store.get(spec_id)
            record = found or self._next(spec, artifact, spec_id, before)
            before = None
            if record is None:
                continue
            held.append(record)
            if record.job_run_id is None:
                record = self._started(record, spec)
                held.append(record)
            job = self.get(record)
            if not self._used_up(record, job, adopted=found is not None):
                context.log.info(
                    "EMR Serverless job run %s, attempt %d, writes to %s: %s",
                    *(record.job_run_id, record.attempt, record.staging, job["state"]),
                )
                return record, job
            before = record
        raise BusyError(f"other processes keep changing the record of this job spec ({spec_id})")

    def watch(self, record: Record, job: dict[str, Any]) -> Watch:
        return Watch(
            get=partial(self.get, record),
            messages=self.store.messages(record),
            job=job,
            poll_seconds=self.engine.poll_seconds,
            queue_limit_min=self.engine.queue_limit_min,
        )

    def get(self, record: Record) -> dict[str, Any]:
        found = self.client.get_job_run(
            applicationId=record.request["applicationId"], jobRunId=record.job_run_id
        )
        return found["jobRun"]

    def cancel(self, record: Record) -> None:
        """Cancels the record's job unless it has ended; a job of unknown id is looked for.

        What AWS says against it is logged only: there is a reason for cancelling that matters more.
        """
        import dagster as dg
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            job_run_id = record.job_run_id or self._find(record)
            if job_run_id:
                self.client.cancel_job_run(
                    applicationId=record.request["applicationId"], jobRunId=job_run_id
                )
        except (BotoCoreError, ClientError) as error:
            dg.get_dagster_logger().warning(
                "EMR Serverless job run %s was not cancelled: %s",
                *(record.job_run_id or record.request["name"], error),
            )

    def _find(self, record: Record) -> str | None:
        """The id of a job whose start was not answered, by the name that no other job has."""
        pages = self.client.get_paginator("list_job_runs").paginate(
            applicationId=record.request["applicationId"], states=sorted({*WAITING, "RUNNING"})
        )
        for page in pages:
            for job in page["jobRuns"]:
                if job.get("name") == record.request["name"]:
                    return job["id"]
        return None

    def _used_up(self, record: Record, job: dict[str, Any], *, adopted: bool) -> bool:
        """Whether nothing more can come of this job, so that the job spec needs another attempt.

        How a job ended that was started just now is the caller's result.
        """
        if job["state"] == "SUCCESS":
            return not self.store.results_remain(record)
        return adopted and (job["state"] == "CANCELLING" or job["state"] in ENDED)

    def _next(
        self, spec: JobSpec, artifact: Artifact, spec_id: str, before: Record | None = None
    ) -> Record | None:
        """Writes the record of the first attempt, or of the next; None if somebody else did."""
        attempt = before.attempt + 1 if before else 1
        record = Record(spec_id, attempt, spec.staging, {}, etag=before.etag if before else "")
        token = client_token(spec_id, attempt, record.run_id)
        request = self._request(spec, artifact, token, self.store.arguments(spec_id, token))
        return self.store.save(dataclasses.replace(record, request=request))

    def _started(self, record: Record, spec: JobSpec) -> Record:
        """The record with its job's id. A job that its token has started before is that one."""
        self.store.put_spec(record, spec)
        start = _until_not_throttled(self.client.start_job_run)
        job_run_id = start(**record.request)["jobRunId"]
        started = dataclasses.replace(record, job_run_id=job_run_id)
        return self.store.save(started) or started

    def _request(
        self, spec: JobSpec, artifact: Artifact, token: str, arguments: list[str]
    ) -> dict[str, Any]:
        engine, count = self.engine, len(spec.partitions)
        tags = {
            "crypto-assets:run": spec.staging.rstrip("/").rpartition("/")[2],
            "crypto-assets:layers": " ".join(spec.layers),
            "crypto-assets:partitions": str(count),
        }
        executors = engine.size.executors_for(count if spec.each else None)
        conf = {**artifact.spark_conf, **self._spark_conf(executors)}
        return {
            "applicationId": engine.application_id,
            "clientToken": token,
            "executionRoleArn": engine.role_arn,
            "name": f"crypto-assets {count} partitions {token[:16]}",
            "executionTimeoutMinutes": engine.size.time_limit_min,
            "jobDriver": {
                "sparkSubmit": {
                    "entryPoint": artifact.entry_point,
                    "entryPointArguments": arguments,
                    "sparkSubmitParameters": " ".join(
                        f"--conf {name}={value}" for name, value in conf.items()
                    ),
                }
            },
            **engine.size.overrides(),
            "tags": {tag_text(name): tag_text(value) for name, value in tags.items()},
        }

    def _spark_conf(self, executors: int) -> dict[str, str]:
        """All of it, always: release 8.0.0 replaces the application's conf by the job's."""
        region = self.client.meta.region_name
        return {
            **self.engine.size.spark_conf(executors),
            "spark.emr-serverless.driverEnv.AWS_REGION": region,
            "spark.executorEnv.AWS_REGION": region,
            **SESSION_CONF,
        }


def tag_text(text: str) -> str:
    """The text as AWS takes it for a tag."""
    return _TAG.sub("_", text)[:_TAG_LENGTH]
