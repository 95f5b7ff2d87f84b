"""Sail: a Spark Connect server in Rust, in this process, and processes that compute partitions.

All are started for one step and closed after it, so no port or process stays behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Self

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.engine.engine import Execute
from crypto_assets.resources.engine.proxies import keep_loopback_direct
from crypto_assets.resources.engine.session import SessionEngine
from crypto_assets.resources.engine.workers import Workers, started_early
from crypto_assets.resources.settings import Settings
from crypto_assets.spark.each import ended_twice, pieces, results
from crypto_assets.spark.job_spec import JobSpec, LayerResult

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


@dataclass(frozen=True, kw_only=True)
class SailEngine(SessionEngine):
    """Sail: Spark Connect in this process, without Java.

    What is computed partition by partition goes to processes of this machine: Sail's own functions
    in Python would share one GIL.
    """

    batch_size: int = 10_000  # a process holds one partition at a time
    aws: Aws | None = None  # where inbox and lake are; None: in folders

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(aws=Aws.of_storage(settings))

    def prepared(self, partitions: int) -> AbstractContextManager[None]:
        self._give_access()
        return started_early(min(partitions, _CORES))

    @contextmanager
    def running(self) -> Iterator[Execute]:
        """Neither the session nor the processes start before something is to be computed."""
        self._give_access()
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

    def _give_access(self) -> None:
        """Processes and Sail find in the environment how this process asks AWS."""
        if self.aws:
            os.environ.update(self.aws.environment())

    @contextmanager
    def session(self) -> Iterator[SparkSession]:
        """A session on a server of its own, on a free loopback port."""
        keep_loopback_direct()
        self._give_access()
        if self.aws:
            os.environ.update(self.aws.keys())
            if (self.aws.endpoint_url or "").startswith("http://"):
                os.environ["AWS_ALLOW_HTTP"] = "true"
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


def _by_workers(workers: Workers, spec: JobSpec) -> Iterator[LayerResult]:
    """Computes the spec piece by piece; yields the verdicts on `AT_A_TIME` partitions together."""

    def killed(piece: str, exit_code: int) -> str:
        return ended_twice(piece, f" (exit code {exit_code})")

    answers = workers.answers(pieces(spec), killed)
    while together := list(islice(answers, AT_A_TIME)):
        yield from results(spec, together, workers.count)
