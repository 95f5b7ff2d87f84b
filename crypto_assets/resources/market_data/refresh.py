"""Brings tickers up to date: order, compute, publish, load. The one place where these meet.

Knows the resources but neither Spark nor Dagster's runs: it is given a run id and returns verdicts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from crypto_assets.resources.engine.engine import Engine, Run
from crypto_assets.resources.market_data.registry import Entry, Registry
from crypto_assets.resources.storage.lake import Lake, Made, Standing
from crypto_assets.resources.warehouse.warehouse import Warehouse
from crypto_assets.spark.job_spec import LAYERS, Batch, Layer, LayerResult, Order, Verdict
from crypto_assets.spark.tables import GOLD, LOAD, SILVER_HISTORY, SILVER_TREND

Report = Callable[[LayerResult], None]
_CURE = "run `crypto-assets materialize` without --layer"


@dataclass(frozen=True)
class Platform:
    """The resources a refresh works with."""

    registry: Registry
    engine: Engine
    lake: Lake
    warehouse: Warehouse


def clear_left_behind(engine: Engine, lake: Lake, running: Collection[str]) -> None:
    """Gives up what runs left behind that are not among the `running` ones: jobs and staging."""
    engine.abandon(running)
    lake.clear_staging(running)


def refresh(
    platform: Platform,
    tickers: Sequence[str],
    layers: Collection[Layer],
    run_id: str,
    on_layer: Report,
) -> Iterator[LayerResult]:
    """Computes, audits and publishes these layers of these tickers; a verdict for each that began.

    Works off `engine.batch_tickers` at a time and yields the results of each such batch when it is
    published; `on_layer` is told each layer's result as soon as it is computed. A ticker that fails
    keeps what was published of the layer it failed at and of those behind it. A fault of the engine
    is raised when the layers it computed before are published.
    """
    entries = list(platform.registry.get_all(tickers).values())
    if unknown := set(tickers) - {entry.ticker for entry in entries}:
        yield _unknown(sorted(unknown), layers)
    size = platform.engine.batch_tickers
    computes = _computed_layers(platform, layers)
    with platform.engine.running() if computes else nullcontext(_compute_nothing) as run:
        for start in range(0, len(entries), size):
            batch = {entry.ticker: entry for entry in entries[start : start + size]}
            stale = _stale_inputs(platform.lake, batch.values(), layers)
            if stale.verdicts:
                yield stale
            refused = {verdict.partition for verdict in stale.verdicts}
            batch = {ticker: entry for ticker, entry in batch.items() if ticker not in refused}
            results, fault = _refresh_batch(platform, run, batch, layers, run_id, on_layer)
            yield from results
            if fault:
                raise fault


def _refresh_batch(
    platform: Platform,
    run: Run,
    batch: Mapping[str, Entry],
    layers: Collection[Layer],
    run_id: str,
    on_layer: Report,
) -> tuple[list[LayerResult], Exception | None]:
    """Computes, publishes and loads one batch; its results, and what ended the computing early."""
    order = _order(platform, batch.values(), layers, run_id)
    computed, fault = _computed(run(order), on_layer)
    tables = [result for result in computed if result.layer != "warehouse"]
    with platform.lake.publishing():
        # In this order: what is published after it was asked what is newest is not replaced.
        standing = platform.lake.standing(batch if tables else ())
        overtaken = _overtaken(platform, batch, layers)
        results = _publish(platform.lake, tables, batch, overtaken, standing)
        if "warehouse" in layers and not fault:
            reached = {t: batch[t] for t in _reached_warehouse(batch, results, overtaken)}
            results.append(_load(platform, reached, computed[len(tables) :]))
            on_layer(results[-1])
    for staging in {order.staging, *(result.staging for result in computed)}:
        platform.lake.discard(staging)
    return results, fault


def _computed_layers(platform: Platform, layers: Collection[Layer]) -> tuple[Layer, ...]:
    """The layers the engine works on: the warehouse's if that loads files made for it."""
    loads_gold = platform.warehouse.loads is GOLD
    return tuple(
        layer for layer in LAYERS if layer in layers and not (layer == "warehouse" and loads_gold)
    )


def _order(
    platform: Platform, entries: Collection[Entry], layers: Collection[Layer], run_id: str
) -> Batch:
    """What the engine is to compute; its staging is this run's."""
    notes = platform.lake.notes(entry.ticker for entry in entries)
    return Batch(
        staging=platform.lake.staging(run_id),
        lake=platform.lake.uri,
        layers=_computed_layers(platform, layers),
        currencies=tuple(
            platform.registry.order(entry, notes[entry.ticker].rows) for entry in entries
        ),
        readers=platform.engine.readers,
    )


def _compute_nothing(order: Order) -> Iterator[LayerResult]:  # noqa: ARG001 - stands for a `Run`
    yield from ()


def _computed(
    results: Iterable[LayerResult], on_layer: Report
) -> tuple[list[LayerResult], Exception | None]:
    """What was computed, and the fault that ended it early: the layers before it count."""
    computed = []
    try:
        for result in results:
            computed.append(result)
            if result.layer != "warehouse":  # only laid out so far; told when it is loaded
                on_layer(result)
    except Exception as fault:  # noqa: BLE001 - raised again when the rest is published
        return computed, fault
    return computed, None


