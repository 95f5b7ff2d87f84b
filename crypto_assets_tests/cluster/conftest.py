"""Everything in this folder runs with `make test-cluster`: a cluster takes a minute to start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.router import Router, routing
from crypto_assets_tests.helpers.roles import ADMIN, keys_of
from crypto_assets_tests.helpers.spark_cluster import Cluster, spark_cluster


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def store(ministack: str) -> Iterator[Router]:
    """S3 of this test session, behind a router."""
    with routing(ministack) as router:
        yield router


@pytest.fixture(scope="session")
def cluster(store: Router, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose machines have credentials of their own."""
    access = {
        **keys_of(ADMIN),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": store.url,
    }
    with spark_cluster(tmp_path_factory.mktemp("cluster"), access) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def connected(cluster: Cluster) -> Cluster:
    """The cluster with a Spark Connect server."""
    if not cluster.remote:
        cluster.start_connect()
    return cluster
