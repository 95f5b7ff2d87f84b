"""The job: currencies through bronze, silver and gold, with a verdict on each at every layer.

Every layer is one plan for all tickers, written below `spec.staging` and audited there. Publishing
and loading are not here: they are done by whoever wrote the job spec (`resources/`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as F

from crypto_assets.spark.job_spec import Verdict
from crypto_assets.spark.market_data import audit, gold, silver
from crypto_assets.spark.market_data.bronze import bronze, uploads
from crypto_assets.spark.market_data.currency import Currency
from crypto_assets.spark.market_data.tables import (
    BRONZE,
    GOLD,
    KINDS,
    LOAD,
    SILVER_HISTORY,
    SILVER_TREND,
)
from crypto_assets.spark.storage import read, read_each, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame, SparkSession

    from crypto_assets.spark.job_spec import JobSpec, Partition
    from crypto_assets.spark.tables import Table

Rows = dict[Any, dict[str, Any]]


def _bronze(session: SparkSession, spec: JobSpec, partitions: list[Partition]) -> Iterator[Verdict]:
    currencies = list(map(Currency.of, partitions))
    write(bronze(uploads(session, currencies), spec.readers), spec.staging, BRONZE)
    staged = _read(session, spec, BRONZE, currencies)
    measured = _rows(audit.bronze_measures(staged), "ticker", "kind")
    for currency in currencies:
        files = {kind: measured.get((currency.ticker, kind)) for kind in KINDS}
        problems = [
            problem
            for kind in KINDS
            for problem in audit.bronze_problems(files[kind], currency, kind)
        ]
        measures: dict[str, Any] = {kind: _file_measures(row) for kind, row in files.items() if row}
        yield Verdict(currency.ticker, "bronze", tuple(problems), measures)


def _silver(session: SparkSession, spec: JobSpec, partitions: list[Partition]) -> Iterator[Verdict]:
    currencies = list(map(Currency.of, partitions))
    lines = _read(session, spec, BRONZE, currencies)
    prices = silver.prices(lines.where("kind = 'history'"))
    trends = silver.trends(lines.where("kind = 'trend'"))
    history = silver.history(prices, _settings(session, currencies))
    write(history, spec.staging, SILVER_HISTORY, "date")
    write(silver.trend(trends), spec.staging, SILVER_TREND, "date")
    tables: dict[str, tuple[DataFrame, Table]] = {
        "history": (prices, SILVER_HISTORY),
        "trend": (trends, SILVER_TREND),
    }
    staged: dict[str, Rows] = {}
    given: dict[str, Rows] = {}
    for kind, (values, table) in tables.items():
        written = _read(session, spec, table, currencies)
        staged[kind] = _rows(audit.table_measures(written, audit.VALUES[kind]), "ticker")
        given[kind] = _given(values, kind, staged[kind], currencies)
    for currency in currencies:
        problems: list[str] = []
        measures: dict[str, Any] = {}
        for kind in KINDS:
            before, after = given[kind].get(currency.ticker), staged[kind].get(currency.ticker)
            problems += audit.silver_problems(kind, before, after, currency)
            if before and after:
                measures[kind] = _silver_measures(kind, before, after, currency)
        yield Verdict(currency.ticker, "silver", tuple(problems), measures)


def _gold(session: SparkSession, spec: JobSpec, partitions: list[Partition]) -> Iterator[Verdict]:
    currencies = list(map(Currency.of, partitions))
    history = _read(session, spec, SILVER_HISTORY, currencies)
    trend = _read(session, spec, SILVER_TREND, currencies)
    write(gold.gold(history, trend), spec.staging, GOLD, "date")
    expected = _rows(audit.gold_expectations(history, trend), "ticker")
    staged = _read(session, spec, GOLD, currencies)
    tables = _rows(audit.table_measures(staged, *GOLD.numbers), "ticker")
    loads = _loads(session, spec, currencies) if LOAD.path in spec.optional else None
    for currency in currencies:
        table = tables.get(currency.ticker)
        problems = list(audit.gold_problems(expected.get(currency.ticker), table))
        if table and loads is not None:
            problems += audit.load_problems(table, loads.get(currency.ticker))
        measures: dict[str, Any] = _span(table) if table else {}
        if table and not problems:
            measures["warnings"] = list(audit.gold_warnings(table))
        yield Verdict(currency.ticker, "gold", tuple(problems), measures)


def _loads(session: SparkSession, spec: JobSpec, currencies: list[Currency]) -> Rows:
    """Writes gold once more, as `LOAD`, and measures that as gold is measured."""
    rows = _read(session, spec, GOLD, currencies).withColumn("symbol", F.col("ticker"))
    write(rows, spec.staging, LOAD, "date")
    # A row that says another ticker than its folder is no row of this currency.
    staged = _read(session, spec, LOAD, currencies).where("symbol = ticker")
    return _rows(audit.table_measures(staged, *GOLD.numbers), "ticker")


def _read(
    session: SparkSession, spec: JobSpec, table: Table, currencies: list[Currency]
) -> DataFrame:
    """These currencies' rows, from staging if this job computes the table, else as published."""
    wanted = [currency.ticker for currency in currencies]
    if table.layer not in spec.layers:
        return read_each(session, spec.lake, table, wanted, spec.readers)
    frame = read(session, spec.staging, table)
    # Staging holds this job's only. Naming the few that failed is quick, naming all the others is
    # not: 1,000 values in an `IN` take longer than the aggregate behind it.
    failed = {partition.name for partition in spec.partitions}.difference(wanted)
    return frame.where(~frame["ticker"].isin(*failed)) if failed else frame


