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
        Column("line", "int", "the line's number in the file, from 1"),
        Column(
            "role",
            "string",
            "what it is: `data`, `header`, `preamble`, `footer`, `blank`, `left_out` or `bad`",
        ),
        Column("cells", "array<string>", "its cells, as uploaded"),
        Column("date", "string", "the day that it is of, as YYYY-MM-DD; null if it is no data"),
        Column("value", "string", "its price or trend as a plain decimal number; null if missing"),
        Column("problem", "string", "why it is bad or left out"),
        Column("file_lines", "int", "how many lines the file has"),
        Column("reading", "string", "what the reader worked out, as JSON; on the first line only"),
        Column("file", "string", "the name of the upload"),
        Column("etag", "string", "the SHA-256 of its content, in hexadecimal"),
        Column("kind", "string", "which of the two files: `history` or `trend`"),
        TICKER,
    ),
    partitions=("kind", "ticker"),
    kinds=KINDS,
    row="a line of an uploaded file, cell by cell as text, with what the reader made of it",
)
SILVER_HISTORY = Table(
    path="silver/history",
    layer="silver",
    columns=(
        DATE,
        Column("price", "double", "the price of the day, missing ones settled as its owner chose"),
        TICKER,
    ),
    partitions=("ticker",),
    row="a day of the price history",
)
SILVER_TREND = Table(
    path="silver/trend",
    layer="silver",
    columns=(
        DATE,
        Column("g_trend", "double", "the observed search interest, 0 to 100 as Google scales it"),
        TICKER,
    ),
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

# What a warehouse knows of each currency beside its rows: no ticker can have this table's name.
LAST_VERDICTS = Table(
    "market_data.last_verdicts",
    "warehouse",
    (
        TICKER,
        Column("name", "string", "the coin's name, in small letters; null if it is not known"),
        Column("quote_currency", "string", "what prices are in, if the history's name says so"),
        Column("source", "string", "the site that the history comes from, or `unknown`"),
        Column("history_file", "string", "the name of the uploaded history"),
        Column("trend_file", "string", "the name of the uploaded trend"),
        Column("filled", "int", "days of the history whose missing price was filled"),
        Column("remarks", "string", "what the reader noted of both files, steps and outliers too"),
        Column("verdict", "string", "of the last attempt: `passed` or `failed`"),
        Column("failed_at", "string", "the layer at which it failed; null if it passed"),
        Column("problem", "string", "why it failed; null if it passed"),
        Column("attempted_at", "timestamp", "when that was, in UTC"),
    ),
    row="a currency, with the last verdict on it",
)
CURRENCIES = Table(
    "market_data.currencies",
    "warehouse",
    (
        *LAST_VERDICTS.columns[:4],
        Column("first_date", "date", "the first day in `prices`"),
        Column("last_date", "date", "the last day in `prices`"),
        Column("days_with_price", "int", "days with a price"),
        Column("days_with_trend", "int", "days with an observed or interpolated trend"),
        Column("days_with_both", "int", "days with both"),
        Column("gaps", "int", "days without a price between the first and the last with one"),
        Column("last_price", "double", "the last price"),
        Column("last_price_date", "date", "the day of the last price"),
        Column("days_since_price", "int", "days from then until today"),
        *LAST_VERDICTS.columns[4:],
    ),
    row="a currency: what is known of it, and what `prices` holds of it",
)

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
