"""`accounts_bronze` to `customer_account_store`: one step that refreshes a snapshot's layers.

One step for all four, as for the market data: one job computes what the run asks for. How a
snapshot is refreshed is `resources/accounts/refresh.py`; here it becomes events.
"""

import functools
from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from crypto_assets.defs.account_profile import CHECK, check_result, check_spec
from crypto_assets.defs.files import file_key
from crypto_assets.defs.layers import layer_specs
from crypto_assets.defs.partitions import snapshot_partitions
from crypto_assets.defs.verdicts import POOL, SUPERSEDED, event, failure, retrying_passing_faults
from crypto_assets.resources.accounts.refresh import AccountsPlatform, Superseded, refresh_accounts
from crypto_assets.resources.accounts.snapshots import Snapshots
from crypto_assets.resources.accounts.store import AccountStore
from crypto_assets.resources.engine.engine import Engine
from crypto_assets.resources.instance import RunProcess, running_runs
from crypto_assets.resources.market_data.refresh import clear_left_behind
from crypto_assets.resources.notifier.notifier import Notifier
from crypto_assets.resources.progress import progress
from crypto_assets.resources.storage.lake import Lake
from crypto_assets.resources.warehouse.warehouse import Warehouse
from crypto_assets.spark.job_spec import ACCOUNT_KINDS, ACCOUNT_LAYERS, Layer, LayerResult, Verdict

_DESCRIPTIONS: dict[Layer, str] = {
    "accounts_bronze": "Every line of both files, cell by cell as text.",
    "accounts_silver": "Typed and cleaned customers and accounts.",
    "customer_accounts": "One row per account with its customer, by year of creation; also in SQL.",
    "customer_account_store": "The key-value table that applications read; only changes go to it.",
}
_KINDS: dict[Layer, set[str]] = {
    "accounts_bronze": {"parquet"},
    "accounts_silver": {"parquet"},
    "customer_accounts": {"parquet", "duckdb"},
    "customer_account_store": {"duckdb"},
}


class CustomerAccountsConfig(dg.Config):
    """What a person may say to a run of customer accounts."""

    confirm_mass_delete: bool = Field(
        default=False,
        description="Delete however many accounts are missing from the snapshot.",
    )


@dg.multi_asset(
    name="customer_accounts",
    specs=list(
        layer_specs(ACCOUNT_LAYERS, map(file_key, ACCOUNT_KINDS), "accounts", _DESCRIPTIONS, _KINDS)
    ),
    check_specs=[check_spec],
    partitions_def=snapshot_partitions,
    can_subset=True,
    pool=POOL,
)
def customer_accounts(
    context: dg.AssetExecutionContext,
    config: CustomerAccountsConfig,
    engine: dg.ResourceParam[Engine],
    snapshots: Snapshots,
    lake: Lake,
    warehouse: dg.ResourceParam[Warehouse],
    account_store: dg.ResourceParam[AccountStore],
    notifier: dg.ResourceParam[Notifier],
    process: RunProcess,  # noqa: ARG001 - notes the run's process by being asked for
) -> Iterator[dg.AssetCheckResult]:
    """Refreshes the selected layers of the snapshot; fails naming the layer that failed."""
    layers = [
        layer for layer in ACCOUNT_LAYERS if dg.AssetKey(layer) in context.selected_asset_keys
    ]
    results = refresh_accounts(
        AccountsPlatform(snapshots, engine, lake, warehouse, account_store, notifier),
        context.partition_key,
        layers,
        context.run.run_id,
        on_layer=functools.partial(_report, context),
        max_deleted_share=1.0 if config.confirm_mass_delete else account_store.max_deleted_share,
    )
    failed: list[Verdict] = []
    profile: dict | None = None
    with retrying_passing_faults():
        for result in results:
            if isinstance(result, Superseded):
                _observe(context, result)
                continue
            for verdict in result.verdicts:
                found = verdict.measures.pop(CHECK, None)
                facts = {CHECK: dg.MetadataValue.json(found)} if found else {}
                context.log_event(event(verdict, {"seconds": round(result.seconds, 3), **facts}))
                profile = found or profile
            failed += [verdict for verdict in result.verdicts if not verdict.passed]
        clear_left_behind(engine, lake, running_runs(context.instance))
    if failed:
        raise failure(failed, 1, "snapshot")
    if profile and context.selected_asset_check_keys:
        yield check_result(profile)


def _observe(context: dg.AssetExecutionContext, superseded: Superseded) -> None:
    """Says why an older snapshot has no part in these layers; that is no failure."""
    context.log.info(
        "%s: %s hold the newer snapshot %s, nothing to do",
        *(superseded.snapshot, " and ".join(superseded.layers), superseded.by),
    )
    for layer in superseded.layers:
        metadata = {SUPERSEDED: superseded.by}
        observation = dg.AssetObservation(layer, partition=superseded.snapshot, metadata=metadata)
        context.log_event(observation)


def _report(context: dg.AssetExecutionContext, result: LayerResult) -> None:
    progress(result.layer, 1, 1)
    passed = "passed" if result.passed else "did not pass"
    context.log.info("%s %s in %.1f s", result.layer, passed, result.seconds)
