"""The interpreters of the double of EMR Serverless: one has its packages imported before its job.

As an application may keep workers ready in EMR; importing takes most of a short job. A worker has
an interpreter without this project's packages: `image` is what EMR's image has, with Sail in place
of Java; all else comes out of the archive that was uploaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_IMAGE = ("pyspark", "pysail", "py4j", "grpc", "grpc_status", "grpc_health", "google", "zstandard")
_WORK = """
import json, os, runpy, sys
import boto3, dagster_pipes, pandas, pyarrow.parquet, pyspark.sql.connect.session
from pysail.spark import SparkConnectServer
task = json.loads(sys.stdin.readline() or sys.exit())
os.environ.update(task["environment"])
server = SparkConnectServer("127.0.0.1", 0)
server.start(background=True)
os.environ["SPARK_REMOTE"] = "sc://127.0.0.1:%d" % server.listening_address[1]
if os.environ.get("DOUBLE_FAULT") == "half-way":
    from dagster_pipes import PipesContext
    report = PipesContext.report_custom_message
    def report_and_die(pipes, payload):
        report(pipes, payload)
        os.kill(os.getpid(), 9)
    PipesContext.report_custom_message = report_and_die
sys.argv = task["arguments"]
sys.path[0] = os.path.dirname(sys.argv[0])
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
    import crypto_assets, pyarrow
    print("code:", crypto_assets.__file__)
    print("packages:", *(m.__file__ for m in (boto3, dagster_pipes, pandas, pyarrow)))
    print("path:", *sys.path)
finally:
    server.stop()
"""


@dataclass(frozen=True)
class Packages:
    """The archive's files, the name they are unpacked under, and where Python looks for them."""

    archive: Path
    name: str
    path: str


@dataclass(frozen=True)
class Worker:
    """An interpreter in a folder of its own, where `archive` lies unpacked."""

    folder: Path
    packages: Packages
    process: subprocess.Popen[bytes]

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def run(self, entry_point: bytes, arguments: list[str], environment: dict[str, str]) -> None:
        """Begins what is submitted."""
        entry = self.folder / "entry" / "main.py"
        entry.parent.mkdir()
        entry.write_bytes(entry_point)
        task = {"environment": environment, "arguments": [str(entry), *arguments]}
        with suppress(BrokenPipeError), self.process.stdin as stream:  # its output says why
            stream.write(json.dumps(task).encode() + b"\n")


@dataclass
class Workers:
    """Makes workers below `folder`; the one that is ready has the packages asked for last."""

    folder: Path
    _ready: Worker | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, packages: Packages) -> Worker:
        """A worker with these packages; the next one is begun meanwhile."""
        with self._lock:
            if self._ready and self._ready.packages == packages:
                taken = self._ready
            else:
                self._drop()
                taken = self._made(packages)
            self._ready = self._made(packages)
            return taken

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._ready:
            self._ready.process.kill()
            self._ready.process.communicate()
            self._ready = None

    def _made(self, packages: Packages) -> Worker:
        folder = self.folder / uuid.uuid4().hex
        folder.mkdir(parents=True)
        (folder / packages.name).symlink_to(packages.archive)
        (folder / "work.py").write_text(_WORK)
        environment = {
            "HOME": str(folder),
            "PATH": os.defpath,
            "RUST_LOG": "error",
            "PYTHONPATH": f"{packages.path}:{self._image()}",
        }
        with (folder / "output.txt").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-S", str(folder / "work.py")],
                env=environment,
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
        return Worker(folder, packages, process)

    def _image(self) -> Path:
        """A folder with links to what EMR's own image has, and nothing else of this machine."""
        import pyspark

        packages, image = Path(pyspark.__file__).parents[1], self.folder / "image"
        image.mkdir(exist_ok=True)
        for name in (*_IMAGE, "typing_extensions.py"):
            with suppress(FileExistsError):
                (image / name).symlink_to(packages / name)
        return image


@contextmanager
def working(folder: Path) -> Iterator[Workers]:
    """Workers below this folder; none is left afterwards."""
    workers = Workers(folder)
    try:
        yield workers
    finally:
        workers.close()
