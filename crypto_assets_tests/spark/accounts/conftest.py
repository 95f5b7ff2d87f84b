"""A job spec for a snapshot of any two files, and running it; what becomes of rows of bronze."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from crypto_assets.spark.accounts import transform
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.accounts.snapshot import Snapshot
from crypto_assets.spark.accounts.tables import BRONZE_ACCOUNTS, BRONZE_CUSTOMERS
from crypto_assets.spark.job_spec import JobSpec, Upload
from crypto_assets.spark.run import run as run_spec
from crypto_assets_tests.helpers.account_files import NAME
from crypto_assets_tests.spark.accounts.rows import frame_of


@pytest.fixture
def spec(tmp_path):
    """Makes a job spec; a file is given as text, bytes or the path of one that is there."""

    def make(customers, accounts, layers=("accounts_bronze",), **settings):
        uploads = {}
        for kind, content in {"customers": customers, "accounts": accounts}.items():
            path = content if isinstance(content, Path) else tmp_path / f"{kind}.csv"
            if not isinstance(content, Path):
                path.write_bytes(content.encode() if isinstance(content, str) else content)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            uploads[kind] = Upload(str(path), path.name, digest)
        settings = {"name": NAME, "arrived_at": "2026-11-21T15:36:27Z", **settings}
        partitions = (Snapshot(files=uploads, **settings).partition(),)
        roots = (str(tmp_path / "staging"), str(tmp_path / "lake"))
        return JobSpec(ACCOUNTS.job, *roots, layers, partitions)

    return make


@pytest.fixture
def run(session):
    """Runs a job spec; its verdicts by layer."""
    return lambda spec: {result.layer: result.verdicts[0] for result in run_spec(session, spec)}


def bronze(session, table, rows):
    """These rows of a file; the first is line 2."""
    lines = [{"line": line, **row} for line, row in enumerate(rows, 2)]
    return frame_of(session, table.ddl, lines)


@pytest.fixture
def customers(session):
    """What becomes of these rows of a customers' file."""
    return lambda *rows: transform.customers(bronze(session, BRONZE_CUSTOMERS, rows))


@pytest.fixture
def accounts(session):
    """What becomes of these rows of an accounts' file."""
    return lambda *rows: transform.accounts(bronze(session, BRONZE_ACCOUNTS, rows))
