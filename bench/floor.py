"""The product's result in plain DuckDB SQL: the speed to approach and the numbers to compare with.

One statement goes from the CSV files to the table `prices`, for all currencies at once. It follows
the data's rules (missing = fill) on its own and shares no code with the product. What does not
belong here: recognising files beyond the shapes that `sample_data` and `bench.generate` write,
verdicts, audits. A broken file makes the whole statement fail.
"""

# ruff: noqa: S608 - all that is put into the SQL are constants of this module

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

SILVER_FILL_ROWS = 10
GOLD_FILL_ROWS = 2
MEAN_ROWS = 14
TREND_EDGE_DAYS = 6


@dataclass(frozen=True)
class Shape:
    """A known dialect: how its files begin, where its data starts, and its columns.

    The SQL expressions `day` and `value` turn the cells `day` and `value` into DATE and DOUBLE.
    """

    begins: str
    skip: int
    columns: str
    day: str = "day::DATE"
    value: str = "nullif(nullif(value::DOUBLE, -1), 0)"

    def read(self) -> str:
        """SELECT (id, date, value); its parameters are the ids of the tickers and the files."""
        # Only dates and trend values need more than the reader's own number parsing.
        types = {
            name: "DOUBLE" if name == "value" and self.value == Shape.value else "VARCHAR"
            for name in self.columns.split()
        }
        return f"""
            SELECT list_extract(?::INTEGER[], file_index::INTEGER + 1) AS id,
                   {self.day} AS date, {self.value} AS value
            FROM read_csv(?, auto_detect = false, header = false, skip = {self.skip},
                          delim = ',', quote = '"', escape = '"', thousands = ',',
                          nullstr = ['', '-', 'null', 'N/A'], columns = {types})"""


INVESTING = "day value open high low volume change"
HISTORY_SHAPES = (
    Shape(r'"Date","Price".*\r?\n"\d', 1, INVESTING, "strptime(day, '%m/%d/%Y')::DATE"),
    Shape(r'"Date","Price".*\r?\n"[A-Z]', 1, INVESTING, "strptime(day, '%b %d, %Y')::DATE"),
    Shape("Date,Open,High,Low,Close", 1, "day open high low value adjusted volume"),
    Shape("snapped_at,", 1, "day value market_cap volume", "left(day, 10)::DATE"),
)
# A month such as 2021-05 stands for its first day.
TREND_DAY = "left(day || '-01', 10)::DATE"
TREND_VALUE = "CASE value WHEN '<1' THEN 0.5 ELSE value::DOUBLE END"
TREND_SHAPES = (
    Shape("Category:", 3, "day value", TREND_DAY, TREND_VALUE),
    Shape('"Settimana",', 1, "day value", TREND_DAY, TREND_VALUE),
)

RESULT = f"""
CREATE OR REPLACE TABLE prices AS
WITH
history AS (
    SELECT DISTINCT id, date, value AS price FROM ({{histories}})
),
silver AS (
    SELECT id, date, coalesce(price, last_value(price IGNORE NULLS) OVER (
        PARTITION BY id ORDER BY date ROWS {SILVER_FILL_ROWS} PRECEDING)) AS price
    FROM history
),
trend AS (
    SELECT id, date, value AS trend,
           lag(date) OVER dates IS NULL AS is_first,
           lead(date) OVER dates AS next_date,
           lead(value) OVER dates AS next_trend
    FROM (SELECT DISTINCT id, date, value FROM ({{trends}}))
    WINDOW dates AS (PARTITION BY id ORDER BY date)
),
-- A row for each day that has an interpolated trend; on the day of an observation also that.
trend_days AS (
    SELECT id, date + age::INTEGER AS date,
           CASE age WHEN 0 THEN trend END AS trend,
           CASE WHEN age <= 0 OR next_date IS NULL THEN trend
                ELSE trend + (next_trend - trend) * age / (next_date - date) END AS trend_i
    FROM trend, unnest(range(
        CASE WHEN is_first THEN -{TREND_EDGE_DAYS} ELSE 0 END,
        coalesce(next_date - date, {TREND_EDGE_DAYS} + 1))) AS days(age)
),
dates AS (
    SELECT id, date, price, trend, trend_i
    FROM silver FULL JOIN trend_days USING (id, date)
    WHERE silver.id IS NOT NULL OR trend IS NOT NULL
),
gold AS (
    SELECT id, date, trend, trend_i, coalesce(price, last_value(price IGNORE NULLS) OVER (
        PARTITION BY id ORDER BY date ROWS {GOLD_FILL_ROWS} PRECEDING)) AS price
    FROM dates
)
SELECT list_extract(?::VARCHAR[], id) AS ticker, date, price, trend,
       avg(price) OVER (
           PARTITION BY id ORDER BY date ROWS {MEAN_ROWS - 1} PRECEDING) AS pricema,
       trend_i
FROM gold
"""


def _shape(path: Path, shapes: Sequence[Shape]) -> Shape:
    with path.open("rb") as file:
        head = file.read(120).decode("utf-8-sig", errors="ignore")
    for shape in shapes:
        if re.match(shape.begins, head):
            return shape
    raise ValueError(f"{path}: the floor does not know files that begin like this")


def _reads(
    paths: Sequence[Path], shapes: Sequence[Shape]
) -> tuple[str, list[list[int] | list[str]]]:
    """One SELECT over all these files, a reader per shape, and its parameters; ids count from 1."""
    found: dict[Shape, list[int]] = {}
    for number, path in enumerate(paths, start=1):
        found.setdefault(_shape(path, shapes), []).append(number)
    parameters: list[list[int] | list[str]] = []
    for ids in found.values():
        parameters += [ids, [str(paths[number - 1]) for number in ids]]
    return " UNION ALL ".join(shape.read() for shape in found), parameters


def floor(files: Sequence[tuple[str, Path, Path]], database: Path) -> float:
    """Computes (ticker, date, price, trend, pricema, trend_i) of all currencies into `prices`.

    `files` holds ticker, history and trend of each. Returns the seconds from opening the database
    file to having it closed. Raises ValueError for a file of unknown shape and duckdb.Error for
    one that is not what its shape promises.
    """
    start = time.perf_counter()
    histories, history_parameters = _reads([history for _, history, _ in files], HISTORY_SHAPES)
    trends, trend_parameters = _reads([trend for _, _, trend in files], TREND_SHAPES)
    tickers = [ticker for ticker, _, _ in files]
    with duckdb.connect(database) as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(
            RESULT.format(histories=histories, trends=trends),
            [*history_parameters, *trend_parameters, tickers],
        )
    return time.perf_counter() - start
