"""Fixtures every test may use: a Spark session, a fresh home, and files to upload."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets.resources.engine.local import SailEngine
from crypto_assets.resources.engine.spark import SparkEngine
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv
from crypto_assets_tests.helpers.java import java_home
from crypto_assets_tests.helpers.processes import heed_interrupts
from crypto_assets_tests.helpers.waiting import HANG_S

pytest_plugins = ["crypto_assets_tests.helpers.aws_fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=["sail", "spark"],
        default="sail",
        help="what runs the tests that ask for a Spark session",
    )


def pytest_configure(config: pytest.Config) -> None:
    heed_interrupts()
    # A busy machine takes long over an example, and over making one.
    patient = hypothesis.settings(
        deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.register_profile("patient", patient)
    hypothesis.settings.load_profile("patient")
    if config.getoption("--engine") == "spark":
        # py4j leaves its sockets to the garbage collector.
        config.addinivalue_line("filterwarnings", "ignore::pytest.PytestUnraisableExceptionWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With an engine named, only what asks for a session: all else is the same on every engine.

    What takes longest begins first, so that nobody waits for it at the end.
    """
    if config.getoption("--engine") != "sail":
        items[:] = [item for item in items if "session" in getattr(item, "fixturenames", ())]
    items.sort(key=lambda item: "test_engines_agree" not in item.nodeid)


@pytest.fixture(scope="session")
def session(request: pytest.FixtureRequest) -> Iterator:
    engine = {"sail": SailEngine, "spark": SparkEngine}[request.config.getoption("--engine")]
    with engine().session() as opened:
        yield opened


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apache Spark finds a Java, in this process and in its children."""
    monkeypatch.setenv("JAVA_HOME", java_home(tmp_path))


@pytest.fixture(scope="session", autouse=True)
def migrations_read_once() -> Iterator[None]:
    """Dagster reads its migration scripts for every database it opens: a fifth of a short run."""
    read: dict[str | None, ScriptDirectory] = {}
    from_config = ScriptDirectory.from_config

    def once(config: Config) -> ScriptDirectory:
        place = config.get_main_option("script_location")
        if place not in read:
            read[place] = from_config(config)
        return read[place]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptDirectory, "from_config", staticmethod(once))
        yield


@pytest.fixture(scope="session")
def new_instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dagster's storage as it is at first: making its databases takes most of a second."""
    root = tmp_path_factory.mktemp("new_instance")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")  # restored afterwards; `open_instance` sets both
        patch.setenv("CRYPTO_ASSETS_HOME", str(root))
        with open_instance(Settings(home=root)):
            pass
    return root / "dagster"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_instance: Path) -> Path:
    """A home that only has Dagster's empty storage; this process's settings point at it."""
    folder = tmp_path / "home"
    shutil.copytree(new_instance, folder / "dagster")
    for name in list(os.environ):
        if name.startswith(("CRYPTO_ASSETS_", "DAGSTER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CRYPTO_ASSETS_HOME", str(folder))
    monkeypatch.setenv("CRYPTO_ASSETS_LOCK_WAIT_S", str(HANG_S))
    monkeypatch.setenv("DAGSTER_HOME", "")  # restored afterwards; `open_instance` sets it
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file to upload and returns its path."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def pair(write: Callable) -> Callable[..., tuple[Path, Path]]:
    """Writes a good pair of files for a ticker; `level` varies the prices."""

    def write_pair(ticker: str, level: float = 100.0, **options: Any) -> tuple[Path, Path]:
        return (
            write(f"{ticker}/{ticker} Historical Data.csv", history_csv(level, **options)),
            write(f"{ticker}/multiTimeline.csv", trend_csv(ticker)),
        )

    return write_pair


@pytest.fixture
def run(home: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs one command in this process; gives exit code, standard output and standard error."""

    def invoke(*words: object) -> tuple[int, str, str]:
        result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
        return result.exit_code, result.stdout, result.stderr

    return invoke


@pytest.fixture
def add(run: Callable, pair: Callable) -> Callable[..., tuple[int, str, str]]:
    """Registers a ticker with a good pair of files, or of this shape, by the command."""

    def register(ticker: str, *options: str, **shape: Any) -> tuple[int, str, str]:
        history, trend = pair(ticker, **shape)
        forced = ["--force"] if "cells" in shape else []  # a run refuses them, and so does `add`
        return run("add", ticker, "--history", history, "--trend", trend, *forced, *options)

    return register
