"""Rows that a Python function makes inside the engine, so that none passes through the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession


def made(
    session: SparkSession,
    make: Callable[[int], Iterable[pa.RecordBatch]],
    schema: str,
    *,
    count: int = 1,
    tasks: int = 1,
) -> DataFrame:
    """The rows that `make` gives for each number from 0 up to `count`, in so many tasks.

    What they are made from goes with the function. As a DataFrame of texts, however small, it fails
    on a Spark Connect server of 4.1.1 ("Memory was leaked by query").
    """

    def rows(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch["id"].to_pylist():
                yield from make(number)

    return session.range(0, count, 1, tasks).mapInArrow(rows, schema)
