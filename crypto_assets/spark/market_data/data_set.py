"""The market data as one value: two files per currency, and the layers made of them."""

from __future__ import annotations

from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.market_data.tables import BRONZE, GOLD, LOAD, SILVER_HISTORY, SILVER_TREND

MARKET_DATA = DataSet(
    name="market_data",
    noun="currencies",
    partition="ticker",
    command="materialize --failed",
    files={
        "history": "The daily price history of a currency, as its owner uploaded it.",
        "trend": "The Google-Trends series of a currency, as its owner uploaded it.",
    },
    layers={
        "bronze": "Every line of both files, cell by cell as text, and what the reader made of it.",
        "silver": "Typed rows: a price per day and a trend per observation, missing ones settled.",
        "gold": "One row per day: price, trend, moving average and interpolated trend.",
        "warehouse": "Gold in SQL: `market_data.prices` and a view per currency.",
    },
    tables=(BRONZE, SILVER_HISTORY, SILVER_TREND, GOLD, LOAD),
    job="crypto_assets.spark.market_data.job",
    each=True,
    batched=True,
)
