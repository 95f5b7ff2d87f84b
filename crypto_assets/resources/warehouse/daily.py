"""The view `market_data.daily`: every day between a currency's first and last, in portable SQL.

It has no rows of its own. Redshift makes no series of days beside tables, so the days of a gap are
counted with digits. What is asked of one ticker looks at that ticker's rows alone: every window is
of one ticker.
"""

from __future__ import annotations

from crypto_assets.spark.market_data.tables import PRICES, TICKER
from crypto_assets.spark.tables import Column, Table

DAILY = Table(
    "market_data.daily",
    "warehouse",
    (
        TICKER,
        Column("date", "date", "the day"),
        Column("price", "double", "the price of the day, else of the last day before with one"),
        Column("is_carried", "boolean", "whether the price is of an earlier day"),
    ),
    row="a day between a currency's first and last, whether there is a row in `prices` or not",
)
_DIGITS = " UNION ALL ".join(f"SELECT {digit} AS digit" for digit in range(10))
# More days than any gap has: ten thousand are 27 years.
_NUMBERS = f"""
SELECT a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit AS number
FROM ({_DIGITS}) AS a CROSS JOIN ({_DIGITS}) AS b CROSS JOIN ({_DIGITS}) AS c
    CROSS JOIN ({_DIGITS}) AS d
"""  # noqa: S608 - digits
# Each price begins a run of rows: its own, and those without one up to the next.
_CARRIED = f"""
SELECT ticker, date, days, CASE WHEN price IS NULL AND carried IS NOT NULL THEN TRUE ELSE FALSE END
    AS is_carried, carried AS price
FROM (
    SELECT ticker, date, price, days, MAX(price) OVER (PARTITION BY ticker, run) AS carried
    FROM (
        SELECT ticker, date, price,
            LEAD(date) OVER (PARTITION BY ticker ORDER BY date) - date AS days,
            COUNT(price) OVER (
                PARTITION BY ticker ORDER BY date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS run
        FROM {PRICES.path}
    ) AS runs
) AS rows_of_prices
"""  # noqa: S608 - names of ours
_DAYS = f"""
SELECT ticker, date, price, is_carried FROM ({_CARRIED}) AS present
UNION ALL
SELECT ticker, date + number AS date, price, CASE WHEN price IS NULL THEN FALSE ELSE TRUE END
FROM ({_CARRIED}) AS present JOIN ({_NUMBERS}) AS numbers ON number BETWEEN 1 AND days - 1
WHERE days > 1
"""  # noqa: S608 - names of ours
CREATE_DAILY = f"CREATE OR REPLACE VIEW {DAILY.path} AS {_DAYS}"
