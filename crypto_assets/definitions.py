"""The table of contents: everything Dagster knows of, in the data's order.

history_file, trend_file (uploads) -> bronze -> silver -> gold -> warehouse, by ticker.
"""

import dagster as dg

from crypto_assets.defs.files import file_specs
from crypto_assets.defs.jobs import refresh_currencies
from crypto_assets.defs.market_data import market_data
from crypto_assets.resources.profile import resources
from crypto_assets.resources.settings import Settings


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, jobs and resources of the profile that the settings choose."""
    return dg.Definitions(
        assets=[*file_specs, market_data],
        jobs=[refresh_currencies],
        resources=resources(Settings()),
    )
