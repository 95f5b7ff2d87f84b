"""The engines that run in this process: Sail, a Spark Connect server in Rust, and Apache Spark.

Both are started for one step and closed after it, so no port or process stays behind.
"""

from __future__ import annotations

import os
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

from crypto_assets.resources.engine.engine import Engine, Execute
from crypto_assets.resources.engine.proxies import keep_loopback_direct
from crypto_assets.resources.engine.workers import Workers, started_early
from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.resources.settings import Settings
from crypto_assets.spark.each import broken, pieces, results
from crypto_assets.spark.job_spec import Answer, JobSpec, LayerResult, spec_from_json, to_json

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CORES = os.cpu_count() or 1
AT_A_TIME = 100  # partitions published together while the next ones are computed
# Measured on 1,000 tickers with pysail 0.7.2; together they take a third of the memory.
_SAIL_CONFIG = {
    # One writer per file instead of one per column, and no dictionary per column of an open file.
    "SAIL_PARQUET__ALLOW_SINGLE_FILE_PARALLELISM": "false",
    "SAIL_PARQUET__DICTIONARY_ENABLED": "false",
    # Half a megabyte by default, read of every file first: more than most of ours have.
    "SAIL_PARQUET__METADATA_SIZE_HINT": "16384",
    # These remember files by path and time; published paths are replaced.
    "SAIL_PARQUET__FILE_METADATA_CACHE__TYPE": "none",
    "SAIL_PARQUET__FILE_STATISTICS_CACHE__TYPE": "none",
    # Its allocator otherwise keeps what it freed; giving it back at once takes a tenth longer.
    "MIMALLOC_PURGE_DELAY": "10",
    "MIMALLOC_ABANDONED_PAGE_PURGE": "1",
    # A session that has nothing to do for so long is gone; that of a slow load may have to wait.
    "SAIL_SPARK__SESSION_TIMEOUT_SECS": "86400",
    "RUST_LOG": "error",
}
_SPARK_CONFIG = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.ansi.enabled": "true",  # the default, unless SPARK_ANSI_SQL_MODE says otherwise
    # As Sail writes them; Spark's default is a type that Parquet has given up.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


class _SessionEngine(Engine, ABC):
    """An engine whose Spark session lives in this process."""

    @classmethod
    def of(cls, settings: Settings) -> Self:  # noqa: ARG003 - an engine's signature
        return cls()

    @abstractmethod
    def session(self) -> AbstractContextManager[SparkSession]:
        """Opens a session and closes it, and all it started, at the end."""

    @contextmanager
    def running(self) -> Iterator[Execute]:
        """A run on a session that lasts as long as the block."""
        with self.session() as session:
            from crypto_assets.spark.run import run

            try:
                yield partial(run, session)
            except Exception as error:
                if _is_lost(error):
                    raise BusyError(f"the engine is gone: {error}") from error
                raise

    def abandon(self, running: Collection[str]) -> None:
        """A session is closed with its step and leaves nothing behind."""

    def check(self) -> str:
        with self.session() as session:
            session.range(1).count()
            return f"Spark {session.version}"


@dataclass(frozen=True, kw_only=True)
class SailEngine(_SessionEngine):
    """Sail: Spark Connect in this process, without Java.

    What is computed partition by partition goes to processes of this machine: Sail's own functions
    in Python would share one GIL.
    """

    batch_size: int = 10_000  # a process holds one partition at a time

    def prepared(self, partitions: int) -> AbstractContextManager[None]:
        return started_early(min(partitions, _CORES))

    @contextmanager
    def running(self) -> Iterator[Execute]:
        """Neither the session nor the processes start before something is to be computed."""
        with Workers(_CORES) as workers, ExitStack() as opened:

            @cache
            def on_session() -> Execute:
                return opened.enter_context(super(SailEngine, self).running())

            def execute(spec: JobSpec) -> Iterator[LayerResult]:
                if spec.each:
                    yield from _by_workers(workers, spec)
                else:
                    yield from on_session()(spec)

            yield execute

    @contextmanager
    def session(self) -> Iterator[SparkSession]:
        """A session on a server of its own, on a free loopback port."""
        keep_loopback_direct()
        for name, value in _SAIL_CONFIG.items():
            os.environ.setdefault(name, value)
        from pysail.spark import SparkConnectServer
        from pyspark.sql import SparkSession

        server = SparkConnectServer("127.0.0.1", 0)
        server.start(background=True)
        try:
            _, port = server.listening_address
            session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
            session.conf.set("spark.sql.shuffle.partitions", str(os.cpu_count() or 1))
            # Else this machine's, which would stand in the files.
            session.conf.set("spark.sql.session.timeZone", "UTC")
            try:
                yield session
            finally:
                session.stop()
        finally:
            server.stop()


@dataclass(frozen=True, kw_only=True)
class SparkEngine(_SessionEngine):
    """Apache Spark in local mode, which needs a Java runtime; each reader has its own process."""

    storages = frozenset({"folder"})  # it brings no file system for S3

    readers: int = _CORES
    memory_mb: int = 2048  # of the Java process

    @contextmanager
    def session(self) -> Iterator[SparkSession]:
        """A local session through Dagster's PySpark resource."""
        _require_java()
        # Its workers run whatever `python3` is on the path otherwise, without our packages.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        import dagster as dg
        from dagster_pyspark import PySparkResource

        resource = PySparkResource(
            spark_config={
                **_SPARK_CONFIG,
                "spark.driver.memory": f"{self.memory_mb}m",
                "spark.sql.shuffle.partitions": str(os.cpu_count() or 1),
            }
        )
        with resource.yield_for_execution(dg.build_init_resource_context()) as pyspark:
            session = pyspark.spark_session
            session.sparkContext.setLogLevel("ERROR")
            try:
                yield session
            finally:
                session.stop()


def _by_workers(workers: Workers, spec: JobSpec) -> Iterator[LayerResult]:
    """Computes the spec piece by piece; yields the verdicts on `AT_A_TIME` partitions together."""

    def killed(piece: str, exit_code: int) -> str:
        how = f"the process that computed it was ended twice (exit code {exit_code})"
        return to_json(Answer((broken(spec_from_json(piece), [], how),)))

    answers = workers.answers(pieces(spec), killed)
    while together := list(islice(answers, AT_A_TIME)):
        yield from results(spec, together, workers.count)


def _is_lost(error: BaseException) -> bool:
    """Whether the other side of the connection to Spark is no longer there."""
    import grpc
    from py4j.protocol import Py4JNetworkError

    if isinstance(error, grpc.RpcError):
        return getattr(error, "code", lambda: None)() == grpc.StatusCode.UNAVAILABLE
    return isinstance(error, (Py4JNetworkError, ConnectionError))


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else shutil.which("java")
    if not java or not Path(java).exists():
        raise RefusedError(
            "engine `spark` needs Java 17 or 21 and finds none: install a Java runtime and set "
            "JAVA_HOME, or use the default engine (CRYPTO_ASSETS_ENGINE=sail)"
        )
