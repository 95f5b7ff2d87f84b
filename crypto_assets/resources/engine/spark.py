"""Apache Spark here, on a cluster (`spark_master`) or by Spark Connect (`spark_remote`).

Executors of a cluster are other machines: they get this package with the session, have no folder
of this machine, and are asked for what else they need before the work.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.engine.artifact import sources
from crypto_assets.resources.engine.driver import (
    ON_THIS_MACHINE,
    driver,
    sql_session,
    start_driver,
    start_python,
    started_early,
    stopping,
)
from crypto_assets.resources.engine.engine import Execute
from crypto_assets.resources.engine.proxies import keep_loopback_direct
from crypto_assets.resources.engine.session import (
    SESSION_CONF,
    SessionEngine,
    first_line,
    lost_is_busy,
    run_in_parts,
)
from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.resources.progress import WAIT_REPORT_SECONDS, waiting
from crypto_assets.resources.settings import Settings, variable

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client import DefaultChannelBuilder

    from crypto_assets.spark.job_spec import JobSpec, LayerResult

LOCAL = "local[*]"
_CORES = os.cpu_count() or 1
_EXECUTORS = 16  # pieces of a job that a cluster has at least at a time
_PROBES = 8  # tasks that look at executors
_CONNECT_S = 10
_MASTER_PORT = 7077
_PYTHON = "spark.pyspark.python"
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
# The lake's URIs are s3://; the client that Hadoop has for them calls them s3a://.
_S3 = {"spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem"}


@dataclass(frozen=True, kw_only=True)
class SparkEngine(SessionEngine):
    """Apache Spark 4, which needs a Java runtime here unless it is asked by Spark Connect.

    `remote` is an address such as `sc://host:15002/;token=…`, a secret. `conf` is what a person
    adds to the session's configuration.
    """

    storages = frozenset({"folder", "s3"})

    readers: int = _CORES
    master: str = LOCAL
    remote: str = field(default="", repr=False)
    conf: Mapping[str, str] = field(default_factory=dict, repr=False)
    aws: Aws | None = None  # where inbox and lake are; None: in folders
    memory_mb: int = 2048  # of the Java process of this machine

    @classmethod
    def of(cls, settings: Settings) -> Self:
        remote = settings.spark_remote.value if settings.spark_remote else ""
        return cls(
            readers=_EXECUTORS if _is_elsewhere(settings.spark_master, remote) else _CORES,
            master=settings.spark_master,
            remote=remote,
            conf=settings.spark_conf,
            aws=Aws.of_storage(settings),
        )

    @classmethod
    def storages_of(cls, settings: Settings) -> frozenset[str]:
        """A cluster sees no folder of this machine."""
        elsewhere = _is_elsewhere(settings.spark_master, settings.spark_remote)
        return frozenset({"s3"}) if elsewhere else cls.storages

    @property
    def _is_elsewhere(self) -> bool:
        return _is_elsewhere(self.master, self.remote)

    def prepared(self, partitions: int) -> AbstractContextManager[None]:
        if not partitions or self.remote:
            return nullcontext()
        return started_early(self._start)

    @contextmanager
    def running(self) -> Iterator[Execute]:
        """As of any session; on this machine Spark SQL is only there for a job that wants it."""
        if self._is_elsewhere:
            with super().running() as execute:
                yield execute
            return
        with lost_is_busy(), driver(self._start) as context:
            yield partial(_run_here, context, self._config())

    @contextmanager
    def session(self) -> Iterator[SparkSession]:
        """A session of its own. Raises `BusyError` or `RefusedError` if there is none to be had."""
        with (
            self._connected() if self.remote else self._started() as session,
            self._shipped(session) if self._is_elsewhere else nullcontext(),
        ):
            yield session

    @contextmanager
    def _connected(self) -> Iterator[SparkSession]:
        """A session on a Spark Connect server, which lives on afterwards."""
        from pyspark.sql import SparkSession
        from pyspark.sql.connect.client import DefaultChannelBuilder

        keep_loopback_direct()
        _require_answer(DefaultChannelBuilder(self.remote))
        # Not `getOrCreate`: a session that another run opened is that run's.
        session = SparkSession.builder.remote(self.remote).create()
        for name, value in {**self.conf, **SESSION_CONF}.items():
            if session.conf.isModifiable(name):
                session.conf.set(name, value)
        with stopping(session, session.stop):
            yield session

    @contextmanager
    def _started(self) -> Iterator[SparkSession]:
        """A session whose driver is in this process."""
        with driver(self._start):
            yield sql_session(self._config())

    def _start(self) -> SparkContext:
        keep_loopback_direct()
        if self.master.startswith("spark://"):
            _reach(self.master.removeprefix("spark://").split(","))
        local = not self._is_elsewhere
        # Workers run whatever `python3` is on their path otherwise.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable if local else "python3")
        if python := self.conf.get(_PYTHON):
            os.environ["PYSPARK_PYTHON"] = python
        context = start_driver(self._config())
        if local:
            start_python(context, _CORES)
        return context

    def _config(self) -> dict[str, str]:
        """What a driver in this process is started with."""
        local = not self._is_elsewhere
        return {
            **_QUIET,
            **(ON_THIS_MACHINE if local else {}),
            **self._access(local=local),
            "spark.app.name": "crypto_assets",
            "spark.driver.memory": f"{self.memory_mb}m",
            "spark.sql.shuffle.partitions": str(_CORES if local else _EXECUTORS),
            **self.conf,
            **SESSION_CONF,
            "spark.master": self.master,
        }

    @property
    def _place(self) -> str:
        """Where it runs, without what is secret of it."""
        return self.remote.partition(";")[0].rstrip("/") or self.master

    def _access(self, *, local: bool) -> dict[str, str]:
        """How executors find S3; on other machines they have credentials of their own."""
        if self.aws is None:
            return {}
        if local:
            os.environ.update(self.aws.environment())
        place = {"AWS_REGION": self.aws.region, "AWS_ENDPOINT_URL": self.aws.endpoint_url}
        given = {f"spark.executorEnv.{name}": value for name, value in place.items() if value}
        return given | _S3

    @contextmanager
    def _shipped(self, session: SparkSession) -> Iterator[None]:
        """Executors have the code of the job then, and what it needs.

        The driver gives them the package whenever one of them starts.
        """
        _require_version(session)
        with _package() as package:
            if self.remote:
                session.addArtifacts(str(package), pyfile=True)
            else:
                session.sparkContext.addPyFile(str(package))
            with _saying(f"waiting for executors of {self._place}"):
                _examine_executors(session)
            yield


def _run_here(
    context: SparkContext, config: Mapping[str, str], spec: JobSpec
) -> Iterator[LayerResult]:
    """Runs a job spec, on a session only if it wants one."""
    yield from run_in_parts(context if spec.each else sql_session(config), spec)


def _is_elsewhere(master: str, remote: object) -> bool:
    """Whether other machines compute."""
    return bool(remote) or not master.startswith("local")


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """Says what this process waits for, as long as it does: a busy cluster may take for ever."""
    done = Event()

    def say() -> None:
        while not done.wait(WAIT_REPORT_SECONDS):
            waiting(what)

    Thread(target=say, daemon=True).start()
    try:
        yield
    finally:
        done.set()


@contextmanager
def _package() -> Iterator[Path]:
    """The job's code as Python imports it from a ZIP file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "crypto_assets.zip")
        with zipfile.ZipFile(path, "w") as package:
            for name, content in sources().items():
                package.writestr(name, content)
        yield path


