"""What a deployment makes ready once the stack is there: the artifact, and rights in Redshift."""

from __future__ import annotations

from crypto_assets.resources import wiring
from crypto_assets.resources.deploy.outputs import make_ready
from crypto_assets_tests.helpers.cloud import settings_of


def test_jobs_find_their_artifact_and_loads_what_they_need_in_redshift(cloud, home, monkeypatch):
    settings = settings_of(cloud, home, monkeypatch)
    shown: list[str] = []
    make_ready(settings, shown.append)
    assert any(key.endswith(".tar.gz") for key in cloud.keys("lake/_artifacts/"))
    assert "CREATE SCHEMA IF NOT EXISTS market_data" in shown
    again: list[str] = []
    make_ready(settings, again.append)
    assert again == []
    assert wiring.warehouse(settings).check()
