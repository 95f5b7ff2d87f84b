"""Settings that are lists, environments, and the mode of a home."""

from __future__ import annotations

import stat

import pytest

from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.home.instance import prepare_home
from crypto_assets.resources.settings import Settings, read_settings


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", ()),
        ("ui.example.com", ("ui.example.com",)),
        ("ui.example.com, Other.Example.com,", ("ui.example.com", "other.example.com")),
    ],
)
def test_hosts_in_a_variable_have_commas_between(home, monkeypatch, text, hosts):
    monkeypatch.setenv("CRYPTO_ASSETS_UI_HOSTS", text)
    assert Settings().ui_hosts == hosts


def test_hosts_in_the_toml_are_a_list(home, tmp_path):
    (tmp_path / "crypto_assets.toml").write_text('ui_hosts = ["ui.example.com", "Other"]\n')
    assert Settings().ui_hosts == ("ui.example.com", "other")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_home_is_its_users_alone(tmp_path):
    settings = Settings(home=tmp_path / "new" / "home")
    prepare_home(settings)
    assert [mode(settings.root), mode(settings.dagster_home)] == [0o700, 0o700]


def test_a_home_that_only_has_uploads_is_new(tmp_path):
    settings = Settings(home=tmp_path / "home")
    settings.inbox_folder.mkdir(parents=True, mode=0o755)
    settings.root.chmod(0o755)
    prepare_home(settings)
    assert mode(settings.root) == 0o700


def test_a_mode_that_its_user_gave_a_home_stays(tmp_path):
    settings = Settings(home=tmp_path / "home")
    prepare_home(settings)
    settings.root.chmod(0o750)
    prepare_home(settings)
    assert mode(settings.root) == 0o750


def test_an_environment_has_a_file_and_a_home_of_its_own(home, tmp_path, monkeypatch):
    monkeypatch.delenv("CRYPTO_ASSETS_HOME")
    (tmp_path / "crypto_assets.toml").write_text("keep_snapshots = 3\n")
    (tmp_path / "crypto_assets.blue.toml").write_text("keep_snapshots = 5\n")
    assert (Settings().keep_snapshots, Settings().root) == (3, tmp_path / ".crypto_assets")
    blue = Settings(env="blue")
    assert (blue.keep_snapshots, blue.root) == (5, tmp_path / ".crypto_assets.blue")
    monkeypatch.setenv("CRYPTO_ASSETS_ENV", "blue")
    assert read_settings() == blue


@pytest.mark.parametrize("name", ["../blue", "Blue", "a-name-of-14-c", "-blue", "."])
def test_an_environment_has_a_short_name(home, name):
    with pytest.raises(UsageError, match="setting env: a name of up to 13 small letters"):
        Settings(env=name)


def test_an_environment_without_a_file_is_refused_with_the_cure(home, monkeypatch):
    monkeypatch.setenv("CRYPTO_ASSETS_ENV", "blue")
    with pytest.raises(UsageError, match=r"no crypto_assets.blue.toml here: .* deploy --env blue"):
        read_settings()


def test_no_file_says_which_environment_it_is_of(home, tmp_path):
    (tmp_path / "crypto_assets.toml").write_text('env = "blue"\n')
    with pytest.raises(UsageError, match="setting env: there is no such setting"):
        Settings()
