"""`bronze`, `silver`, `gold` and `warehouse`: one step that refreshes any tickers and layers.

One step for all four, because a batch must let good tickers through every layer while a bad one
stops where it broke. How a ticker is refreshed is `resources/market_data/refresh.py`; here it
becomes events.
"""

import functools
from collections.abc import Iterator

import dagster as dg

from crypto_assets.defs.files import file_key
from crypto_assets.defs.layers import layer_specs
from crypto_assets.defs.partitions import ticker_partitions
from crypto_assets.defs.verdicts import POOL, event, failure, retrying_passing_faults
from crypto_assets.resources.engine.engine import Engine
from crypto_assets.resources.instance import (
    RunProcess,
    quick_event_log,
    running_runs,
)
from crypto_assets.resources.market_data.refresh import Platform, clear_left_behind, refresh
from crypto_assets.resources.market_data.registry import Registry
from crypto_assets.resources.progress import progress
from crypto_assets.resources.storage.lake import Lake
from crypto_assets.resources.warehouse.warehouse import Warehouse
from crypto_assets.spark.job_spec import KINDS, LAYERS, Layer, LayerResult, Verdict

_DESCRIPTIONS: dict[Layer, str] = {
    "bronze": "Every line of both files, cell by cell as text, with what the reader made of it.",
    "silver": "Typed rows: one price per day and one trend per observation, missing ones settled.",
    "gold": "One row per day: price, trend, moving average and interpolated trend.",
    "warehouse": "Gold in SQL: `market_data.prices` and a view per currency.",
}
_KINDS: dict[Layer, set[str]] = {
    "bronze": {"parquet"},
    "silver": {"parquet"},
    "gold": {"parquet"},
    "warehouse": {"duckdb"},
}


@dg.multi_asset(
    name="market_data",
    specs=list(layer_specs(LAYERS, map(file_key, KINDS), "market_data", _DESCRIPTIONS, _KINDS)),
    partitions_def=ticker_partitions,
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=POOL,
)
def market_data(
    context: dg.AssetExecutionContext,
    engine: dg.ResourceParam[Engine],
    registry: Registry,
    lake: Lake,
    warehouse: dg.ResourceParam[Warehouse],
    process: RunProcess,  # noqa: ARG001 - notes the run's process by being asked for
) -> Iterator[dg.MaterializeResult]:
    """Refreshes the selected layers of the selected tickers; fails naming those that failed."""
    instance, run_id = context.instance, context.run.run_id
    tickers = list(context.partition_keys)
    layers = [layer for layer in LAYERS if dg.AssetKey(layer) in context.selected_asset_keys]
    platform = Platform(registry, engine, lake, warehouse)
    results = refresh(
        platform,
        tickers,
        layers,
        run_id,
        on_layer=functools.partial(_report, context, len(tickers)),
    )
    failed: list[Verdict] = []
    with quick_event_log(instance, run_id), retrying_passing_faults():
        for result in results:
            facts = {
                "batch_seconds": round(result.seconds, 3),
                "batch_tickers": len(result.verdicts),
            }
            for verdict in result.verdicts:
                context.log_event(event(verdict, facts))
            progress("record", len(result.verdicts), len(tickers) * len(layers))
            failed += [verdict for verdict in result.verdicts if not verdict.passed]
        # At the end: a run that repeats a killed one may go on with what that one left.
        clear_left_behind(engine, lake, running_runs(instance))
    if failed:
        raise failure(failed, len(tickers), "ticker")
    yield from ()  # the events are logged above: a result could not name one ticker of many


def _report(context: dg.AssetExecutionContext, tickers: int, result: LayerResult) -> None:
    progress(result.layer, len(result.verdicts), tickers)
    passed = f"{len(result.passed)} of {len(result.verdicts)} tickers passed"
    context.log.info("%s: %s in %.1f s", result.layer, passed, result.seconds)
