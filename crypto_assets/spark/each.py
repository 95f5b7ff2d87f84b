"""Jobs that compute partition by partition: the pieces that any engine can distribute.

A piece is a job spec of one partition, as a line of JSON; its answer is a line of JSON too, with
the verdicts, so that both go through a pipe or a DataFrame. One partition's fault stays its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, cast

from crypto_assets.spark.job_spec import (
    Answer,
    JobSpec,
    LayerResult,
    Partition,
    Verdict,
    answer_from_json,
    spec_from_json,
    to_json,
)
from crypto_assets.spark.made import made

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

_CRASHED = "Python worker exited unexpectedly"  # how Spark says it
PIECES_A_TASK = 50  # a task that is lost costs little
# Computes the layers of one partition; the `compute` of a job module that works partition by
# partition.
Compute = Callable[[JobSpec, Partition], Iterator[Verdict]]


def pieces(spec: JobSpec) -> list[str]:
    """The job specs of the single partitions, in order."""
    return [to_json(replace(spec, partitions=(partition,))) for partition in spec.partitions]


def answer(piece: str) -> str:
    """Computes a piece. An error of the file system is no partition's: it is in the answer."""
    spec = spec_from_json(piece)
    (partition,) = spec.partitions
    compute: Compute = import_module(spec.job).compute
    verdicts: list[Verdict] = []
    try:
        verdicts.extend(compute(spec, partition))
    except OSError as error:
        fault = (error.errno, error.strerror or str(error), error.filename)
        return to_json(Answer(fault=fault))
    except Exception as error:  # noqa: BLE001 - one partition must not fail the others
        verdicts.append(broken(spec, verdicts, f"the job broke on it: {error!r}; please report it"))
    return to_json(Answer(tuple(verdicts)))


def broken(spec: JobSpec, before: list[Verdict], problem: str) -> Verdict:
    """The verdict on the layer after those that passed."""
    (partition,) = spec.partitions
    return Verdict(partition.name, spec.layers[len(before)], (problem,))


def results(spec: JobSpec, answers: Iterable[str], workers: int) -> Iterator[LayerResult]:
    """The verdicts in these answers layer by layer, with the time that so many workers took.

    Raises `OSError` if the file system failed one.
    """
    verdicts: dict[str, list[Verdict]] = {layer: [] for layer in spec.layers}
    for given in map(answer_from_json, answers):
        if given.fault:
            raise OSError(*given.fault)
        for verdict in given.verdicts:
            verdicts[verdict.layer].append(verdict)
    place = {partition.name: number for number, partition in enumerate(spec.partitions)}
    for layer, found in verdicts.items():
        if found:
            found.sort(key=lambda verdict: place[verdict.partition])
            seconds = sum(verdict.seconds for verdict in found) / workers
            yield LayerResult(layer, seconds, tuple(found), spec.staging)


def ended_twice(piece: str, how: str = "") -> str:
    """The answer of a piece that ended two processes; `how` follows in the problem's text."""
    problem = f"the process that computed it was ended twice{how}"
    return to_json(Answer((broken(spec_from_json(piece), [], problem),)))


def on_spark(spark: SparkContext | SparkSession, spec: JobSpec) -> Iterator[LayerResult]:
    """Computes the pieces as one job of Spark's, of many tasks.

    Without Spark SQL where there is a driver in this process: it takes seconds to be there.
    """
    from pyspark import SparkContext

    def answers(given: list[str]) -> list[str]:
        tasks = min(max(spec.readers, len(given) // PIECES_A_TASK), len(given))
        if isinstance(spark, SparkContext):
            return spark.parallelize(given, tasks).mapPartitions(_by_a_task).collect()
        return _by_connect(spark, given, tasks)

    yield from results(spec, _alive(answers, pieces(spec)), spec.readers)


def _alive(
    answers: Callable[[list[str]], list[str]], given: list[str], *, again: bool = False
) -> list[str]:
    """The answers of these pieces; one that ends its process twice has the verdict, and no other.

    The job that failed at it is halved until it is alone.
    """
    if not given:
        return []
    try:
        return answers(given)
    except Exception as error:
        if _CRASHED not in str(error):
            raise
    if again and len(given) == 1:
        return [ended_twice(given[0])]
    half = len(given) // 2
    halves = given[:half], given[half:]
    return [answer for each in halves for answer in _alive(answers, each, again=True)]


def _by_a_task(given: Iterable[str]) -> Iterator[str]:
    from crypto_assets.spark.arrow import compute_on_one_core

    compute_on_one_core()
    return map(answer, given)


def _by_connect(session: SparkSession, given: list[str], tasks: int) -> list[str]:
    """The answers of these pieces where there are DataFrames only."""

    def answered(number: int) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        yield pa.RecordBatch.from_pydict({"answer": [answer(given[number])]})

    found = made(session, answered, "answer string", count=len(given), tasks=tasks)
    return cast("list[str]", found.toArrow()["answer"].to_pylist())
