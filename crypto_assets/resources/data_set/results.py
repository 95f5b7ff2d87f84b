"""The results of layers: which belong together, and what stops a partition on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.job_spec import LayerResult, Verdict

OnLayer = Callable[[LayerResult], None]


def stopped(
    data_set: DataSet,
    results: Iterable[LayerResult],
    problems: Mapping[str, tuple[str, str]],
    *,
    passing: bool = False,
) -> list[LayerResult]:
    """Adds each partition's problem to its verdict at that layer; it reaches none behind."""
    order = list(data_set.layers)

    def after(verdict: Verdict) -> Iterator[Verdict]:
        layer, problem = problems.get(verdict.partition, (None, ""))
        if layer is None or order.index(verdict.layer) < order.index(layer):
            yield verdict
        elif verdict.layer == layer:
            soft = passing and not verdict.problems
            yield replace(verdict, problems=(*verdict.problems, problem), passing=soft)

    return [
        replace(result, verdicts=tuple(v for each in result.verdicts for v in after(each)))
        for result in results
    ]


def together(
    results: Iterable[LayerResult], on_layer: OnLayer, last: str, partitions: int
) -> Iterator[tuple[list[LayerResult], Exception | None]]:
    """Results of the same partitions, layer by layer, and the fault that ended the computing early.

    They are given with the `last` layer, while more of so many `partitions` are to come; those of
    the end when the computing has ended. The layers before a fault count.
    """
    group: list[LayerResult] = []
    try:
        for result in results:
            if result.layer in {each.layer for each in group}:
                yield group, None
                group = []
            if not group:
                partitions -= len(result.verdicts)
            group.append(result)
            on_layer(result)
            if result.layer == last and partitions > 0:
                yield group, None
                group = []
    except Exception as fault:  # noqa: BLE001 - raised again when the rest is published
        yield group, fault
    else:
        if group:
            yield group, None
