"""An inbox with its sensor, for the tests of ticks."""

from __future__ import annotations

import pytest

from crypto_assets.defs import uploads
from crypto_assets.resources.home.instance import open_instance
from crypto_assets_tests.helpers.sensor_desk import SensorDesk
from crypto_assets_tests.helpers.waiting import HANG_S


@pytest.fixture
def desk(settings, monkeypatch):
    monkeypatch.setattr(uploads, "FIRST_PAUSE", 10 * HANG_S)
    with open_instance(settings) as instance:
        yield SensorDesk(settings, instance)
