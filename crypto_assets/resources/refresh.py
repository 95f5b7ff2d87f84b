"""Brings tickers up to date: order, compute, publish, load. The one place where these meet.

Knows the resources but neither Spark nor Dagster's runs: it is given a run id and returns verdicts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from crypto_assets.resources.engine import Engine, Run
from crypto_assets.resources.lake import Lake
from crypto_assets.resources.registry import Entry, Registry
from crypto_assets.resources.warehouse import Warehouse
from crypto_assets.spark.batch import LAYERS, Batch, Layer, LayerResult, Verdict
from crypto_assets.spark.tables import GOLD

Report = Callable[[LayerResult], None]


@dataclass(frozen=True)
class Platform:
    """The resources a refresh works with."""

    registry: Registry
    engine: Engine
    lake: Lake
    warehouse: Warehouse


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
    keeps what was published of the layer it failed at and of those behind it.
    """
    entries = list(platform.registry.get_all(tickers).values())
    if unknown := set(tickers) - {entry.ticker for entry in entries}:
        yield _unknown(sorted(unknown), layers)
    size = platform.engine.batch_tickers
    with platform.engine.running() as run:
        for start in range(0, len(entries), size):
            batch = entries[start : start + size]
            computed = list(_compute(platform, run, batch, layers, run_id, on_layer))
            with platform.lake.publishing():
                current = platform.registry.get_all(entry.ticker for entry in batch)
                fresh = [_without_stale(result, batch, current) for result in computed]
                results = _publish(platform.lake, run_id, fresh)
                if "warehouse" in layers:
                    results.append(_load(platform, _reached_warehouse(batch, results)))
                    on_layer(results[-1])
            platform.lake.discard(run_id)
            yield from results


def _compute(
    platform: Platform,
    run: Run,
    entries: Iterable[Entry],
    layers: Collection[Layer],
    run_id: str,
    on_layer: Report,
) -> Iterator[LayerResult]:
    entries = list(entries)
    published = platform.lake.published_rows([entry.ticker for entry in entries])
    batch = Batch(
        staging=platform.lake.staging(run_id),
        lake=platform.lake.root,
        layers=tuple(layer for layer in LAYERS if layer in layers and layer != "warehouse"),
        currencies=tuple(
            platform.registry.order(entry, published[entry.ticker]) for entry in entries
        ),
    )
    for result in run(batch) if batch.layers else ():
        on_layer(result)
        yield result


def _publish(lake: Lake, run_id: str, results: Iterable[LayerResult]) -> list[LayerResult]:
    """Publishes what passed, layer by layer; a ticker that cannot be published goes no further."""
    stopped: set[str] = set()
    published = []
    for result in results:
        started = time.monotonic()
        reached = [verdict for verdict in result.verdicts if verdict.ticker not in stopped]
        passed = [verdict.ticker for verdict in reached if verdict.passed]
        problems = lake.publish(run_id, result.layer, passed)
        stopped |= {verdict.ticker for verdict in reached if not verdict.passed} | set(problems)
        seconds = result.seconds + time.monotonic() - started
        published.append(replace(result, seconds=seconds, verdicts=_fail(reached, problems)))
    return published


def _reached_warehouse(entries: Iterable[Entry], results: Iterable[LayerResult]) -> list[str]:
    failed = {v.ticker for result in results for v in result.verdicts if not v.passed}
    return [entry.ticker for entry in entries if entry.ticker not in failed]


def _load(platform: Platform, tickers: Collection[str]) -> LayerResult:
    started = time.monotonic()
    files = platform.lake.published(GOLD, tickers)
    loaded, problems = platform.warehouse.replace(files)
    problems |= {ticker: "there is no gold table yet" for ticker in tickers if ticker not in files}
    verdicts = [Verdict(ticker, "warehouse", measures=loaded.get(ticker, {})) for ticker in tickers]
    return LayerResult("warehouse", time.monotonic() - started, _fail(verdicts, problems))


def _unknown(tickers: Iterable[str], layers: Collection[Layer]) -> LayerResult:
    first = next(layer for layer in LAYERS if layer in layers)
    reason = "no files are registered for it: run `crypto-assets add`"
    return LayerResult(first, 0.0, tuple(Verdict(ticker, first, (reason,)) for ticker in tickers))


def _without_stale(
    result: LayerResult, ordered: Iterable[Entry], current: dict[str, Entry]
) -> LayerResult:
    """Fails the tickers whose uploads were replaced while this run computed the older ones."""
    stale = {
        entry.ticker: "newer files were uploaded while this run worked on older ones"
        for entry in ordered
        if entry.ticker not in current or current[entry.ticker].etags != entry.etags
    }
    return replace(result, verdicts=_fail(result.verdicts, stale))


def _fail(verdicts: Iterable[Verdict], problems: dict[str, str]) -> tuple[Verdict, ...]:
    return tuple(
        replace(verdict, problems=(*verdict.problems, problems[verdict.ticker]))
        if verdict.ticker in problems
        else verdict
        for verdict in verdicts
    )
