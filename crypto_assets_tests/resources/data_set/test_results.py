"""Which results belong together, and when they are known to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crypto_assets.resources.data_set.results import together
from crypto_assets.spark.job_spec import LayerResult, Verdict


def result(layer: str, *names: str) -> LayerResult:
    return LayerResult(layer, 0.0, tuple(Verdict(name, layer) for name in names))


def computing(asked: list[str]) -> Iterator[LayerResult]:
    for each in (
        result("bronze", "A", "B"),
        result("gold", "A", "B"),
        result("bronze", "C"),  # which fails: it has no gold
        result("bronze", "D", "E"),
        result("gold", "D"),
    ):
        asked.append(f"{each.layer} {each.verdicts[0].partition}")
        yield each
    asked.append("the end")
    raise ConnectionError


@pytest.mark.parametrize(
    ("count", "asked_before"),
    [
        # The third waits for the end: who computes may still say that none of it counts.
        (5, ["gold A", "bronze D", "the end"]),
        (6, ["gold A", "bronze D", "gold D", "the end"]),
    ],
)
def test_results_are_given_as_soon_as_the_last_layer_of_their_partitions_is_there(
    count, asked_before
):
    asked, given, before = [], [], []
    for group, fault in together(computing(asked), lambda _: None, "gold", count):
        before.append(asked[-1])
        given += [(each.layer, [v.partition for v in each.verdicts], fault) for each in group]
    assert before == asked_before
    assert [(layer, names) for layer, names, _ in given] == [
        ("bronze", ["A", "B"]),
        ("gold", ["A", "B"]),
        ("bronze", ["C"]),
        ("bronze", ["D", "E"]),
        ("gold", ["D"]),
    ]
    assert isinstance(fault, ConnectionError)
