"""The job: one currency through bronze, silver and gold, with a verdict on each layer.

All layers of a currency are made in one pass over its two files, each table as arrays, and staged
below `spec.staging` when it passed its audit. Publishing and loading are not here: they are done by
whoever wrote the job spec (`resources/`).
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from crypto_assets.spark.files import Written, encoded, read_published, stage
from crypto_assets.spark.job_spec import Verdict
from crypto_assets.spark.market_data import audit, silver
from crypto_assets.spark.market_data.bronze import bronze, data_lines
from crypto_assets.spark.market_data.currency import Currency
from crypto_assets.spark.market_data.gold import gold
from crypto_assets.spark.market_data.picture import shown
from crypto_assets.spark.market_data.silver import Series
from crypto_assets.spark.market_data.tables import (
    BRONZE,
    GOLD,
    KINDS,
    LOAD,
    SILVER_HISTORY,
    SILVER_TREND,
)
from crypto_assets.spark.problems import ReadError, ServiceError
from crypto_assets.spark.tables import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from crypto_assets.spark.job_spec import JobSpec, Partition
    from crypto_assets.spark.tables import Table

SILVER = {"history": SILVER_HISTORY, "trend": SILVER_TREND}
_REPEATING = ("role", "problem", "file_lines", "reading", "file", "etag")
Made = tuple[Verdict, Any]  # the verdict on a layer, and what the next one is made from


def compute(spec: JobSpec, partition: Partition) -> Iterator[Verdict]:
    """The verdicts on the layers of one currency, up to the first that does not pass.

    Raises `OSError` if a file cannot be staged, which is no currency's fault.
    """
    currency, given = Currency.of(partition), None
    for layer in spec.layers:
        started = time.perf_counter()
        try:
            verdict, given = _LAYERS[layer](spec, currency, given)
        except ReadError as reason:  # what is published of the layer before is damaged
            problem = f"{reason}: run again without --layer"
            verdict = Verdict(currency.ticker, layer, (problem,), passing=True)
        except ServiceError as fault:
            verdict = Verdict(currency.ticker, layer, (str(fault),), passing=True)
        yield replace(verdict, seconds=time.perf_counter() - started)
        if not verdict.passed:
            return


def _bronze(spec: JobSpec, currency: Currency, _: None) -> Made:
    lines: dict[str, pa.Table] = {}
    problems: list[str] = []
    files: dict[str, Written] = {}
    measures: dict[str, Any] = {}
    for folder, kind in zip(BRONZE.folders(currency.ticker), KINDS, strict=True):
        try:
            lines[kind] = bronze(currency, kind)
        except ReadError as reason:
            problems.append(f"{currency.files[kind].name}: {reason}")
            continue
        files[folder] = encoded(lines[kind], _REPEATING)
        row = audit.bronze_measures(lines[kind], files[folder])
        problems += audit.bronze_problems(row, currency, kind)
        measures[kind] = _file_measures(row)
    rows = dict(zip(files, lines.values(), strict=True))
    return _judged(spec, currency, "bronze", rows, files, problems, measures), lines


def _silver(spec: JobSpec, currency: Currency, lines: dict[str, pa.Table] | None) -> Made:
    if lines is None:
        folders = zip(KINDS, BRONZE.folders(currency.ticker), strict=True)
        lines = {kind: read_published(spec.lake, folder, BRONZE) for kind, folder in folders}
    problems: list[str] = []
    rows: dict[str, pa.Table] = {}
    files: dict[str, Written] = {}
    measures: dict[str, Any] = {}
    made: dict[str, Series] = {}
    for kind, table in SILVER.items():
        data = data_lines(lines[kind])
        if kind == "history":
            values = silver.prices(data)
            made[kind] = silver.history(values.series, currency.choices.missing)
        else:
            values = silver.trends(data)
            made[kind] = silver.trend(values.series)
        value = audit.VALUES[kind]
        given, row = audit.given_measures(data, values), None
        if len(made[kind]):
            (folder,) = table.folders(currency.ticker)
            rows[folder] = _rows(table, made[kind].days, made[kind].values)
            files[folder] = encoded(rows[folder])
            row = audit.series_measures(made[kind], files[folder], value)
            measures[kind] = _silver_measures(kind, given, row, currency)
        problems += audit.silver_problems(kind, given, row, currency)
    return _judged(spec, currency, "silver", rows, files, problems, measures), made


def _gold(spec: JobSpec, currency: Currency, series: dict[str, Series] | None) -> Made:
    if series is None:
        series = {kind: _published(spec, table, currency) for kind, table in SILVER.items()}
    history, trend = series["history"], series["trend"]
    made = gold(history, trend)
    (folder,) = GOLD.folders(currency.ticker)
    rows = {folder: _rows(GOLD, made.days, made.price, made.trend, made.pricema, made.trend_i)}
    files = {folder: encoded(rows[folder])}
    row = audit.gold_measures(made, files[folder])
    problems = list(audit.gold_problems(audit.gold_expectations(history, trend), row))
    if LOAD.path in spec.optional:
        (load,) = LOAD.folders(currency.ticker)
        rows[load] = _with_symbol(rows[folder], currency.ticker)
        files[load] = encoded(rows[load], ["symbol"])
        problems += audit.load_problems(row, audit.gold_measures(made, files[load]))
        if files[load].range("symbol") != (currency.ticker, currency.ticker, 0):
            problems.append("another ticker is in the file for the warehouse")
    measures: dict[str, Any] = _span(row)
    if not problems:
        measures["warnings"] = list(audit.gold_warnings(row))
    verdict = _judged(spec, currency, "gold", rows, files, problems, measures)
    return replace(verdict, shown=shown(made) if verdict.passed else {}), None


_LAYERS: dict[str, Callable[[JobSpec, Currency, Any], Made]] = {
    "bronze": _bronze,
    "silver": _silver,
    "gold": _gold,
}


def _judged(
    spec: JobSpec,
    currency: Currency,
    layer: str,
    rows: dict[str, pa.Table],
    files: dict[str, Written],
    problems: list[str],
    measures: dict[str, Any],
) -> Verdict:
    """The verdict on a layer, whose files are staged if it passed."""
    if audit.is_read_back(currency):
        differing = [folder for folder, file in files.items() if not file.holds(rows[folder])]
        problems += [f"{folder}: what is read back is not what was written" for folder in differing]
    if not problems:
        for folder, file in files.items():
            stage(spec.staging, folder, file)
    sizes = {} if problems else {folder: file.content.size for folder, file in files.items()}
    return Verdict(currency.ticker, layer, tuple(problems), measures, files=sizes)


def _published(spec: JobSpec, table: Table, currency: Currency) -> Series:
    (folder,) = table.folders(currency.ticker)
    rows = read_published(spec.lake, folder, table)
    return silver.series_of(rows["date"], rows[table.numbers[0]])


def _rows(table: Table, days: NDArray[np.int32], *values: NDArray[np.float64]) -> pa.Table:
    """The table's rows; what is no day, and NaN, is null."""
    columns = [_array(days, days != silver.NO_DAY, pa.date32())]
    columns += [_array(column, ~np.isnan(column), pa.float64()) for column in values]
    return pa.table(columns, schema=arrow_schema(table.file_columns))


def _array(values: NDArray[Any], valid: NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    mask = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    content = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [mask, content])


def _with_symbol(rows: pa.Table, ticker: str) -> pa.Table:
    """Gold's rows with the ticker first, as `LOAD` has them."""
    return rows.add_column(0, "symbol", pa.repeat(pa.scalar(ticker), len(rows)))


def _file_measures(row: dict[str, Any]) -> dict[str, Any]:
    counts = ("file_lines", "data", "text", "blank", "left_out", "bad")
    return {
        "file": row["file"],
        "etag": row["etag"],
        "rows": row["lines"],
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
        "last_observed": given["last_observed"],
        "missing": given["missing"],
        "filled": given["missing"] - dropped - unfilled,
        "unfilled": unfilled,
        "dropped_missing": dropped,
        "dropped_duplicates": given["given"] - given["dates"],
    }


def _span(table: dict[str, Any]) -> dict[str, Any]:
    return {name: table[name] for name in ("rows", "first_date", "last_date")}
