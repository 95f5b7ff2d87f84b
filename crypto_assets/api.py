"""What `import crypto_assets` gives to code: one file read, and the published tables as Arrow.

Only looks: needs neither Dagster nor an engine, and writes nothing. Where the tables are is said by
the same settings as for the command (`CRYPTO_ASSETS_HOME`, …). Every error is a `CryptoAssetsError`
of one line that says what helps; a path that cannot be opened raises `OSError`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from crypto_assets.resources.errors import CryptoAssetsError, Refused, UsageError
from crypto_assets.resources.settings import read_settings

if TYPE_CHECKING:
    import pyarrow as pa

    from crypto_assets.defs.status import Status
    from crypto_assets.spark.exports import Export
    from crypto_assets.spark.exports.model import (
        DateOrder,
        DecimalMark,
        Granularity,
        Kind,
        WhichDay,
        WhichRow,
    )
    from crypto_assets.spark.market_data.currency import Choices

__all__ = ["CryptoAssetsError", "Reading", "Refused", "currencies", "gold", "prices", "read"]


@dataclass(frozen=True)
class Reading:
    """A file that was read: its rows, and what was worked out about it.

    `rows` is an Arrow table in the file's order: `line` (int32, from 1), `date` (date32) and
    `value` (float64: the price, or the trend; null where it is missing). Nothing is filled, and
    identical rows are all there. A column is named by its header, or else by its number from 1.
    """

    rows: pa.Table = field(repr=False)
    kind: Kind
    source: str
    language: str | None
    encoding: str
    delimiter: str
    date_format: str
    decimal: DecimalMark
    granularity: Granularity
    term: str | None
    date_column: str | int
    value_column: str | int
    first_date: date
    last_date: date
    ticker_guess: str | None
    notes: list[str]


def read(
    path: str | os.PathLike[str],
    *,
    kind: Kind | None = None,
    dates: DateOrder | None = None,
    decimal: DecimalMark | None = None,
    price: str | int | None = None,
    term: str | int | None = None,
    day: WhichDay | None = None,
    duplicates: WhichRow | None = None,
    accept_outliers: bool = False,
) -> Reading:
    """Reads a price history or a Google-Trends series, as a run would; stores nothing.

    The options settle what a file leaves open, as those of `crypto-assets add` do. Raises `Refused`
    if the file cannot be read with certainty or a run would refuse it, `OSError` if it cannot be
    opened.
    """
    from crypto_assets.spark.market_data.currency import Choices

    _check_words(kind=kind, dates=dates, decimal=decimal, day=day, duplicates=duplicates)
    choices = Choices(
        dates=dates,
        decimal=decimal,
        price=None if price is None else str(price),
        term=None if term is None else str(term),
        day=day,
        duplicates=duplicates,
        accept_outliers=accept_outliers,
    )
    return _reading(Path(path), choices, kind)


def gold(ticker: str) -> pa.Table:
    """The currency's published rows by day: date, price, trend, pricema, trend_i.

    Raises `UsageError` if there is no such currency, or nothing of it is published.
    """
    from crypto_assets.resources import wiring

    published = wiring.published_gold(read_settings())
    (name,) = published.checked([ticker])
    return published.rows(name)


def prices(tickers: Iterable[str] | None = None) -> pa.Table:
    """The published rows of these currencies, or of all, as the warehouse's `prices` has them.

    The columns are ticker, date, price, trend, pricema, trend_i; the rows are by ticker, then by
    day. Raises as `gold`.
    """
    import pyarrow as pa

    from crypto_assets.resources import wiring
    from crypto_assets.spark.market_data.tables import PRICES
    from crypto_assets.spark.tables import arrow_schema

    if isinstance(tickers, str):
        raise UsageError(f"tickers is a list: say tickers=[{tickers!r}]")
    published = wiring.published_gold(read_settings())
    chosen = published.tickers if tickers is None else sorted(published.checked(tickers))
    tables = [rows for _, rows in published.prices(chosen)]
    return pa.concat_tables(tables) if tables else arrow_schema(PRICES.columns).empty_table()


def currencies() -> pa.Table:
    """A row for each registered currency, by ticker, as `crypto-assets status` knows it.

    `source` is the site of its history, `state` that of `status` (published, stale, failed),
    `problem` what is wrong; first_date, last_date and rows are those of gold. Which runs are under
    way only the command knows.
    """
    import pyarrow as pa

    from crypto_assets.defs.status import statuses
    from crypto_assets.defs.under_way import UnderWay
    from crypto_assets.resources import wiring
    from crypto_assets.resources.doctor.home import explained

    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("ticker", "name", "source")),
            *((name, pa.date32()) for name in ("first_date", "last_date")),
            ("rows", pa.int64()),
            *((name, pa.string()) for name in ("state", "problem")),
        ]
    )
    settings = read_settings()
    names = wiring.registries(settings)[0].names()
    if not names:
        return schema.empty_table()
    published, _ = wiring.published(settings)
    try:
        found = statuses(published, names, UnderWay((), {}), {"bronze": "", "gold": ""})
    except sqlite3.Error as error:
        raise explained(settings, error) from error
    rows = sorted(map(_row, found), key=lambda row: str(row["ticker"]))
    return pa.Table.from_pylist(rows, schema=schema)


def _row(status: Status) -> dict[str, Any]:
    """The currency's row of `currencies`."""
    from crypto_assets.resources.market_data.registry import coin_name

    made, read = status.layers["gold"].metadata, status.layers["bronze"].metadata
    days = {name: made.get(name) for name in ("first_date", "last_date")}
    return {
        "ticker": status.entry.partition,
        "name": coin_name(status.entry),
        "source": read.get("history/source"),
        **{name: day and date.fromisoformat(day) for name, day in days.items()},
        "rows": made.get("rows"),
        "state": status.state,
        "problem": "; ".join(status.problems) or None,
    }


