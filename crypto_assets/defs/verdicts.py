"""Verdicts as Dagster records them: a materialization, an observation of a problem, a failed run.

Shared by the assets of both data sets. How a verdict comes about is the matter of `resources/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg

from crypto_assets.resources.data_set.outcomes import flat
from crypto_assets.resources.errors import BusyError
from crypto_assets.resources.metrics.metrics import rows_of
from crypto_assets.spark.job_spec import Verdict

POOL = "spark"
RETRIES = 2
RETRY_SECONDS = 10
PROBLEM, VERSION, SUPERSEDED = "problem", "version", "superseded_by"
SHOWN_FAILURES = 1_000  # in the table of a run; its log has them all
AGAIN = "materialize it again; a running `crypto-assets ui` does by itself"
CORRECT = "upload a file that is right, as the problem says; it is computed by itself then"


@contextmanager
def retrying_passing_faults() -> Iterator[None]:
    """Asks for another attempt where time may heal; bad data and our own mistakes fail at once."""
    try:
        yield
    except (BusyError, TimeoutError) as error:
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=RETRY_SECONDS) from error


def event(
    verdict: Verdict, metadata: Mapping[str, Any]
) -> dg.AssetMaterialization | dg.AssetObservation:
    """A materialization of the partition, or an observation of why there is none."""
    if not verdict.passed:
        problem = {PROBLEM: "; ".join(verdict.problems), VERSION: verdict.version}
        newer = {SUPERSEDED: verdict.superseded_by}
        return dg.AssetObservation(
            verdict.layer,
            partition=verdict.partition,
            metadata=problem if verdict.problems else newer,
        )
    return dg.AssetMaterialization(
        verdict.layer,
        partition=verdict.partition,
        metadata={
            **flat(verdict.measures),
            **_row_count(verdict),
            **{name: dg.MetadataValue.md(text) for name, text in verdict.shown.items()},
            **metadata,
        },
        tags={"dagster/data_version": verdict.version},
    )


def _row_count(verdict: Verdict) -> dict[str, int]:
    """The rows of the layer, as Dagster names them; empty if none were counted."""
    rows = rows_of(verdict)
    return {} if rows is None else {"dagster/partition_row_count": rows}


def failure(problems: Sequence[Verdict], partitions: int, noun: str) -> dg.Failure:
    """What ends the run: who failed where and why, of so many `noun`s, and what to do."""
    lines = [f"{v.partition} failed at {v.layer}: {' | '.join(v.problems)}" for v in problems]
    failed = len({verdict.partition for verdict in problems})
    heading = f"{failed} of {partitions} {noun}s failed:"
    table = dg.MetadataValue.table([_row(each, noun) for each in problems[:SHOWN_FAILURES]])
    return dg.Failure(
        "\n".join([heading, *lines]),
        metadata={"failed": failed, "failures": table},
        allow_retries=False,
    )


def _row(verdict: Verdict, noun: str) -> dg.TableRecord:
    problem = " | ".join(verdict.problems)
    cure = AGAIN if verdict.passing else CORRECT
    return dg.TableRecord(
        {noun: verdict.partition, "layer": verdict.layer, "problem": problem, "cure": cure}
    )
