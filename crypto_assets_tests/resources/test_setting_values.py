"""Each setting is checked and gets its type, wherever it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.settings import AwsSettings, Settings

FRACTION = "Input should be a valid integer, got a number with a fractional part"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("HOME", "there", Path("there")),
        ("home", "there", Path("there")),
        ("LOCK_WAIT_S", "1.5", 1.5),
        ("KEEP_RUNS_DAYS", " 7 ", 7),
        ("MAX_DELETED_SHARE", "1", 1.0),
        ("ENGINE", "", ""),
    ],
)
def test_a_variable_is_made_what_its_setting_wants(home, monkeypatch, name, text, value):
    monkeypatch.delenv("CRYPTO_ASSETS_HOME")
    monkeypatch.setenv(f"CRYPTO_ASSETS_{name}", text)
    found = getattr(Settings(), name.lower())
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("PROFILE", "azure", "Input should be 'local' or 'aws'"),
        ("LOCK_WAIT_S", "-1", "Input should be greater than or equal to 0"),
        ("MAX_DELETED_SHARE", "1.5", "Input should be less than or equal to 1"),
        ("MAX_DELETED_SHARE", "nan", "Input should be greater than or equal to 0"),
        (
            "LOCK_WAIT_S",
            "long",
            "Input should be a valid number, unable to parse string as a number",
        ),
        (
            "KEEP_SNAPSHOTS",
            "1.5",
            "Input should be a valid integer, unable to parse string as an integer",
        ),
    ],
)
def test_a_wrong_variable_is_named_with_what_its_setting_wants(
    home, monkeypatch, name, text, problem
):
    monkeypatch.setenv(f"CRYPTO_ASSETS_{name}", text)
    with pytest.raises(UsageError) as raised:
        Settings()
    assert str(raised.value) == f"setting {name.lower()}: {problem}, not {text!r}"


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("[aws]\nkey_file = 5", "aws.key_file: Input is not a valid path, not 5"),
        ("engine = true", "engine: Input should be a valid string, not True"),
        (
            "max_deleted_share = [1]",
            "max_deleted_share: Input should be a valid number, not [1]",
        ),
        ("keep_runs_days = 2.5", f"keep_runs_days: {FRACTION}, not 2.5"),
        ("ui_hosts = 5", "ui_hosts: Input should be a list of names, not 5"),
        ('owners = "Anna"', "owners: anna: an e-mail address or team:NAME is wanted, not 'Anna'"),
        ("aws = 5", "aws: Input should be a table, not 5"),
        ("[aws]\nregion = 5", "aws.region: Input should be a valid string, not 5"),
    ],
)
def test_a_wrong_value_in_the_toml_is_named_with_what_its_setting_wants(
    home, tmp_path, toml, problem
):
    (tmp_path / "crypto_assets.toml").write_text(toml)
    with pytest.raises(UsageError) as raised:
        Settings()
    assert str(raised.value) == f"setting {problem}"


def test_what_is_given_wins_over_a_variable_and_that_over_the_toml(home, tmp_path, monkeypatch):
    (tmp_path / "crypto_assets.toml").write_text(
        'engine = "a"\nstore = "a"\nlake = "a"\n[aws]\nregion = "a"\nlake = "a"\n'
    )
    monkeypatch.setenv("CRYPTO_ASSETS_ENGINE", "b")
    monkeypatch.setenv("CRYPTO_ASSETS_STORE", "b")
    monkeypatch.setenv("CRYPTO_ASSETS_AWS_REGION", "b")
    found = Settings(engine="c")
    assert (found.engine, found.store, found.lake) == ("c", "b", "a")
    assert found.aws == AwsSettings(region="b", lake="a")
    assert Settings(aws=AwsSettings()).aws == AwsSettings()


def test_settings_cannot_be_changed_and_have_no_other_names(home):
    with pytest.raises(AttributeError):
        Settings().engine = "spark"
    with pytest.raises(TypeError, match="regoin"):
        AwsSettings(regoin="x")
