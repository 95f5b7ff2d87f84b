"""The product's definitions for daemons of the tests: their processes need not wait for AWS."""

import pytest

from crypto_assets.definitions import defs
from crypto_assets_tests.helpers.cloud import hasten

__all__ = ["defs"]

hasten(pytest.MonkeyPatch())
