"""The partitionings of the graph, one for each data set; partitions are added as they register."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache

import dagster as dg

from crypto_assets.resources.home.instance import UNFINISHED
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.printable import first_of

SHOWN_NAMES = 20  # in a tag of a run
RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@cache
def partitions_named(name: str) -> dg.DynamicPartitionsDefinition:
    """The partitioning of the data set whose partitions are called so."""
    return dg.DynamicPartitionsDefinition(name=name)


def contiguous(ordered: Sequence[str], wanted: Collection[str]) -> Iterator[list[str]]:
    """Splits the wanted keys into the longest stretches that are side by side in `ordered`."""
    stretch: list[str] = []
    chosen = set(wanted)
    for key in ordered:
        if key in chosen:
            stretch.append(key)
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def run_scopes(
    instance: dg.DagsterInstance, data_set: DataSet, wanted: Collection[str]
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The partitions of each run that is needed to cover those wanted, and its tags.

    Adds partitions that are new. A run of a batched data set covers a range of the partitions in
    the order they were registered; of another one, a single partition.
    """
    instance.add_dynamic_partitions(data_set.partition, list(wanted))
    if not data_set.batched:
        for name in sorted(wanted):
            yield [name], {"dagster/partition": name}
        return
    for stretch in contiguous(instance.get_dynamic_partitions(data_set.partition), wanted):
        of_range = dict(zip(RANGE_TAGS, (stretch[0], stretch[-1]), strict=True))
        yield stretch, {**of_range, f"{data_set.partition}s": first_of(stretch, SHOWN_NAMES)}


def range_of(run: dg.DagsterRun) -> tuple[str, str]:
    """The first and the last partition of a run, as its tags say; empty where they say none."""
    one = run.tags.get("dagster/partition", "")
    first, last = (run.tags.get(tag, one) for tag in RANGE_TAGS)
    return first, last


def covered(instance: dg.DagsterInstance, data_set: DataSet) -> set[str]:
    """The partitions that a run will compute or computes."""
    return {name for names in _unfinished(instance, data_set) for name in names}


def _unfinished(instance: dg.DagsterInstance, data_set: DataSet) -> Iterator[list[str]]:
    """The partitions of each run of the data set that has not ended, in their order."""
    order = instance.get_dynamic_partitions(data_set.partition)
    places = {name: place for place, name in enumerate(order)}
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED, *UNFINISHED])):
        if run.asset_selection is not None and not is_of(run, data_set):
            continue
        first, last = range_of(run)
        if first in places and last in places:
            yield list(order[places[first] : places[last] + 1])


def is_of(run: dg.DagsterRun, data_set: DataSet) -> bool:
    """Whether the run was asked for layers of the data set."""
    selected = run.asset_selection or ()
    return any(key.to_user_string() in data_set.layers for key in selected)
