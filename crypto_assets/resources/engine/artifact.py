"""What a job on EMR Serverless receives: `crypto_assets/spark` and its packages, as one archive.

The archive is named by a hash of all that goes in (our sources and the locked wheels' hashes), so
whether it is there already is known without building it. How a job uses it is `emr`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.storage.objects import Objects

PYTHON = "3.11"
# Amazon Linux 2023, on which EMR runs, has glibc 2.34; pyarrow has no wheel for an older one.
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux2014_x86_64")
ENVIRONMENT = "environment"
_FOLDER = "_artifacts"

_PACKAGE = Path(__file__).parents[2]
_LOCK = _PACKAGE / "job.lock"
_FORMAT = b"1"  # changes when the same sources and wheels are packed in another way
# Packages' own tests, headers and scripts: a fifth of the size, and no job imports them.
_LEFT_OUT = ("/tests/", "/include/", ".data/")
_FETCH_S = 900


@dataclass(frozen=True)
class Artifact:
    """Where the archive and the entry point stand; `name` is the hash of all that is in them."""

    name: str
    archive: str
    entry_point: str

    @property
    def spark_conf(self) -> dict[str, str]:
        """How driver and executors find what is in the archive.

        EMR Serverless unpacks it in the working folder of each; see «Using Python libraries with
        EMR Serverless» in its user guide.
        """
        return {
            "spark.archives": f"{self.archive}#{ENVIRONMENT}",
            "spark.emr-serverless.driverEnv.PYTHONPATH": f"./{ENVIRONMENT}",
            "spark.executorEnv.PYTHONPATH": f"./{ENVIRONMENT}",
        }


@dataclass(frozen=True)
class Packer:
    """Builds the archive below `cache`, which keeps it and the wheels."""

    cache: Path
    package: Path = _PACKAGE
    lock: Path = _LOCK

    @cached_property
    def sources(self) -> dict[str, bytes]:
        """Our own files in the archive, by path."""
        return sources(self.package)

    @cached_property
    def name(self) -> str:
        """Sixteen hexadecimal digits that name all that goes into the archive."""
        digest = hashlib.sha256(_FORMAT + b"\0" + self.lock.read_bytes())
        for path, content in self.sources.items():
            digest.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
        return digest.hexdigest()[:16]

    def uploaded(self, objects: Objects) -> Artifact:
        """The artifact among these objects, built and uploaded if it is not there yet.

        Raises `RefusedError` if the wheels cannot be fetched.
        """
        archive, entry_point = f"{_FOLDER}/{self.name}.tar.gz", f"{_FOLDER}/{self.name}.py"
        there = {found.key for found in objects.below(_FOLDER)}
        if archive not in there:
            objects.upload(self.built(), archive, lambda _: None)
        if entry_point not in there:
            objects.write(entry_point, self.sources[f"{self.package.name}/spark/main.py"])
        return Artifact(self.name, objects.uri(archive), objects.uri(entry_point))

    def built(self) -> Path:
        """The archive on this machine. The same sources and lock file give the same bytes."""
        archive = self.cache / f"{self.name}.tar.gz"
        if not archive.exists():
            wheels = self._wheels()
            with tempfile.NamedTemporaryFile(dir=self.cache, delete=False) as stream:
                _pack(stream, {**self.sources}, wheels)
            for older in self.cache.glob("*.tar.gz"):
                older.unlink(missing_ok=True)
            Path(stream.name).replace(archive)
        return archive

    def _wheels(self) -> list[Path]:
        """The locked wheels for EMR's Python and platform, whatever this machine's are."""
        lock = hashlib.sha256(self.lock.read_bytes()).hexdigest()[:16]
        folder = self.cache / "wheels" / lock
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
                _fetch(self.lock, Path(scratch, lock))
                with suppress(OSError):  # another process was quicker
                    Path(scratch, lock).rename(folder)
        return sorted(folder.glob("*.whl"))


def sources(package: Path = _PACKAGE) -> dict[str, bytes]:
    """The code that a job is made of, by its path in an archive."""
    spark = package / "spark"
    files = [package / "__init__.py", *spark.rglob("*.py"), *spark.rglob("*.csv")]
    return {
        path.relative_to(package.parent).as_posix(): path.read_bytes() for path in sorted(files)
    }


def _fetch(lock: Path, folder: Path) -> None:
    options = [f"--platform={platform}" for platform in PLATFORMS]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={PYTHON}", *options, f"--dest={folder}", f"--requirement={lock}"]
    done = subprocess.run(  # noqa: S603 - our own command and lock file
        command, capture_output=True, text=True, timeout=_FETCH_S, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise RefusedError(
            f"the packages of the job cannot be fetched: {reason}; give pip an index that has "
            f"what {lock.name} names"
        )


def _pack(stream: Any, sources: dict[str, bytes], wheels: list[Path]) -> None:
    """Writes a tar.gz of sources and wheels: sorted, without times and owners."""
    with (
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, content in [*sorted(sources.items()), *_files(wheels)]:
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))


def _files(wheels: list[Path]) -> Iterator[tuple[str, bytes]]:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as files:
            for path in sorted(files.namelist()):
                if not path.endswith("/") and not any(part in path for part in _LEFT_OUT):
                    yield path, files.read(path)
