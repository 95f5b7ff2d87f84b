"""Jobs that compute partition by partition: the pieces that any engine can distribute.

A piece is a job spec of one partition, as a line of JSON; its answer is a line of JSON too, with
the verdicts, so that both go through a pipe or a DataFrame. One partition's fault stays its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

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
    from pyspark.sql import SparkSession

_PIECES_A_TASK = 20
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


def on_spark(session: SparkSession, spec: JobSpec) -> Iterator[LayerResult]:
    """Computes the pieces on a session, whose tasks are so small that a lost one costs little."""
    given = pieces(spec)
    tasks = max(spec.readers, len(given) // _PIECES_A_TASK)

    def answered(number: int) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        yield pa.RecordBatch.from_pydict({"answer": [answer(given[number])]})

    found = made(session, answered, "answer string", count=len(given), tasks=tasks).toArrow()
    yield from results(spec, found["answer"].to_pylist(), spec.readers)
