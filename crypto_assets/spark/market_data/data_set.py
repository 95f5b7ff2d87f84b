"""The market data as one value: two files per currency, and the layers made of them."""

from __future__ import annotations

from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.market_data.tables import (
    BRONZE,
    GOLD,
    LOAD,
    PRICES,
    SILVER_HISTORY,
    SILVER_TREND,
)

MARKET_DATA = DataSet(
    name="market_data",
    noun="currencies",
    partition="ticker",
    command="materialize --failed --stale",
    files={
        "history": "The daily price history of a currency, as its owner uploaded it.",
        "trend": "The Google-Trends series of a currency, as its owner uploaded it.",
    },
    layers={
        "bronze": (
            "Every line of both files, cell by cell as text, and what the reader made of it. A row "
            "is a line of a file, in its order."
        ),
        "silver": (
            "Typed rows, missing values settled: in `silver/history` a row is a day of the price "
            "history, in `silver/trend` an observation of Google Trends. Days that the files do "
            "not have are not there."
        ),
        "gold": (
            "Price, trend, moving average and interpolated trend. A row is a day with a price or a "
            "trend. Days with neither have no row, and no price is carried over more than 2 rows; "
            "prices are in the currency that their site states them in."
        ),
        "warehouse": (
            "Gold in SQL: `market_data.prices`, where a row is a currency's day, and a view of "
            "each currency. It has what gold has, no more days."
        ),
    },
    tables=(BRONZE, SILVER_HISTORY, SILVER_TREND, GOLD, LOAD),
    job="crypto_assets.spark.market_data.job",
    sql={"warehouse": PRICES},
    each=True,
    batched=True,
)
