"""The container image: built, started and asked with Docker or Podman, by `make test-image`.

Where there is neither, `make lint` still has hadolint read the Dockerfile.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crypto_assets_tests.helpers.loopback import answers, free_port
from crypto_assets_tests.helpers.waiting import until

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_image_is_made_of_one_python_in_a_version_that_is_named_whole():
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", *set(bases))


@pytest.fixture(scope="module")
def builder() -> Callable[..., str]:
    """Runs Docker, or Podman, and returns what it prints."""

    def run(*words: str) -> str:
        command = [program, *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    for program in filter(shutil.which, ("docker", "podman")):
        if subprocess.run([program, "info"], capture_output=True, check=False).returncode == 0:
            return run
    raise FileNotFoundError("neither Docker nor Podman answers here")


@pytest.fixture(scope="module")
def image(builder) -> Iterator[str]:
    name = f"crypto-assets-test:{uuid.uuid4().hex[:12]}"
    builder("build", "--tag", name, ".")
    yield name
    builder("rmi", name)


@pytest.fixture
def volume(builder) -> Iterator[str]:
    name = f"crypto-assets-test-{uuid.uuid4().hex[:12]}"
    builder("volume", "create", name)
    yield name
    builder("volume", "rm", name)


@pytest.mark.image
def test_the_ui_in_a_container_answers_at_a_published_port_and_keeps_its_home(
    builder, image, volume
):
    home, port = f"{volume}:/var/lib/crypto-assets", free_port()
    published = f"127.0.0.1:{port}:3000"
    container = builder("run", "--detach", "--volume", home, "--publish", published, image).strip()
    try:
        until("the web UI", lambda: answers(f"http://localhost:{port}/server_info"))
        assert builder("exec", container, "id", "--user").strip() == "900"
        found = json.loads(builder("exec", container, "crypto-assets", "status", "--json"))
        assert found["currencies"] == []
        builder("stop", container)
        assert builder("logs", container).splitlines()[-1].endswith(" ended")
    finally:
        builder("rm", "--force", container)
    kept = builder("run", "--rm", "--volume", home, "--entrypoint", "ls", image).split()
    assert "dagster" in kept
