"""The jobs: what a run launched from the command, the UI or the sensor does."""

from __future__ import annotations

import dagster as dg

from crypto_assets.defs.customer_accounts import customer_accounts
from crypto_assets.defs.market_data import market_data

refresh_currencies = dg.define_asset_job(
    "refresh_currencies",
    selection=dg.AssetSelection.assets(market_data),
    description="Brings currencies from their uploads to the warehouse.",
)

refresh_accounts = dg.define_asset_job(
    "refresh_accounts",
    selection=dg.AssetSelection.assets(customer_accounts),
    description="Brings a snapshot of customer accounts to the table and the store.",
)
