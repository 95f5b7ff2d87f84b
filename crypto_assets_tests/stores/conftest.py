"""Everything in this folder runs with `make test-stores`, which needs servers of `make stores`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.router import Router, routing
from crypto_assets_tests.helpers.aws_fixtures import give_keys
from crypto_assets_tests.helpers.s3_stores import STORES, Store


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker("stores")


@pytest.fixture(scope="session", params=STORES)
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A server of this test session."""
    with STORES[request.param](tmp_path_factory.mktemp(request.param)) as started:
        yield started


@pytest.fixture
def router(store: Store) -> Iterator[Router]:
    """What adds the conditions that the store lacks."""
    with routing(store.url, keys=store.keys) as router:
        yield router


@pytest.fixture(autouse=True)
def access(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's credentials for this process and its children."""
    key, secret = store.keys
    give_keys(monkeypatch, {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret})


@pytest.fixture
def s3(store: Store) -> Any:
    """Who asks the store itself."""
    key, secret = store.keys
    keys = {"aws_access_key_id": key, "aws_secret_access_key": secret}
    return boto3.client("s3", REGION, endpoint_url=store.url, **keys)


@pytest.fixture
def bucket(s3: Any) -> str:
    """A new bucket, named for this test alone."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name
