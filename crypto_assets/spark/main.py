"""The entry point of a job on EMR Serverless: reads its job spec, runs it, reports the verdicts.

Job spec and verdicts pass through S3 by the Dagster Pipes protocol; `resources/engine/emr.py` is
the other side. What is computed is `run`; nothing is decided here.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import boto3
from dagster_pipes import (
    PipesCliArgsParamsLoader,
    PipesS3ContextLoader,
    PipesS3MessageWriter,
    PipesS3MessageWriterChannel,
    open_dagster_pipes,
)
from pyspark.sql import SparkSession

from crypto_assets.spark.job_spec import spec_from_json, to_json
from crypto_assets.spark.run import run

if TYPE_CHECKING:
    from dagster_pipes import PipesMessage, PipesParams

SPEC = "job_spec"  # its name among the extras of the Pipes context


class _Channel(PipesS3MessageWriterChannel):
    """Writes each message at once: what waits in memory is lost when the driver is killed."""

    _written = 0

    def write_message(self, message: PipesMessage) -> None:
        self._written += 1
        self.upload_messages_chunk(io.StringIO(json.dumps(message)), self._written)


class _MessageWriter(PipesS3MessageWriter):
    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._s3 = client

    def make_channel(self, params: PipesParams) -> _Channel:
        return _Channel(self._s3, params["bucket"], params["key_prefix"])


def main() -> None:
    """Runs the job spec in the Pipes context; a fault is reported and ends the process."""
    client: Any = boto3.client("s3")
    with open_dagster_pipes(
        context_loader=PipesS3ContextLoader(client),
        message_writer=_MessageWriter(client),
        params_loader=PipesCliArgsParamsLoader(),  # type: ignore[no-untyped-call]
    ) as pipes:
        spec = spec_from_json(pipes.get_extra(SPEC))
        session = SparkSession.builder.getOrCreate()
        pipes.log.info(
            "Spark %s has begun with %d partitions", session.version, len(spec.partitions)
        )
        for result in run(session, spec):
            pipes.report_custom_message(to_json(result))
        session.stop()


if __name__ == "__main__":
    main()