def _publish(
    lake: Lake,
    results: Sequence[LayerResult],
    entries: Mapping[str, Entry],
    overtaken: Mapping[str, str],
    standing: Standing,
) -> list[LayerResult]:
    """Publishes what passed, except for tickers overtaken; its time counts for all layers alike."""
    if not results:
        return []
    started = time.monotonic()
    results = _stop(results, {t: (results[0].layer, why) for t, why in overtaken.items()})
    made: dict[str, dict[Layer, Made]] = {ticker: {} for ticker in entries}
    for verdict in (v for result in results for v in result.verdicts if v.passed):
        version = entries[verdict.partition].version(verdict.layer)
        made[verdict.partition][verdict.layer] = Made(version, _rows(verdict))
    published = _stop(results, lake.publish(results[0].staging, made, standing))
    seconds = (time.monotonic() - started) / len(published)
    return [
        replace(
            result,
            seconds=result.seconds + seconds,
            verdicts=tuple(
                replace(verdict, version=entries[verdict.partition].version(result.layer))
                for verdict in result.verdicts
            ),
        )
        for result in published
    ]


def _rows(verdict: Verdict) -> dict[str, int]:
    """The rows of the layer's tables, by path, of those that a later run must not shrink."""
    if verdict.layer == "gold":
        return {GOLD.path: verdict.measures["rows"]}
    tables = {"history": SILVER_HISTORY, "trend": SILVER_TREND} if verdict.layer == "silver" else {}
    return {table.path: verdict.measures[kind]["rows"] for kind, table in tables.items()}


def _stop(
    results: Iterable[LayerResult], problems: Mapping[str, tuple[Layer, str]]
) -> list[LayerResult]:
    """Adds each ticker's problem to its verdict at that layer; it reaches none behind."""

    def stopped(verdict: Verdict) -> Iterator[Verdict]:
        layer, problem = problems.get(verdict.partition, (None, ""))
        if layer is None or LAYERS.index(verdict.layer) < LAYERS.index(layer):
            yield verdict
        elif verdict.layer == layer:
            yield replace(verdict, problems=(*verdict.problems, problem))

    return [
        replace(result, verdicts=tuple(v for verdict in result.verdicts for v in stopped(verdict)))
        for result in results
    ]


def _reached_warehouse(
    entries: Iterable[str], results: Iterable[LayerResult], overtaken: Mapping[str, str]
) -> list[str]:
    failed = {v.partition for result in results for v in result.verdicts if not v.passed}
    return [ticker for ticker in entries if ticker not in failed and ticker not in overtaken]


def _load(
    platform: Platform, entries: Mapping[str, Entry], laid_out: Sequence[LayerResult]
) -> LayerResult:
    """Loads these currencies into the warehouse, from the files laid out for it or from gold's."""
    started = time.monotonic()
    told = (verdict for result in laid_out for verdict in result.verdicts)
    verdicts = {v.partition: v for v in told if v.partition in entries}
    problems = {v.partition: "; ".join(v.problems) for v in verdicts.values() if not v.passed}
    if laid_out:
        rows = {v.partition: v.measures["rows"] for v in verdicts.values() if v.passed}
        files = platform.lake.staged(laid_out[0].staging, LOAD, rows)
    else:
        files = platform.lake.published(GOLD, entries)
    loaded, failed = platform.warehouse.replace(files)
    missing = dict.fromkeys(entries.keys() - loaded.keys(), "there is no file to load")
    problems = missing | problems | failed
    measures = {t: v.measures for t, v in verdicts.items()}
    result = LayerResult(
        "warehouse",
        time.monotonic() - started + sum(result.seconds for result in laid_out),
        tuple(
            Verdict(
                ticker,
                "warehouse",
                measures=measures.get(ticker, {}) | loaded.get(ticker, {}),
                version=entry.version("warehouse"),
            )
            for ticker, entry in entries.items()
        ),
    )
    return _stop([result], {t: ("warehouse", problem) for t, problem in problems.items()})[0]


def _stale_inputs(lake: Lake, entries: Collection[Entry], layers: Collection[Layer]) -> LayerResult:
    """Refuses the tickers whose published input was made from other uploads or settings."""
    first = min(layers, key=LAYERS.index)
    problems = []
    if first != "bronze":
        before = LAYERS[LAYERS.index(first) - 1]
        notes = lake.notes(entry.ticker for entry in entries)
        problems = [
            Verdict(
                entry.ticker,
                first,
                (f"its {before} is stale or missing: {_CURE}",),
                version=entry.version(first),
            )
            for entry in entries
            if notes[entry.ticker].versions.get(before) != entry.version(before)
        ]
    return LayerResult(first, 0.0, tuple(problems))


def _overtaken(
    platform: Platform, ordered: Mapping[str, Entry], layers: Collection[Layer]
) -> dict[str, str]:
    """The tickers whose uploads or settings changed while this run worked on the older ones."""
    current = platform.registry.get_all(ordered)
    first = min(layers, key=LAYERS.index)
    problems = {
        ticker: "it was removed while this run worked on it"
        for ticker in ordered
        if ticker not in current
    }
    return problems | {
        ticker: "newer files or settings came while this run worked on older ones"
        for ticker, entry in current.items()
        if entry.version(first) != ordered[ticker].version(first)
    }


def _unknown(tickers: Iterable[str], layers: Collection[Layer]) -> LayerResult:
    first = min(layers, key=LAYERS.index)
    reason = "no files are registered for it: run `crypto-assets add`"
    return LayerResult(first, 0.0, tuple(Verdict(ticker, first, (reason,)) for ticker in tickers))
