"""A small graph of two partitioned assets, whose runs leave events of every kind in a log."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import dagster as dg

PARTITIONS = dg.DynamicPartitionsDefinition(name="city")
LAYERS = ("rain", "floods")
RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FACTS = {"mm": 3}
CHECK = dg.AssetCheckKey(dg.AssetKey("floods"), "dry")


@dg.multi_asset(
    specs=[
        dg.AssetSpec("rain", skippable=True),
        dg.AssetSpec("floods", deps=["rain"], skippable=True),
    ],
    check_specs=[dg.AssetCheckSpec("dry", asset="floods")],
    partitions_def=PARTITIONS,
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.single_run(),
    config_schema={"broken": dg.Field([str], default_value=[])},
)
def weather(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Materializes both layers of each partition; of a broken one it observes the problem."""
    broken = context.op_execution_context.op_config["broken"]
    for city in context.partition_keys:
        for layer in LAYERS:
            if city not in broken:
                tags = {"dagster/data_version": context.run.run_id[:8]}
                made = dg.AssetMaterialization(layer, partition=city, metadata=FACTS, tags=tags)
                context.log_event(made)
            else:
                seen = dg.AssetObservation(layer, partition=city, metadata={"problem": "no gauge"})
                context.log_event(seen)
    if broken:
        raise dg.Failure(f"{broken} failed", allow_retries=False)
    yield dg.AssetCheckResult(passed=True, check_name="dry", asset_key="floods")


DEFINITIONS = dg.Definitions([weather], jobs=[dg.define_asset_job("observe", [*LAYERS])])


def record_run(
    instance: dg.DagsterInstance, cities: Sequence[str], broken: Collection[str] = ()
) -> str:
    """Runs the graph over these cities, which are side by side; returns the run's id."""
    instance.add_dynamic_partitions("city", list(cities))
    result = DEFINITIONS.resolve_job_def("observe").execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config={**QUIET, "ops": {"weather": {"config": {"broken": list(broken)}}}},
        tags=dict(zip(RANGE_TAGS, (cities[0], cities[-1]), strict=True)),
    )
    return result.run_id


def report(instance: dg.DagsterInstance, city: str, mm: int) -> None:
    """Reports a materialization outside of any run."""
    instance.report_runless_asset_event(
        dg.AssetMaterialization("gauge", partition=city, metadata={"mm": mm})
    )


def statuses(instance: dg.DagsterInstance) -> dict[str, Any]:
    """The status of each partition of each layer, and the versions of the data in them."""
    cities = instance.get_dynamic_partitions("city")
    found: dict[str, Any] = {}
    for layer in LAYERS:
        key = dg.AssetKey(layer)
        found[layer] = instance.get_status_by_partition(key, cities, PARTITIONS)
        found[f"{layer} versions"] = instance.event_log_storage.get_latest_tags_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
        )
    return found
