"""The layers of a data set: one step that refreshes any of its partitions and layers.

One step for all layers, because a batch must let good partitions through every layer while a bad
one stops where it broke. How a partition is refreshed is in `resources/`; here it becomes events.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from crypto_assets.defs.account_profile import Check
from crypto_assets.defs.files import file_key
from crypto_assets.defs.partitions import partitions_named
from crypto_assets.defs.verdicts import POOL, event, failure, retrying_passing_faults
from crypto_assets.event_log.batches import log_asset_events
from crypto_assets.resources.data_set.refresh import Refresh, clear_left_behind
from crypto_assets.resources.home.instance import running_runs
from crypto_assets.resources.progress import progress
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.job_spec import LayerResult, Verdict
from crypto_assets.spark.version import code_version


def layers_asset(
    data_set: DataSet,
    kinds: Mapping[str, set[str]],
    *,
    options: dict[str, dg.Field] | None = None,
    check: Check | None = None,
) -> dg.AssetsDefinition:
    """The data set's layers as one asset function, which asks for its refresh as a resource.

    `kinds` are what layers are kept in, in Dagster's words, if not in Parquet alone. `options` are
    what a person may say to a run; they are handed to `Refresh.with_options`.
    """

    @dg.multi_asset(
        name=data_set.name,
        specs=list(layer_specs(data_set, kinds)),
        check_specs=[check.spec] if check else None,
        partitions_def=partitions_named(data_set.partition),
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run() if data_set.batched else None,
        pool=POOL,
        config_schema=options or {},
        required_resource_keys={data_set.name, "process"},
    )
    def layers(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
        """Refreshes the selected layers of the selected partitions; fails naming what failed."""
        own: Refresh = getattr(context.resources, data_set.name)
        chosen = own.with_options(context.op_execution_context.op_config)
        yield from _refreshed(context, chosen, check)

    return layers


def layer_specs(data_set: DataSet, kinds: Mapping[str, set[str]]) -> Iterator[dg.AssetSpec]:
    """The specs of the layers, each made from the one before, the first one from the files."""
    deps = [file_key(kind) for kind in data_set.files]
    for layer, holds in data_set.layers.items():
        yield dg.AssetSpec(
            layer,
            deps=deps,
            skippable=True,
            description=holds,
            group_name=data_set.name,
            code_version=code_version(data_set.job),
            kinds=kinds.get(layer, {"parquet"}),
            metadata=_columns(data_set, layer),
        )
        deps = [dg.AssetKey(layer)]


def _columns(data_set: DataSet, layer: str) -> dict[str, Any]:
    """The columns of the layer's table, where it has one whose columns are described."""
    tables = [table for table in data_set.tables_of(layer) if not table.optional]
    described = [table for table in tables if any(c.holds for c in table.columns)]
    if len(described) != 1:
        return {}
    columns = [dg.TableColumn(c.name, c.type, c.holds or None) for c in described[0].columns]
    return {"dagster/column_schema": dg.TableSchema(columns)}


def _refreshed(
    context: dg.AssetExecutionContext, refresh: Refresh, check: Check | None
) -> Iterator[dg.AssetCheckResult]:
    instance, run_id, data_set = context.instance, context.run.run_id, refresh.data_set
    partitions = list(context.partition_keys)
    layers = [n for n in data_set.layers if dg.AssetKey(n) in context.selected_asset_keys]
    report = functools.partial(_report, context, len(partitions))
    failed: list[Verdict] = []
    checked: dict[str, Any] | None = None
    with retrying_passing_faults():
        for result in refresh.run(partitions, layers, run_id, report):
            facts = {
                "batch_seconds": round(result.seconds, 3),
                "batch_partitions": len(result.verdicts),
            }
            events = []
            for verdict in result.verdicts:
                found = verdict.measures.pop(check.name, None) if check else None
                checked = found or checked
                shown = {check.name: dg.MetadataValue.json(found)} if check and found else {}
                events.append(event(verdict, {**facts, **shown}))
            log_asset_events(context, events)
            progress("record", len(result.verdicts), len(partitions) * len(layers))
            failed += [verdict for verdict in result.verdicts if verdict.problems]
        # At the end: a run that repeats a killed one may go on with what that one left.
        clear_left_behind(refresh.engine, refresh.lake, running_runs(instance))
    if failed:
        raise failure(failed, len(partitions), data_set.partition)
    if check and checked and context.selected_asset_check_keys:
        yield check.result(checked)


def _report(context: dg.AssetExecutionContext, partitions: int, result: LayerResult) -> None:
    progress(result.layer, len(result.verdicts), partitions)
    passed = f"{len(result.passed)} of {len(result.verdicts)} passed"
    context.log.info("%s: %s in %.1f s", result.layer, passed, result.seconds)
