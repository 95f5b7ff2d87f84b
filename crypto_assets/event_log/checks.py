"""How the checks of partitions are, as Dagster's UI shows it.

Relied on: `get_asset_check_state`, by which Dagster answers its UI.
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg


def partitions_by_status(
    instance: dg.DagsterInstance, check: dg.AssetCheckKey, partitions: dg.PartitionsDefinition
) -> Mapping[str, set[str]]:
    """The partitions of a check whose status is `SUCCEEDED`, `FAILED` and so on.

    Those are left out that were materialized again since, or were never checked.
    """
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        state = instance.event_log_storage.get_asset_check_state([(check, partitions)])[check]
        return {
            status.value: {*subset.subset_value.get_partition_keys()}
            for status, subset in state.subsets.items()
        }
