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

from crypto_assets.spark.exports.arrays import arrow
from crypto_assets.spark.files import Written, encoded, read_published, stage
from crypto_assets.spark.job_spec import Finding, Verdict
from crypto_assets.spark.market_data import audit, silver
from crypto_assets.spark.market_data.bronze import bronze, data_lines
from crypto_assets.spark.market_data.currency import Currency
from crypto_assets.spark.market_data.gold import gold
from crypto_assets.spark.market_data.outliers import outlier_warnings
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
    findings: list[Finding] = []
    files: dict[str, Written] = {}
    measures: dict[str, Any] = {}
    for folder, kind in zip(BRONZE.folders(currency.ticker), KINDS, strict=True):
        try:
            lines[kind] = bronze(currency, kind)
        except ReadError as reason:
            problem = f"{currency.files[kind].name}: {reason}"
            findings.append(Finding("readable", problem, found=str(reason)))
            continue
        files[folder] = encoded(lines[kind], _REPEATING)
        row = audit.bronze_measures(lines[kind], files[folder])
        findings += audit.bronze_findings(row, currency, kind)
        measures[kind] = _file_measures(row)
        findings += audit.step_warnings(measures[kind].pop("steps"))
    rows = dict(zip(files, lines.values(), strict=True))
    return _judged(spec, currency, "bronze", rows, files, findings, measures), lines


def _silver(spec: JobSpec, currency: Currency, lines: dict[str, pa.Table] | None) -> Made:
    if lines is None:
        folders = zip(KINDS, BRONZE.folders(currency.ticker), strict=True)
        lines = {kind: read_published(spec.lake, folder, BRONZE) for kind, folder in folders}
    findings: list[Finding] = []
    rows: dict[str, pa.Table] = {}
    files: dict[str, Written] = {}
    measures: dict[str, Any] = {}
    made: dict[str, Series] = {}
    for kind, table in SILVER.items():
        data = data_lines(lines[kind])
        if kind == "history":
            values = silver.prices(data)
            made[kind] = silver.history(values.series, currency.choices.missing)
            findings += outlier_warnings(made[kind])
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
        findings += audit.silver_findings(kind, given, row, currency)
    return _judged(spec, currency, "silver", rows, files, findings, measures), made


def _gold(spec: JobSpec, currency: Currency, series: dict[str, Series] | None) -> Made:
    if series is None:
        series = {kind: _published(spec, table, currency) for kind, table in SILVER.items()}
    history, trend = series["history"], series["trend"]
    made = gold(history, trend)
    (folder,) = GOLD.folders(currency.ticker)
    rows = {folder: _rows(GOLD, made.days, made.price, made.trend, made.pricema, made.trend_i)}
    files = {folder: encoded(rows[folder])}
    row = audit.gold_measures(made, files[folder])
    findings = list(audit.gold_findings(audit.gold_expectations(history, trend), row))
    if LOAD.path in spec.optional:
        (load,) = LOAD.folders(currency.ticker)
        rows[load] = _with_symbol(rows[folder], currency.ticker)
        files[load] = encoded(rows[load], ["symbol"])
        findings += audit.load_findings(row, audit.gold_measures(made, files[load]))
        if files[load].range("symbol") != (currency.ticker, currency.ticker, 0):
            problem = "another ticker is in the file for the warehouse"
            findings.append(Finding("load_file", problem, currency.ticker))
    measures: dict[str, Any] = _span(row)
    if not findings:
        findings += audit.gold_warnings(row)
        measures["warnings"] = [each.problem for each in findings]
    verdict = _judged(spec, currency, "gold", rows, files, findings, measures)
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
    findings: list[Finding],
    measures: dict[str, Any],
) -> Verdict:
    """The verdict on a layer, whose files are staged if it passed."""
    if audit.is_read_back(currency):
        differing = [folder for folder, file in files.items() if not file.holds(rows[folder])]
        problem = "what is read back is not what was written"
        findings += [Finding("read_back", f"{folder}: {problem}") for folder in differing]
    problems = tuple(each.problem for each in findings if not each.warns)
    if not problems:
        for folder, file in files.items():
            stage(spec.staging, folder, file)
    sizes = {} if problems else {folder: file.content.size for folder, file in files.items()}
    found = tuple(findings)
    return Verdict(currency.ticker, layer, problems, measures, files=sizes, findings=found)


def _published(spec: JobSpec, table: Table, currency: Currency) -> Series:
    (folder,) = table.folders(currency.ticker)
    rows = read_published(spec.lake, folder, table)
    return silver.series_of(rows["date"], rows[table.numbers[0]])


def _rows(table: Table, days: NDArray[np.int32], *values: NDArray[np.float64]) -> pa.Table:
    """The table's rows; what is no day, and NaN, is null."""
    columns = [arrow(days, days != silver.NO_DAY).view(pa.date32())]
    columns += [arrow(column, ~np.isnan(column)) for column in values]
    return pa.table(columns, schema=arrow_schema(table.file_columns))


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
