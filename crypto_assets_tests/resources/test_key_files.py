"""Key files that others can read are named with the cure, by `ui` and the doctor."""

from __future__ import annotations

import pytest

from crypto_assets.resources.doctor.keys import exposed_key_files
from crypto_assets.resources.settings import AwsSettings, Settings


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys.csv"
    path.write_text("Access key ID,Secret access key\n")
    return path


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_named_with_the_cure(keys, mode):
    keys.chmod(mode)
    found = exposed_key_files(Settings(aws=AwsSettings(key_file=keys)))
    assert found == [f"others can read the keys in {keys}: chmod 600 {keys}"]


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_file_of_its_user_alone_is_fine(keys, mode):
    keys.chmod(mode)
    assert exposed_key_files(Settings(aws=AwsSettings(key_file=keys))) == []


def test_a_key_file_that_is_not_there_is_not_named(tmp_path):
    assert exposed_key_files(Settings(aws=AwsSettings(key_file=tmp_path / "none.csv"))) == []


def test_the_file_of_aws_itself_is_looked_at_where_aws_is_used(keys, monkeypatch):
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    keys.chmod(0o644)
    assert len(exposed_key_files(Settings(profile="aws"))) == 1
    assert exposed_key_files(Settings(profile="local")) == []


def test_the_doctor_says_it_and_exits_with_1(keys, run, monkeypatch):
    keys.chmod(0o644)
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_KEY_FILE", str(keys))
    code, out, _ = run("doctor")
    assert code == 1
    assert f"chmod 600 {keys}" in out