def _settings(session: SparkSession, currencies: Iterable[Currency]) -> DataFrame:
    rows = [{"ticker": c.ticker, "missing": c.choices.missing} for c in currencies]
    return session.createDataFrame(pa.Table.from_pylist(rows))


def _given(values: DataFrame, kind: str, written: Rows, currencies: Iterable[Currency]) -> Rows:
    """What silver was given; dates are counted only where the rows written are not the lines."""
    value = audit.VALUES[kind]
    given = _rows(audit.parsed_measures(values, value), "ticker")
    differing = [
        c.ticker
        for c in currencies
        if c.ticker in given
        and c.ticker in written
        and audit.rows_expected(kind, given[c.ticker], c) != written[c.ticker]["rows"]
    ]
    if differing:
        counted = audit.date_measures(values.where(values["ticker"].isin(*differing)), value)
        for ticker, row in _rows(counted, "ticker").items():
            given[ticker] |= row
    return given


def _rows(measures: DataFrame, *key: str) -> Rows:
    """A small table of measures on the driver, by its key columns."""
    rows = measures.toArrow().to_pylist()
    return {tuple(row[k] for k in key) if len(key) > 1 else row[key[0]]: row for row in rows}


def _file_measures(row: dict[str, Any]) -> dict[str, Any]:
    counts = ("file_lines", "data", "text", "blank", "left_out", "bad")
    return {
        "file": row["file"],
        "etag": row["etag"],
        **{name: row[name] for name in counts},
        **json.loads(row["reading"]),
    }


def _silver_measures(
    kind: str, given: dict[str, Any], table: dict[str, Any], currency: Currency
) -> dict[str, Any]:
    dropped = audit.dropped_missing(kind, given, currency)
    unfilled = table["rows"] - table[f"{audit.VALUES[kind]}_count"]
    return {
        **_span(table),
        "missing": given["missing"],
        "filled": given["missing"] - dropped - unfilled,
        "unfilled": unfilled,
        "dropped_missing": dropped,
        "dropped_duplicates": given["given"] - given["dates"],
    }


def _span(table: dict[str, Any]) -> dict[str, Any]:
    return {name: table[name] for name in ("rows", "first_date", "last_date")}


STEPS = {"bronze": _bronze, "silver": _silver, "gold": _gold}
