"""Removing a partition while runs wait for it."""

from __future__ import annotations

import dagster as dg
import pytest

from crypto_assets.definitions import defs
from crypto_assets.defs.partitions import drop_partition, run_scopes
from crypto_assets.resources.instance import open_instance
from crypto_assets.spark.market_data.data_set import MARKET_DATA


@pytest.mark.parametrize(
    ("removed", "stranded"), [("A", {"B", "C"}), ("B", set()), ("C", {"A", "B"}), ("D", set())]
)
def test_waiting_runs_that_begin_or_end_with_a_removed_ticker_strand_the_others(
    settings, removed, stranded
):
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(MARKET_DATA.partition, ["A", "B", "C", "D"])
        ((_, tags),) = run_scopes(instance, MARKET_DATA, ["A", "B", "C"])
        instance.create_run_for_job(
            defs().resolve_job_def("refresh_currencies"),
            tags=tags,
            status=dg.DagsterRunStatus.NOT_STARTED,
        )
        assert drop_partition(instance, MARKET_DATA, removed) == stranded
        assert not instance.has_dynamic_partition(MARKET_DATA.partition, removed)
