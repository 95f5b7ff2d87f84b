"""Removing a partition while runs wait for it."""

from __future__ import annotations

import dagster as dg
import pytest

from crypto_assets.definitions import defs
from crypto_assets.defs.launch import range_tags
from crypto_assets.defs.partitions import drop_partition, has_partition, ticker_partitions
from crypto_assets.resources.instance import open_instance


@pytest.mark.parametrize(
    ("removed", "stranded"), [("A", {"B", "C"}), ("B", set()), ("C", {"A", "B"}), ("D", set())]
)
def test_waiting_runs_that_begin_or_end_with_a_removed_ticker_strand_the_others(
    settings, removed, stranded
):
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(str(ticker_partitions.name), ["A", "B", "C", "D"])
        instance.create_run_for_job(
            defs().resolve_job_def("refresh_currencies"),
            tags=range_tags(["A", "B", "C"]),
            status=dg.DagsterRunStatus.NOT_STARTED,
        )
        assert drop_partition(instance, removed) == stranded
        assert not has_partition(instance, removed)
