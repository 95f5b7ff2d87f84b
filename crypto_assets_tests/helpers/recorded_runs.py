"""A small graph of two partitioned assets, whose runs leave events of every kind in a log."""

import warnings
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from crypto_assets.event_log.batches import AssetEvent, log_asset_events, materialized_last
from crypto_assets.event_log.checks import partitions_by_status

PARTITIONS = dg.DynamicPartitionsDefinition(name="city")
LAYERS = ("rain", "floods")
RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
CHECK = dg.AssetCheckKey(dg.AssetKey("floods"), "dry")
DEPTH = dg.AssetCheckKey(dg.AssetKey("rain"), "depth")
STOCK = "telemetry: {enabled: false}\n"
BATCHING = f"""{STOCK}
event_log_storage:
  module: crypto_assets.event_log.storage
  class: BatchingSqliteEventLogStorage
  config: {{}}
"""


def open_log(folder: Path, configuration: str = BATCHING) -> dg.DagsterInstance:
    """An instance in this folder, whose event log is the batching one or Dagster's own."""
    folder.mkdir(exist_ok=True)
    (folder / "dagster.yaml").write_text(configuration)
    return dg.DagsterInstance.from_config(str(folder))


def _check_specs() -> Iterator[dg.AssetCheckSpec]:
    """A check of all cities together, and one of each city."""
    yield dg.AssetCheckSpec("dry", asset="floods")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        yield dg.AssetCheckSpec("depth", asset="rain", partitions_def=PARTITIONS)


@dg.multi_asset(
    specs=[
        dg.AssetSpec("rain", skippable=True),
        dg.AssetSpec("floods", deps=["rain"], skippable=True),
    ],
    check_specs=list(_check_specs()),
    partitions_def=PARTITIONS,
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.single_run(),
    config_schema={
        "broken": dg.Field([str], default_value=[]),
        "batches": dg.Field(bool, default_value=True),
    },
)
def weather(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Materializes both layers of each partition; of a broken one it observes the problem."""
    config = context.op_execution_context.op_config
    for layer in LAYERS:
        events = [_event(layer, city, config["broken"]) for city in context.partition_keys]
        _log(context, events, batches=config["batches"])
    found = [_depth(context.instance, city, config["broken"]) for city in context.partition_keys]
    _log(context, found, batches=config["batches"])
    if config["broken"]:
        raise dg.Failure(f"{config['broken']} failed", allow_retries=False)
    if context.selected_asset_check_keys:
        yield dg.AssetCheckResult(passed=True, check_name="dry", asset_key="floods")


def _event(
    layer: str, city: str, broken: Collection[str]
) -> dg.AssetMaterialization | dg.AssetObservation:
    if city in broken:
        return dg.AssetObservation(layer, partition=city, metadata={"problem": "no gauge"})
    tags = {"dagster/data_version": f"{layer} of {city}"}
    return dg.AssetMaterialization(layer, partition=city, metadata={"mm": 3}, tags=tags)


def _log(context: dg.AssetExecutionContext, events: Sequence[AssetEvent], *, batches: bool) -> None:
    if batches:
        log_asset_events(context, events)
        return
    for event in events:
        context.log_event(event)


def _depth(
    instance: dg.DagsterInstance, city: str, broken: Collection[str]
) -> dg.AssetCheckEvaluation:
    """The check of a city, on what was last materialized of it."""
    return dg.AssetCheckEvaluation(
        asset_key=DEPTH.asset_key,
        check_name=DEPTH.name,
        passed=city not in broken,
        description="no gauge" if city in broken else None,
        partition=city,
        target_materialization_data=materialized_last(instance, [DEPTH.asset_key], [city]).get(
            (DEPTH.asset_key, city)
        ),
    )


_ASSETS = dg.AssetSelection.assets(*LAYERS)
DEFINITIONS = dg.Definitions(
    [weather],
    jobs=[
        dg.define_asset_job("observe", _ASSETS.without_checks()),
        dg.define_asset_job("observe_and_check", _ASSETS),
    ],
)


def record_run(
    instance: dg.DagsterInstance,
    cities: Sequence[str],
    broken: Collection[str] = (),
    *,
    job: str = "observe",
    batches: bool = True,
) -> str:
    """Runs the graph over these cities, which are side by side; returns the run's id."""
    instance.add_dynamic_partitions("city", list(cities))
    config = {"broken": list(broken), "batches": batches}
    result = DEFINITIONS.resolve_job_def(job).execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config={**QUIET, "ops": {"weather": {"config": config}}},
        tags=dict(zip(RANGE_TAGS, (cities[0], cities[-1]), strict=True)),
    )
    return result.run_id


def gauges(cities: Sequence[str], mm: int = 3) -> list[dg.AssetMaterialization]:
    """Materializations to report outside of any run."""
    return [
        dg.AssetMaterialization("gauge", partition=city, metadata={"mm": mm}) for city in cities
    ]


def levels(cities: Sequence[str]) -> list[dg.AssetCheckEvaluation]:
    """Evaluations of a check of the gauges, to report outside of any run."""
    return [
        dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey("gauge"), check_name="level", passed=True, partition=city
        )
        for city in cities
    ]


def statuses(instance: dg.DagsterInstance) -> dict[str, Any]:
    """The status of each partition of each layer and of a check, and the versions of the data."""
    cities = instance.get_dynamic_partitions("city")
    found: dict[str, Any] = {}
    for layer in LAYERS:
        key = dg.AssetKey(layer)
        found[layer] = instance.get_status_by_partition(key, cities, PARTITIONS)
        found[f"{layer} versions"] = instance.event_log_storage.get_latest_tags_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
        )
    return found | {"depth": partitions_by_status(instance, DEPTH, PARTITIONS)}
