"""The table of contents: everything Dagster knows of, in the data's order.

uploads (sensor) -> history_file, trend_file -> bronze -> silver -> gold -> warehouse, by ticker;
customers_file, accounts_file -> accounts_bronze -> accounts_silver -> customer_accounts ->
customer_account_store, by snapshot; what is neither's -> quarantine; what fails -> failure_notice.
"""

import dagster as dg

from crypto_assets.defs.customer_accounts import customer_accounts
from crypto_assets.defs.files import file_specs, quarantine_spec
from crypto_assets.defs.jobs import refresh_accounts, refresh_currencies
from crypto_assets.defs.market_data import market_data
from crypto_assets.defs.notices import failure_notice
from crypto_assets.defs.uploads import uploads
from crypto_assets.resources.settings import Settings
from crypto_assets.resources.wiring import resources


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, jobs, sensors and resources of the profile that the settings choose."""
    return dg.Definitions(
        assets=[*file_specs, quarantine_spec, market_data, customer_accounts],
        jobs=[refresh_currencies, refresh_accounts],
        sensors=[uploads, failure_notice],
        executor=dg.in_process_executor,  # one step a run: another process would only take time
        resources=resources(Settings()),
    )
