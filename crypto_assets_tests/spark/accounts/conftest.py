"""An order for a snapshot of any two files, and running it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from crypto_assets.spark import run as orders
from crypto_assets.spark.job_spec import Snapshot, Upload

NAME = "20261121T153627Z-3fa9c1d2"


@pytest.fixture
def order(tmp_path):
    """Makes an order; a file is given as text, bytes or the path of one that is there."""

    def make(customers, accounts, layers=("accounts_bronze",), **settings):
        uploads = {}
        for kind, content in {"customers": customers, "accounts": accounts}.items():
            path = content if isinstance(content, Path) else tmp_path / f"{kind}.csv"
            if not isinstance(content, Path):
                path.write_bytes(content.encode() if isinstance(content, str) else content)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            uploads[kind] = Upload(str(path), path.name, digest)
        settings = {"name": NAME, "arrived_at": "2026-11-21T15:36:27Z", **settings}
        return Snapshot(
            str(tmp_path / "staging"), str(tmp_path / "lake"), layers, **uploads, **settings
        )

    return make


@pytest.fixture
def run(session):
    """Runs an order; its verdicts by layer."""
    return lambda order: {result.layer: result.verdicts[0] for result in orders.run(session, order)}
