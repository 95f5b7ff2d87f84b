"""What is published of a data set, for people who look: needs neither engine nor warehouse."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from crypto_assets.resources.data_set.outcomes import Outcomes
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.storage.lake import Lake

AT_A_TIME = 1_000  # partitions whose manifests are in memory
LOOKED_UP = 20  # partitions: the files of more are listed where each look-up is a request


@dataclass(frozen=True)
class Published:
    """The partitions of a data set, their outcomes, and the lake they are published in.

    `gone` are the layers whose own place, such as the warehouse's file, is not there.
    """

    registry: Registry
    outcomes: Outcomes
    lake: Lake
    gone: Collection[str] = ()

    def missing(self, partitions: Collection[str]) -> dict[str, dict[str, str]]:
        """What is wrong with what was published of these partitions, by partition and layer."""
        data_set = self.registry.data_set
        objects = self.lake.objects
        etag_at: Callable[[str], str | None] = objects.etag
        if len(partitions) > LOOKED_UP and objects.workers > 1:
            folders = {table.path for table in data_set.tables}
            etags = {o.key: o.etag for path in folders for o in self.lake.parquet_files(path)}
            etag_at = etags.get
        wrong: dict[str, dict[str, str]] = {}
        names = list(partitions)
        for at in range(0, len(names), AT_A_TIME):
            manifests = self.lake.manifests(data_set, names[at : at + AT_A_TIME])
            wrong |= self.lake.unsealed(data_set, manifests, tuple(data_set.layers), etag_at)
        for layer in self.gone:
            for partition in partitions:
                wrong.setdefault(partition, {})[layer] = f"the {layer} is missing"
        return wrong
