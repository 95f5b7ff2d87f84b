"""What the benchmark measures is what it was asked for."""

from __future__ import annotations

import pytest

from bench.children import measured


def test_what_is_measured_runs_with_the_engine_that_was_asked_for(home, monkeypatch):
    measured(home, "crypto_assets.cli", "status")
    with monkeypatch.context() as patch:
        patch.setenv("CRYPTO_ASSETS_ENGINE", "none")
        with pytest.raises(SystemExit, match="exit code 2"):
            measured(home, "crypto_assets.cli", "status")
    with pytest.raises(SystemExit, match="exit code 2"):
        measured(home, "crypto_assets.cli", "status", engine="none")