def _reading(path: Path, choices: Choices, kind: Kind | None) -> Reading:
    from crypto_assets.resources.market_data.cures import as_arguments
    from crypto_assets.resources.uploads.inspect import facts_of, read_file
    from crypto_assets.spark.market_data.judge import file_problems, in_short
    from crypto_assets.spark.problems import ReadError

    try:
        export = read_file(path, choices, kind)
    except ReadError as reason:
        raise Refused(f"{path.name}: {as_arguments(str(reason))}") from None
    if problems := file_problems(export):
        raise Refused(f"{path.name}: {as_arguments('; '.join(in_short(problems)))}")
    return Reading(rows=_rows(export), **facts_of(export, path))


def _rows(export: Export) -> pa.Table:
    """The lines that hold data, as `Reading.rows` has them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from crypto_assets.spark.exports.arrays import arrow
    from crypto_assets.spark.market_data import silver
    from crypto_assets.spark.market_data.bronze import data_lines

    lines = export.lines.filter(pc.equal(export.lines["role"], "data"))["line"]
    read_values = silver.prices if export.kind == "history" else silver.trends
    series = read_values(data_lines(export.lines)).series
    values = arrow(series.values)
    return pa.table(
        {
            "line": lines,
            "date": arrow(series.days).cast(pa.date32()),
            "value": pc.if_else(pc.is_nan(values), None, values),
        }
    )


def _check_words(**chosen: str | None) -> None:
    """Raises `UsageError` if an option of `read` is none of its words."""
    from crypto_assets.spark.exports import model

    types = {
        "kind": model.Kind,
        "dates": model.DateOrder,
        "decimal": model.DecimalMark,
        "day": model.WhichDay,
        "duplicates": model.WhichRow,
    }
    for option, word in chosen.items():
        words = get_args(types[option])
        if word is not None and word not in words:
            raise UsageError(f"{option}={word!r}: it is one of {', '.join(map(repr, words))}")
