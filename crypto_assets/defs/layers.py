"""The layers of a data set as Dagster knows them: one asset after the other, each of the last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import dagster as dg

from crypto_assets.spark.job_spec import Layer
from crypto_assets.spark.version import DataSet, code_version


def layer_specs(
    layers: Sequence[Layer],
    files: Iterable[dg.AssetKey],
    data_set: DataSet,
    descriptions: Mapping[Layer, str],
    kinds: Mapping[Layer, set[str]],
) -> Iterator[dg.AssetSpec]:
    """The specs of these layers, the first one made from `files`, in the group of the data set."""
    deps = list(files)
    for layer in layers:
        yield dg.AssetSpec(
            layer,
            deps=deps,
            skippable=True,
            description=descriptions[layer],
            group_name=data_set,
            code_version=code_version(data_set),
            kinds=kinds[layer],
        )
        deps = [dg.AssetKey(layer)]
