"""What the engines with a Spark session have in common: a session lasts as long as a step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from crypto_assets.resources.engine.background import begun, in_order
from crypto_assets.resources.engine.engine import Engine, Execute
from crypto_assets.resources.errors import BusyError
from crypto_assets.spark.each import PIECES_A_TASK
from crypto_assets.spark.job_spec import JobSpec, LayerResult
from crypto_assets.spark.run import run

if TYPE_CHECKING:
    from concurrent.futures import Future

    from pyspark import SparkContext
    from pyspark.sql import SparkSession

_AHEAD = 2  # parts that compute while what one made is published
# What the tables rely on, whatever a person's configuration says.
SESSION_CONF = {
    "spark.sql.ansi.enabled": "true",  # the default, unless SPARK_ANSI_SQL_MODE says otherwise
    # As Sail writes them; Spark's default is a type that Parquet has given up.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.session.timeZone": "UTC",
}
# What an engine says whose cluster is gone, or lost more of its executors than it can bear.
_LOST = (
    "SparkContext was shut down",
    "stopped SparkContext",
    "All masters are unresponsive",
    "ExecutorLostFailure",
    "SESSION_CLOSED",
    "SESSION_NOT_FOUND",
)


class SessionEngine(Engine, ABC):
    """An engine whose Spark session lives in this process."""

    @abstractmethod
    def session(self) -> AbstractContextManager[SparkSession]:
        """Opens a session and closes it, and all it started, at the end."""

    @contextmanager
    def running(self) -> Iterator[Execute]:
        """A run on a session that lasts as long as the block."""
        with lost_is_busy(), self.session() as session:
            yield partial(run_in_parts, session)

    def abandon(self, running: Collection[str]) -> None:
        """A session is closed with its step and leaves nothing behind."""

    def check(self) -> str:
        with lost_is_busy(), self.session() as session:
            session.range(1).count()
            return f"Spark {session.version}"


def run_in_parts(spark: SparkContext | SparkSession, spec: JobSpec) -> Iterator[LayerResult]:
    """Runs a job spec; one that computes partition by partition as several jobs of Spark's.

    What one of them made is published while the next ones compute.
    """
    if not spec.each:
        yield from run(spark, spec)
        return
    size = spec.readers * PIECES_A_TASK
    starts = range(0, len(spec.partitions), size)
    parts = [replace(spec, partitions=spec.partitions[start : start + size]) for start in starts]
    computing: Iterator[Future[list[LayerResult]]] = (
        begun(partial(list, run(spark, part))) for part in parts
    )
    for results in in_order(computing, _AHEAD):
        yield from results


def first_line(error: BaseException) -> str:
    """What an error says before the frames of the JVM."""
    return next(iter(str(error).strip().splitlines()), repr(error))


@contextmanager
def lost_is_busy() -> Iterator[None]:
    """An engine that went away is there again later: a fault that passes."""
    try:
        yield
    except Exception as error:
        if _is_lost(error):
            raise BusyError(f"the engine is gone: {first_line(error)}") from error
        raise


def _is_lost(error: BaseException) -> bool:
    """Whether the other side of the connection to Spark is no longer there."""
    import grpc
    from py4j.protocol import Py4JNetworkError

    if isinstance(error, grpc.RpcError):
        return getattr(error, "code", lambda: None)() == grpc.StatusCode.UNAVAILABLE
    if isinstance(error, (Py4JNetworkError, ConnectionError)):
        return True
    return any(words in str(error) for words in _LOST)
