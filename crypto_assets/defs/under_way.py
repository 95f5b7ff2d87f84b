"""Which partitions a run covers that has not ended; Dagster is only opened where one has not.

Also takes over what earlier versions left in Dagster's events, once in the life of a home.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from crypto_assets.resources.data_set.outcomes import Attempt
from crypto_assets.resources.data_set.published import Published
from crypto_assets.resources.home.state import has_unfinished_runs
from crypto_assets.resources.settings import Settings


@dataclass(frozen=True)
class UnderWay:
    """The partitions of a data set that a run will compute or computes.

    `began` are the attempts that were recorded before runs were looked at: one that is recorded
    later is of a run that may not have been seen.
    """

    partitions: Collection[str]
    began: Mapping[str, Attempt]

    def broke_off(self, attempts: Mapping[str, Attempt]) -> dict[str, Attempt]:
        """Those of the attempts that are recorded now whose run has ended."""
        return {
            name: attempt
            for name, attempt in attempts.items()
            if name not in self.partitions
            and name in self.began
            and self.began[name].run_id == attempt.run_id
        }


def under_way(settings: Settings, looked_at: Sequence[Published]) -> list[UnderWay]:
    """What is under way of each of these data sets; runs of dead processes are marked as failed."""
    began = [each.outcomes.attempts(each.registry.data_set.name) for each in looked_at]
    return list(map(UnderWay, _covered(settings, looked_at), began))


def _covered(settings: Settings, looked_at: Sequence[Published]) -> list[set[str]]:
    taken_over = all(each.outcomes.is_taken_over(each.registry.data_set.name) for each in looked_at)
    if taken_over and not has_unfinished_runs(settings):
        return [set() for _ in looked_at]

    from crypto_assets.defs.partitions import covered
    from crypto_assets.defs.take_over import take_over
    from crypto_assets.resources.home.instance import open_instance

    with open_instance(settings) as instance:
        for each in looked_at:
            take_over(instance, each.registry, each.outcomes)
        return [covered(instance, each.registry.data_set) for each in looked_at]
