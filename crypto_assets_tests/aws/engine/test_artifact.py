"""What a job receives: the same bytes for the same sources, and all that it needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from crypto_assets.resources.engine.artifact import Packer
from crypto_assets.resources.errors import RefusedError
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.version import code_version

PACKAGE = Path(__file__).parents[3] / "crypto_assets"
JOB = ACCOUNTS.job


@pytest.fixture(scope="module")
def packer(tmp_path_factory):
    packer = Packer(tmp_path_factory.getbasetemp() / "artifacts")  # which `test_emr` uses, too
    packer.built()
    return packer


@pytest.fixture
def changed(packer, tmp_path):
    """A packer of a copy of the package, which a test may change."""
    shutil.copytree(PACKAGE, tmp_path / "crypto_assets")
    return Packer(packer.cache, tmp_path / "crypto_assets", tmp_path / "crypto_assets/job.lock")


def test_the_same_sources_give_the_same_bytes_without_fetching_again(packer, monkeypatch):
    content = packer.built().read_bytes()
    packer.built().unlink()
    monkeypatch.setattr(sys, "executable", "/nonexistent")  # pip could not be run
    assert Packer(packer.cache).built().read_bytes() == content


def test_each_change_of_the_code_or_the_packages_gives_another_name(packer, changed):
    assert changed.name == packer.name
    (changed.package / "spark" / "new.py").write_text("")
    code = Packer(changed.cache, changed.package, changed.lock).name
    changed.lock.write_text(changed.lock.read_text() + "#\n")
    packages = Packer(changed.cache, changed.package, changed.lock).name
    assert len({packer.name, code, packages}) == 3


def test_the_archive_has_the_code_and_its_packages_and_nothing_of_this_machine(packer, tmp_path):
    with tarfile.open(packer.built()) as archive:
        members = archive.getmembers()
        assert {(m.mtime, m.uid, m.gid, m.uname) for m in members} == {(0, 0, 0, "")}
        archive.extractall(tmp_path / "environment", filter="data")
    ours = {m.name for m in members if m.name.startswith("crypto_assets")}
    assert not [name for name in ours if "/spark/" not in name and name.count("/") > 1]
    assert "crypto_assets/spark/exports/dates.py" in ours
    command = (
        f"from crypto_assets.spark.version import code_version; print(code_version({JOB!r}));"
        "import boto3, dagster_pipes, pandas, pyarrow.parquet, pyarrow.fs;"
        "import crypto_assets.spark.exports; boto3.client('s3', 'eu-central-1')"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", command],
        env={"PYTHONPATH": "./environment", "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == code_version(JOB), done.stderr


def test_packages_that_cannot_be_had_are_reported_in_one_line(changed):
    changed.lock.write_text("nosuchpackage-of-ours==1 --hash=sha256:" + "0" * 64 + "\n")
    packer = Packer(changed.cache, changed.package, changed.lock)
    with pytest.raises(RefusedError, match=r"cannot be fetched: .*nosuchpackage") as refused:
        packer.built()
    assert len(str(refused.value).splitlines()) == 1


def test_a_wheel_other_than_the_locked_one_is_refused(changed):
    changed.lock.write_text("six==1.17.0 --hash=sha256:" + "0" * 64 + "\n")
    packer = Packer(changed.cache, changed.package, changed.lock)
    with pytest.raises(RefusedError, match="cannot be fetched"):
        packer.built()
