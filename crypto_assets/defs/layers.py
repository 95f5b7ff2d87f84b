"""The layers of a data set: one step that refreshes any of its partitions and layers.

One step for all layers, because a batch must let good partitions through every layer while a bad
one stops where it broke. How a partition is refreshed is in `resources/`; here it becomes events.
"""

import functools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from posixpath import commonpath
from typing import Any

import dagster as dg

from crypto_assets.defs.account_profile import Check
from crypto_assets.defs.checks import PartitionChecks
from crypto_assets.defs.files import file_key
from crypto_assets.defs.measured import measured
from crypto_assets.defs.partitions import partitions_named
from crypto_assets.defs.verdicts import POOL, event, failure, retrying_passing_faults
from crypto_assets.event_log.batches import log_asset_events
from crypto_assets.resources.data_set.refresh import Refresh, clear_left_behind
from crypto_assets.resources.home.instance import running_runs
from crypto_assets.resources.metrics.metrics import Metrics
from crypto_assets.resources.progress import progress
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.job_spec import LayerResult, Verdict
from crypto_assets.spark.tables import Table
from crypto_assets.spark.version import code_version


@dataclass(frozen=True)
class Shown:
    """What people see of the layers beside what the data set says.

    `kinds` are what layers are kept in, in Dagster's words, if not in Parquet alone. `lake` is the
    lake's URI, `owners` are whom to ask.
    """

    kinds: Mapping[str, set[str]] = field(default_factory=dict)
    lake: str = ""
    owners: Sequence[str] = ()


def layers_asset(
    data_set: DataSet,
    shown: Shown,
    *,
    options: dict[str, dg.Field] | None = None,
    check: Check | None = None,
    checks: PartitionChecks | None = None,
) -> dg.AssetsDefinition:
    """The data set's layers as one asset function, which asks for its refresh as a resource.

    `options` are what a person may say to a run; they are handed to `Refresh.with_options`.
    `check` is one of a run, `checks` are of each partition.
    """
    specs = [*([check.spec] if check else []), *(checks.specs if checks else [])]
    beside = checks.resources if checks else ()

    @dg.multi_asset(
        name=data_set.name,
        specs=list(layer_specs(data_set, shown)),
        check_specs=specs or None,
        partitions_def=partitions_named(data_set.partition),
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run() if data_set.batched else None,
        pool=POOL,
        config_schema=options or {},
        required_resource_keys={data_set.name, "process", "metrics", *beside},
    )
    def layers(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
        """Refreshes the selected layers of the selected partitions; fails naming what failed."""
        own: Refresh = getattr(context.resources, data_set.name)
        chosen = own.with_options(context.op_execution_context.op_config)
        yield from _refreshed(context, chosen, check, checks)

    return layers


def layer_specs(data_set: DataSet, shown: Shown) -> Iterator[dg.AssetSpec]:
    """The specs of the layers, each made from the one before, the first one from the files."""
    deps, code = [file_key(kind) for kind in data_set.files], _code(data_set)
    for layer, holds in data_set.layers.items():
        yield dg.AssetSpec(
            layer,
            deps=deps,
            skippable=True,
            description=holds,
            group_name=data_set.name,
            code_version=code_version(data_set.job),
            kinds=shown.kinds.get(layer, {"parquet"}),
            tags={"data_set": data_set.name},
            owners=shown.owners,
            metadata={**_places(data_set, layer, shown), **_columns(data_set, layer), **code},
        )
        deps = [dg.AssetKey(layer)]


def _places(data_set: DataSet, layer: str, shown: Shown) -> dict[str, Any]:
    """Where the layer's tables are: in the lake, in the warehouse."""
    places: dict[str, Any] = {}
    tables = _tables(data_set, layer)
    if tables and shown.lake:
        common = commonpath([table.path for table in tables])
        places["dagster/uri"] = f"{shown.lake}/{common}"
    if layer in data_set.sql:
        places["dagster/table_name"] = data_set.sql[layer].path
    return places


def _tables(data_set: DataSet, layer: str) -> list[Table]:
    """The layer's tables in the lake."""
    return [table for table in data_set.tables_of(layer) if not table.optional]


def _columns(data_set: DataSet, layer: str) -> dict[str, Any]:
    """The columns of the layer's tables, each once, and what a row of each table is."""
    loaded = [data_set.sql[layer]] if layer in data_set.sql else []
    tables = _tables(data_set, layer) or loaded
    columns = {
        column.name: dg.TableColumn(
            column.name,
            column.type,
            column.holds or None,
            dg.TableColumnConstraints(nullable=not column.required),
        )
        for table in tables
        for column in table.columns
    }
    if not columns:
        return {}
    rows = [f"a row of `{table.path}` is {table.row}" for table in tables if table.row]
    schema = dg.TableSchema([*columns.values()], dg.TableConstraints(rows))
    return {"dagster/column_schema": schema}


def _code(data_set: DataSet) -> dict[str, Any]:
    """Where the code is that computes the data set."""
    found = find_spec(data_set.job)
    if found is None or found.origin is None:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # the pinned version has them
        job = dg.LocalFileCodeReference(file_path=found.origin, label="the job that computes it")
        return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[job])}


def _refreshed(
    context: dg.AssetExecutionContext,
    refresh: Refresh,
    check: Check | None,
    checks: PartitionChecks | None,
) -> Iterator[dg.AssetCheckResult]:
    instance, run_id, data_set = context.instance, context.run.run_id, refresh.data_set
    partitions = list(context.partition_keys)
    checked_assets = {key.asset_key for key in context.selected_asset_check_keys}
    wanted = context.selected_asset_keys | checked_assets  # a check alone is made with its layer
    layers = [name for name in data_set.layers if dg.AssetKey(name) in wanted]
    report = functools.partial(_report, context, len(partitions))
    log_checks = checks.of_run(context) if checks else None
    failed: list[Verdict] = []
    checked: dict[str, Any] | None = None
    metrics: Metrics = context.resources.metrics
    with measured(context, metrics, data_set), retrying_passing_faults():
        for results in refresh.run(partitions, layers, run_id, report):
            events = []
            for result in results:
                metrics.layer_made(data_set, result)
                facts = {"batch": f"{result.seconds:.1f} s for {len(result.verdicts):,}"}
                for verdict in result.verdicts:
                    found = verdict.measures.pop(check.name, None) if check else None
                    checked = found or checked
                    shown = {check.name: dg.MetadataValue.json(found)} if check and found else {}
                    events.append(event(verdict, {**facts, **shown}))
                failed += [verdict for verdict in result.verdicts if verdict.problems]
            log_asset_events(context, events)
            if log_checks:
                log_checks(results)
            progress("record", len(events), len(partitions) * len(layers))
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