def _examine_executors(session: SparkSession) -> None:
    """Raises `RefusedError` if an executor lacks what the job needs, in one line."""
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as F

    from crypto_assets.spark.executor import LEAST_PYTHON, PACKAGES, facts

    python = ".".join(map(str, sys.version_info[:2]))
    cure = (
        f"give the executors Python {python} with {', '.join(PACKAGES)} and name it by {_PYTHON} "
        "in the setting spark_conf"
    )
    look = F.udf(facts, "string", useArrow=False)
    try:
        rows = session.range(0, _PROBES, 1, _PROBES).select(look().alias("facts")).distinct()
        found = [json.loads(row.facts) for row in rows.collect()]
    except PySparkException as error:
        text = " ".join(str(error).split())
        if "PYTHON_VERSION_MISMATCH" in text or "ModuleNotFoundError" in text:
            problem = f"executors cannot run the job: {first_line(error)}"
            raise RefusedError(f"{problem}: {cure}") from error
        raise
    for each in found:
        lacking = [name for name in PACKAGES if not each["packages"].get(name)]
        if lacking or tuple(each["python"]) < LEAST_PYTHON:
            has = f"Python {'.'.join(map(str, each['python']))}"
            without = f" without {' and '.join(lacking)}" if lacking else ""
            raise RefusedError(f"executor {each['host']} has {has}{without}: {cure}")


def _require_version(session: SparkSession) -> None:
    if int(session.version.split(".")[0]) < 4:  # noqa: PLR2004 - as the client here
        raise RefusedError(f"Spark {session.version} answers: 4.0 or newer is wanted")


def _reach(masters: list[str]) -> None:
    """Raises `BusyError` at once if none of them listens; Spark would try for minutes."""
    for address in masters:
        place = urlsplit(f"//{address}")
        try:
            with socket.create_connection(
                (place.hostname or "", place.port or _MASTER_PORT), _CONNECT_S
            ):
                return
        except OSError as error:
            reason = error
    raise _no_answer(", ".join(masters), reason, "spark_master")


def _require_answer(server: DefaultChannelBuilder) -> None:
    """Raises `BusyError` if no Connect server is there, or none behind its proxy.

    Spark's client would try for ten minutes.
    """
    from grpc import ChannelConnectivity

    settled = {ChannelConnectivity.READY, ChannelConnectivity.TRANSIENT_FAILURE}
    states: Queue[ChannelConnectivity] = Queue()
    channel = server.toChannel()
    try:
        channel.subscribe(states.put, try_to_connect=True)
        end = monotonic() + _CONNECT_S
        while (state := states.get(timeout=max(0, end - monotonic()))) not in settled:
            continue
        reason = "no connection"
    except Empty:
        state, reason = None, f"no answer in {_CONNECT_S} s"
    finally:
        channel.close()
    if state != ChannelConnectivity.READY:
        raise _no_answer(server.endpoint, reason, "spark_remote")


def _no_answer(place: str, reason: object, setting: str) -> BusyError:
    return BusyError(
        f"Spark does not answer at {place} ({reason}): start it, or correct {variable(setting)}"
    )
