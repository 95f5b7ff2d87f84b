"""The tables of the market data: columns, types and what each column holds.

What the rows mean is computed in `bronze`, `silver` and `gold`.
"""

from __future__ import annotations

from crypto_assets.spark.tables import Column, Table

KINDS = ("history", "trend")
TICKER = Column("ticker", "string", "the currency, in capitals", required=True)
DATE = Column("date", "date", "the day", required=True)
_PRICE = Column(
    "price",
    "double",
    "the day's price, in the currency the site states prices in; where there is none, the last one "
    "at most 2 rows back, else null",
)

BRONZE = Table(
    path="bronze",
    layer="bronze",
    columns=(
        Column("line", "int"),
        Column("role", "string"),
        Column("cells", "array<string>"),
        Column("date", "string"),
        Column("value", "string"),
        Column("problem", "string"),
        Column("file_lines", "int"),
        Column("reading", "string"),
        Column("file", "string"),
        Column("etag", "string"),
        Column("kind", "string"),
        TICKER,
    ),
    partitions=("kind", "ticker"),
    kinds=KINDS,
    row="a line of an uploaded file, cell by cell as text, with what the reader made of it",
)
SILVER_HISTORY = Table(
    path="silver/history",
    layer="silver",
    columns=(DATE, Column("price", "double"), TICKER),
    partitions=("ticker",),
    row="a day of the price history",
)
SILVER_TREND = Table(
    path="silver/trend",
    layer="silver",
    columns=(DATE, Column("g_trend", "double"), TICKER),
    partitions=("ticker",),
    row="an observation of Google Trends",
)
GOLD = Table(
    path="gold",
    layer="gold",
    columns=(
        DATE,
        _PRICE,
        Column(
            "trend",
            "double",
            "the observed Google-Trends value (`<1` is stored as 0.5), null on days without one",
        ),
        Column(
            "pricema",
            "double",
            "mean of the prices of this row and the 13 before it, nulls left out",
        ),
        Column(
            "trend_i",
            "double",
            "the trend on the straight line in time between observations; up to 6 days outside "
            "them, their value; else null",
        ),
        TICKER,
    ),
    partitions=("ticker",),
    row="a day on which there is a price or a trend",
)
# Gold in a warehouse, by ticker and day.
PRICES = Table("market_data.prices", "warehouse", (TICKER, *GOLD.file_columns), row=GOLD.row)

# Gold for a warehouse that takes columns by position and sees no folder: the ticker comes first,
# and again to name the folder, for engines leave that column out of the files.
LOAD = Table(
    path="load",
    layer="gold",
    columns=(Column("symbol", "string"), *GOLD.columns),
    partitions=("ticker",),
    row=GOLD.row,
    optional=True,
)
