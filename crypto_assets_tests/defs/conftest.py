"""An inbox with its sensor, for the tests of ticks."""

from __future__ import annotations

import pytest

from crypto_assets.resources.instance import open_instance
from crypto_assets_tests.helpers.sensor_desk import SensorDesk


@pytest.fixture
def desk(settings):
    with open_instance(settings) as instance:
        yield SensorDesk(settings, instance)
