"""The driver of Apache Spark in this process: the Java process it starts, and those of Python here.

To start them takes seconds, in which the run is planned already.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from crypto_assets.resources.engine.background import begun
from crypto_assets.resources.errors import RefusedError

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

# Java's second compiler begins ten times later than by default: otherwise it has the cores for
# seconds, in which they could compute. Measured on 2 cores; jobs of a minute are no slower.
_COMPILES_LATER = {
    "Tier4InvocationThreshold": 50_000,
    "Tier4MinInvocationThreshold": 6_000,
    "Tier4CompileThreshold": 150_000,
    "Tier4BackEdgeThreshold": 400_000,
}
ON_THIS_MACHINE = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.extraJavaOptions": " ".join(f"-XX:{k}={v}" for k, v in _COMPILES_LATER.items()),
    "spark.python.daemon.module": "crypto_assets.spark.daemon",
}
Start = Callable[[], "SparkContext"]


@contextmanager
def started_early(start: Start) -> Iterator[None]:
    """Starts a driver in the background for the first `driver`; ends it if nobody wanted it."""
    _EARLY.append(begun(partial(_next, start)))
    try:
        yield
    finally:
        while _EARLY:  # nobody waits for it: an interrupt may have left its imports locked for ever
            _ENDING.append(begun(partial(_stop_unwanted, _EARLY.pop())))


@contextmanager
def driver(start: Start) -> Iterator[SparkContext]:
    """The driver that was started early, or a new one.

    It ends in the background: PySpark looks once a second whether it is to end.
    """
    context = _EARLY.pop().result() if _EARLY else _next(start)
    with stopping(context, lambda: _ENDING.append(begun(context.stop))):
        yield context


@contextmanager
def stopping(spark: SparkContext | SparkSession, end: Callable[[], None]) -> Iterator[None]:
    """Ends it after the work; what broke off the work is raised, not what came of it.

    An interrupt in the middle of a call leaves the connection to the JVM with half an answer.
    """
    try:
        yield
    except BaseException:
        with suppress(Exception):
            spark.stop()
        raise
    end()


def start_driver(config: Mapping[str, str]) -> SparkContext:
    """Starts a driver. Raises `RefusedError` if there is no Java."""
    _require_java()
    for name in ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):
        os.environ.pop(name, None)  # left by a session of Spark Connect in this process
    from pyspark import SparkConf, SparkContext

    context = SparkContext.getOrCreate(SparkConf().setAll(list(config.items())))
    context.setLogLevel("ERROR")
    return context


def start_python(context: SparkContext, count: int) -> None:
    """Starts so many processes that compute, in the background, with what all jobs import."""
    from crypto_assets.spark.arrow import compute_on_one_core

    tasks = context.parallelize(range(count), count)
    begun(lambda: tasks.foreach(lambda _: compute_on_one_core()))


def sql_session(config: Mapping[str, str]) -> SparkSession:
    """A session on the driver, by Dagster's PySpark resource. It ends with the driver."""
    import dagster as dg
    from dagster_pyspark import PySparkResource

    resource = PySparkResource(spark_config=dict(config))
    with resource.yield_for_execution(dg.build_init_resource_context()) as pyspark:
        session: SparkSession = pyspark.spark_session
        return session


def _stop_unwanted(early: Future[SparkContext]) -> None:
    early.result().stop()


def _next(start: Start) -> SparkContext:
    """A process has one driver at a time."""
    while _ENDING:
        _ENDING.pop().exception()
    return start()


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else shutil.which("java")
    if not java or not Path(java).exists():
        raise RefusedError(
            "engine `spark` needs Java 17 or 21 and finds none: install a Java runtime and set "
            "JAVA_HOME, or use the default engine (CRYPTO_ASSETS_ENGINE=sail)"
        )


_EARLY: list[Future[SparkContext]] = []
_ENDING: list[Future[None]] = []
