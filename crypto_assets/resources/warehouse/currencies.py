"""The view `market_data.currencies`: a row for each currency, in SQL that every warehouse knows.

It is made of `prices` and of `last_verdicts`, so that it never contradicts the rows. What is in
`last_verdicts` is `facts` of the market data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crypto_assets.spark.market_data.tables import CURRENCIES, LAST_VERDICTS, PRICES
from crypto_assets.spark.tables import arrow_schema, sql_columns

_OF_PRICES = {
    "first_date": "MIN(date)",
    "last_date": "MAX(date)",
    "days_with_price": "COUNT(price)",
    "days_with_trend": "COUNT(trend_i)",
    "days_with_both": (
        "SUM(CASE WHEN price IS NOT NULL AND trend_i IS NOT NULL THEN 1 ELSE 0 END)"
    ),
    "first_price_date": "MIN(CASE WHEN price IS NOT NULL THEN date END)",
    "last_price_date": "MAX(CASE WHEN price IS NOT NULL THEN date END)",
}
_CALCULATED = {
    "ticker": "COALESCE(verdicts.ticker, counted.ticker)",
    "gaps": "last_price_date - first_price_date + 1 - days_with_price",
    "last_price": "latest.price",
    "days_since_price": "CURRENT_DATE - last_price_date",
}


def _column(name: str) -> str:
    return f"{_CALCULATED[name]} AS {name}" if name in _CALCULATED else name


VIEW = f"""
SELECT {", ".join(map(_column, CURRENCIES.names))}
FROM {LAST_VERDICTS.path} AS verdicts
FULL JOIN (
    SELECT ticker, {", ".join(f"{sql} AS {name}" for name, sql in _OF_PRICES.items())}
    FROM {PRICES.path} GROUP BY ticker
) AS counted ON counted.ticker = verdicts.ticker
LEFT JOIN (SELECT ticker AS symbol, date AS day, price FROM {PRICES.path}) AS latest
    ON latest.symbol = counted.ticker AND latest.day = last_price_date
"""  # noqa: S608 - names of ours
CREATE_VIEW = f"CREATE OR REPLACE VIEW {CURRENCIES.path} AS {VIEW}"
# On Redshift the rows come in a file: nothing that people wrote stands in a statement.
ARRIVING_VERDICTS = f"CREATE TEMP TABLE arrived ({sql_columns(LAST_VERDICTS.columns, 'redshift')})"
COPY_VERDICTS = "COPY arrived FROM '{files}' IAM_ROLE {role} FORMAT AS PARQUET MANIFEST"
REPLACE_VERDICTS = (
    "DELETE FROM market_data.last_verdicts WHERE ticker IN (SELECT ticker FROM arrived)",
    "INSERT INTO market_data.last_verdicts SELECT * FROM arrived",
    "DROP TABLE arrived",
)


def as_parquet(currencies: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows of `LAST_VERDICTS`, times as ISO text in UTC, as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = arrow_schema(LAST_VERDICTS.columns)
    columns = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        values = [each.get(name) for each in currencies]
        if pa.types.is_timestamp(kind):
            columns.append(pa.array(values, pa.string()).cast(pa.timestamp("us")).cast(kind))
        else:
            columns.append(pa.array(values, kind))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=schema), sink)
    return bytes(sink.getvalue())
