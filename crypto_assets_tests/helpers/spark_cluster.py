"""A standalone Spark cluster on loopback: a master, two workers and a Spark Connect server.

Each worker runs in a mount namespace of its own, where neither the product's code nor a home is:
what its executors need must have been sent to them.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyspark

import crypto_assets
from crypto_assets_tests.helpers.java import java_home
from crypto_assets_tests.helpers.loopback import answers, free_port
from crypto_assets_tests.helpers.waiting import until

_SPARK = Path(pyspark.__file__).parent
_CODE = Path(crypto_assets.__file__).parent
_CORES = 2  # of a worker: one for a session's executor, one for that of the Connect server


@dataclass
class Cluster:
    """The addresses, and the processes to disturb."""

    folder: Path
    environment: dict[str, str]
    master: str = ""
    remote: str = ""
    connect_ui: str = ""
    workers: list[subprocess.Popen] = field(default_factory=list)
    _processes: list[subprocess.Popen] = field(default_factory=list)

    @property
    def conf(self) -> dict[str, str]:
        """What a person on this machine would set for it."""
        return {
            "spark.pyspark.python": sys.executable,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.executor.memory": "700m",
            "spark.executor.cores": "1",
            "spark.cores.max": "2",
        }

    def start_worker(self) -> None:
        """One more worker, which sees neither the product's code nor this test's home."""
        number = len(self.workers)
        words = [
            *("--host", "127.0.0.1", "--cores", str(_CORES), "--memory", "1500m"),
            *("--webui-port", str(free_port()), "--work-dir", str(self.folder / f"work{number}")),
            self.master,
        ]
        command = self._java("org.apache.spark.deploy.worker.Worker", words)
        hide = f"mount -t tmpfs none {shlex.quote(str(_CODE))} && exec {shlex.join(command)}"
        process = self._start(f"worker{number}", ["unshare", "--mount", "bash", "-c", hide])
        self.workers.append(process)
        log = self.folder / f"worker{number}.log"
        until("a worker", lambda: b"registered with master" in log.read_bytes(), by=process)

    def kill_worker(self, number: int) -> None:
        """Ends a worker and its executors at once, as a machine that is switched off."""
        worker = psutil.Process(self.workers[number].pid)
        for process in [*worker.children(recursive=True), worker]:
            process.kill()
        self.workers[number].wait()

    def _start(self, name: str, command: list[str]) -> subprocess.Popen:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        self._processes.append(process)
        return process

    def _java(self, main: str, words: list[str]) -> list[str]:
        return [
            f"{self.environment['JAVA_HOME']}/bin/java",
            "-Xmx512m",
            "-cp",
            f"{_SPARK}/jars/*",
            main,
            *words,
        ]

    def start_master(self) -> None:
        port, web = free_port(), free_port()
        self.master = f"spark://127.0.0.1:{port}"
        words = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", str(web)]
        process = self._start("master", self._java("org.apache.spark.deploy.master.Master", words))
        until("the master", lambda: answers(f"http://127.0.0.1:{web}/json/"), by=process)

    def start_connect(self) -> None:
        """A Spark Connect server whose executors are those of the cluster."""
        port, web = free_port(), free_port()
        conf = self.conf | {
            "spark.master": self.master,
            "spark.connect.grpc.binding.port": str(port),
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.ui.port": str(web),
            "spark.sql.artifact.isolation.enabled": "true",
        }
        settings = [word for item in conf.items() for word in ("--conf", "=".join(item))]
        server = "org.apache.spark.sql.connect.service.SparkConnectServer"
        words = [*settings, "--class", server, "spark-internal"]
        submit = self._java("org.apache.spark.deploy.SparkSubmit", words)
        process = self._start("connect", submit)
        self.remote, self.connect_ui = f"sc://127.0.0.1:{port}", f"http://127.0.0.1:{web}"
        log = self.folder / "connect.log"
        until("Spark Connect", lambda: b"server started at" in log.read_bytes(), by=process)

    def stop(self) -> None:
        for process in reversed(self._processes):
            if process.poll() is None:
                family = psutil.Process(process.pid).children(recursive=True)
                process.send_signal(signal.SIGKILL)
                for member in family:
                    member.kill()
            process.wait()


@contextmanager
def spark_cluster(folder: Path, environment: dict[str, str]) -> Iterator[Cluster]:
    """A cluster of two workers, whose processes have this environment."""
    here = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    spark = {
        "SPARK_HOME": str(_SPARK),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_SCALA_VERSION": "2.13",
        "PYSPARK_PYTHON": sys.executable,
        "JAVA_HOME": java_home(folder),
    }
    cluster = Cluster(folder, here | spark | environment)
    try:
        cluster.start_master()
        for _ in range(2):
            cluster.start_worker()
        yield cluster
    finally:
        cluster.stop()


def tasks_by_executor(ui: str) -> dict[str, int]:
    """How many tasks each executor of the application at this address has completed."""

    def asked(path: str) -> list[dict]:
        with urllib.request.urlopen(f"{ui}/api/v1/applications{path}", timeout=60) as answer:
            return json.load(answer)

    (application, *_) = asked("")
    found = asked(f"/{application['id']}/allexecutors")
    return {each["id"]: each["completedTasks"] for each in found if each["id"] != "driver"}
