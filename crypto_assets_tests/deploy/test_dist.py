"""The wheel of `make dist`: the same code gives the same bytes, with all that an instance needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from crypto_assets_tests.helpers.template import TEMPLATE
from crypto_assets_tests.helpers.wheels import sha256

ROOT = Path(__file__).parents[2]
SOURCES = ("LICENSE", "README.md", "crypto_assets", "deploy", "pyproject.toml")
SENT = """
from crypto_assets.resources.deploy import template
print(template.__file__)
print(len(template.Template.ours().kept))
"""


def built(folder: Path) -> Path:
    """The wheel, built from a copy of the sources as the Makefile does it."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, folder / name)
    (epoch,) = re.findall(r"SOURCE_DATE_EPOCH=(\d+)", (ROOT / "Makefile").read_text())
    command = [Path(sys.executable).with_name("hatchling"), "build", "--target", "wheel"]
    subprocess.run(
        [*command, "--directory", "dist"],
        cwd=folder,
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
        capture_output=True,
        check=True,
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return built(tmp_path_factory.mktemp("one"))


def test_the_same_code_at_another_place_and_time_gives_the_same_wheel(wheel, tmp_path):
    assert sha256(built(tmp_path)) == sha256(wheel)


def test_the_wheel_has_what_an_instance_is_made_with(wheel):
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        script = files.read("crypto_assets/setup.sh").decode()
    assert script == (ROOT / "deploy/instance/setup.sh").read_text()
    assert {"crypto_assets/product.lock", "crypto_assets/job.lock"} <= set(names)
    folders = {name.partition("/")[0] for name in names}
    assert sorted(folder.partition("-")[0] for folder in folders) == ["crypto_assets"] * 2


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


def versions(lock: str) -> dict[str, str]:
    """The version of each package that a lock file names."""
    text = (ROOT / lock).read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_the_lock_file_in_the_wheel_has_each_dependency_as_it_is_tested():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.match(r"[\w.-]+", one)[0] for one in declared}
    locked = versions("crypto_assets/product.lock")
    assert names <= locked.keys()
    assert locked.items() <= versions("requirements.lock").items()
    assert not {"pytest", "ruff", "ministack"} & locked.keys()
