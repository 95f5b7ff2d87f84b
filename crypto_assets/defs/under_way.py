"""Which partitions a run covers that has not ended; Dagster is only opened where one has not.

Also takes over what earlier versions left in Dagster's events, once in the life of a home.
"""

from __future__ import annotations

from collections.abc import Sequence

from crypto_assets.resources.data_set.published import Published
from crypto_assets.resources.home import has_unfinished_runs
from crypto_assets.resources.settings import Settings


def under_way(settings: Settings, looked_at: Sequence[Published]) -> list[set[str]]:
    """The partitions of each of these data sets that a run will compute or computes.

    Runs whose process is dead are marked as failed before.
    """
    taken_over = all(each.outcomes.is_taken_over(each.registry.data_set.name) for each in looked_at)
    if taken_over and not has_unfinished_runs(settings):
        return [set() for _ in looked_at]

    from crypto_assets.defs.partitions import covered
    from crypto_assets.defs.take_over import take_over
    from crypto_assets.resources.instance import open_instance

    with open_instance(settings) as instance:
        for each in looked_at:
            take_over(instance, each.registry, each.outcomes)
        return [covered(instance, each.registry.data_set) for each in looked_at]
