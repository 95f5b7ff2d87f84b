"""The job that refreshes currencies: what a run launched from the command or the UI does."""

from __future__ import annotations

import dagster as dg

from crypto_assets.defs.market_data import market_data

refresh_currencies = dg.define_asset_job(
    "refresh_currencies",
    selection=dg.AssetSelection.assets(market_data),
    description="Brings currencies from their uploads to the warehouse.",
)
