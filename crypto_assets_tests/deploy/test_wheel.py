"""The wheel as pip builds and installs it: the template is in it, and found there."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from crypto_assets_tests.helpers.template import TEMPLATE

pytestmark = pytest.mark.aws  # pip fetches what builds it
SENT = """
from crypto_assets.resources.deploy import template
print(template.__file__)
print(len(template.Template.ours().kept))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", folder]
    subprocess.run([*command, TEMPLATE.parents[1]], check=True)
    (path,) = folder.glob("*.whl")
    return path


def test_the_template_is_in_the_wheel_as_it_is_written(wheel):
    with zipfile.ZipFile(wheel) as files:
        packed = files.read("crypto_assets/resources/deploy/cloudformation.yaml")
        assert packed == TEMPLATE.read_bytes()
        assert not [name for name in files.namelist() if name.startswith("deploy/")]


def test_what_is_installed_finds_its_own_template(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as files:
        files.extractall(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-c", SENT],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    place, kept = done.stdout.split()
    assert Path(place).is_relative_to(tmp_path / "installed")
    assert int(kept) >= 4
