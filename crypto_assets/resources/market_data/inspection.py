"""What the reader makes of one upload: worked out in this process, or as a job in a worker process.

The job is one of `spark/each`: a process that its file kills, or keeps too long, is that file's
fault alone. It imports neither Dagster nor pandas.
"""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from crypto_assets.resources.data_set.attempt import BROKE
from crypto_assets.resources.engine.workers import Workers
from crypto_assets.resources.errors import UnclearError
from crypto_assets.spark.job_spec import (
    Answer,
    JobSpec,
    Partition,
    Upload,
    Verdict,
    answer_from_json,
    spec_from_json,
    to_json,
)
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets.spark.problems import ReadError

if TYPE_CHECKING:
    from crypto_assets.spark.exports import Export, Options

CPU_SECONDS = 10.0  # the reader takes 100,000 lines; where each is bad, they need 4
_LAYER = "inspection"


@dataclass(frozen=True)
class Reading:
    """How an upload of this file name is to be read.

    `terms` are the words that mean its currency. Where it is not `certain` whose it is, another
    coin's term in it says that.
    """

    file: str
    choices: Choices = field(default_factory=Choices)
    terms: tuple[str, ...] = ()
    kind: str | None = None
    certain: bool = False

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Reading:
        """The reading in a document that JSON gave."""
        choices, terms = Choices.from_json(document["choices"]), tuple(document["terms"])
        return cls(**{**document, "choices": choices, "terms": terms})

    @property
    def options(self) -> Options:
        options = self.choices.reading(self.terms, self.kind, self.file)
        return options if self.certain else replace(options, others=frozenset())


@dataclass(frozen=True)
class Inspected:
    """What an upload is: its kind, source, search term and value's column (as in `Export`).

    `facts` are what is shown of it: its rows and days, how it is written, its problems.
    """

    kind: str
    source: str
    term: str | None
    column: str | None
    facts: dict[str, Any]


def inspect(content: bytes, reading: Reading) -> Inspected:
    """Reads an upload. Raises `ReadError` if it cannot be read with certainty."""
    from crypto_assets.spark.exports import read_export

    return inspected(read_export(io.BytesIO(content), reading.options))


def inspected(export: Export) -> Inspected:
    """What an upload is that was read."""
    from crypto_assets.spark.market_data.bronze import reading_facts
    from crypto_assets.spark.market_data.judge import file_problems, in_short

    facts = {
        "rows": export.rows,
        **reading_facts(export),
        "problems": in_short(file_problems(export)),
        "first_date": str(export.first_date),
        "last_date": str(export.last_date),
    }
    return Inspected(export.kind, export.source, export.term, export.columns.value_name, facts)


def inspect_in(
    workers: Workers, content: bytes, reading: Reading, cpu_s: float = CPU_SECONDS
) -> Inspected:
    """As `inspect`, in a worker process.

    Raises `UnclearError` too: if the file kills its process, or takes more CPU seconds than these.
    """
    facts = {"reading": vars(reading), "cpu_s": cpu_s}
    with workers.file_of(content) as path:
        partition = Partition(reading.file, {_LAYER: Upload(path, reading.file, "")}, facts)
        spec = JobSpec(__name__, "", "", (_LAYER,), (partition,))
        answer = answer_from_json(workers.answer(to_json(spec), _died))
    if answer.fault:
        raise OSError(*answer.fault)
    (verdict,) = answer.verdicts
    if verdict.problems:
        raise UnclearError(verdict.problems[0])
    if "refused" in verdict.measures:
        raise ReadError(verdict.measures["refused"])
    return Inspected(**verdict.measures)


def compute(_: JobSpec, partition: Partition) -> Iterator[Verdict]:
    """The job: `measures` are those of `Inspected`, or say why the file is `refused`."""
    reading = Reading.from_json(partition.facts["reading"])
    with open(partition.files[_LAYER].uri, "rb") as stream:  # noqa: PTH123 - our own file
        content = stream.read()
    signal.setitimer(signal.ITIMER_PROF, partition.facts["cpu_s"])  # ends the process
    try:
        yield Verdict(partition.name, _LAYER, measures=vars(inspect(content, reading)))
    except ReadError as reason:
        yield Verdict(partition.name, _LAYER, measures={"refused": str(reason)})
    except Exception as error:  # noqa: BLE001 - one file must not stop the others
        yield Verdict(partition.name, _LAYER, (BROKE.format(repr(error)),))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _died(piece: str, exit_code: int) -> str:
    (partition,) = spec_from_json(piece).partitions
    reason = f"its process ended with {exit_code}"
    if exit_code == -signal.SIGPROF:
        reason = f"it takes longer than {partition.facts['cpu_s']:g} s"
    return to_json(Answer((Verdict(partition.name, _LAYER, (BROKE.format(reason),)),)))
