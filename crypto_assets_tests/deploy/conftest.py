"""Fixtures of the commands that deploy: an AWS whose CloudFormation does what AWS documents."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_assets.resources.settings import Settings
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.router import Router, routing
from crypto_assets_tests.helpers.aws_fixtures import give_keys, serving_ministack
from crypto_assets_tests.helpers.roles import ADMIN, Admin, keys_of

_STACKS = Path(__file__).parents[1] / "doubles/ministack_stacks.py"


@pytest.fixture(scope="session")
def stacks_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a ministack whose stacks keep, import and roll back as those of AWS."""
    folder = tmp_path_factory.mktemp("stacks")
    with serving_ministack(folder, sys.executable, "-P", str(_STACKS)) as url:
        yield url


@pytest.fixture
def account(stacks_url: str) -> Admin:
    """Who looks at the account that is deployed to."""
    return Admin(stacks_url)


@pytest.fixture
def front(
    stacks_url: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Router]:
    """A router before that account, which commands in the working directory ask as admin."""
    give_keys(monkeypatch, keys_of(ADMIN))
    monkeypatch.delenv("CRYPTO_ASSETS_HOME")  # an environment has one of its own
    with routing(stacks_url) as router:
        monkeypatch.setenv("CRYPTO_ASSETS_AWS_ENDPOINT_URL", router.url)
        monkeypatch.setenv("CRYPTO_ASSETS_AWS_REGION", REGION)
        yield router


@pytest.fixture
def env() -> str:
    """The name of a new environment."""
    return f"e{uuid.uuid4().hex[:10]}"


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch, env: str):
    """The settings of the environment, once it is deployed; commands use them from then on."""

    def choose() -> Settings:
        monkeypatch.setenv("CRYPTO_ASSETS_ENV", env)
        return Settings()

    return choose
