"""What is measured of runs, layers and the inbox: the names of the metrics and what each means.

Names and units follow OpenTelemetry's semantic conventions. An attribute has few values, all known
from the code: never a partition's name or a message. Where the metrics go is the matter of an
implementation, such as `otlp`; the one here measures nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crypto_assets.resources.settings import Settings
from crypto_assets.spark.data_set import DataSet
from crypto_assets.spark.job_spec import LayerResult, Verdict

Kind = Literal["counter", "gauge"]
_OF = "crypto_assets"
DATA_SET, LAYER, OUTCOME = f"{_OF}.data_set", f"{_OF}.layer", f"{_OF}.outcome"
VERDICT, REASON = f"{_OF}.verdict", f"{_OF}.reason"

REASONS = {
    "upload": "a file, or a line of it, is refused: its owner has to upload another one",
    "audit": "what was computed did not pass its audit, or would shrink what is published",
    "load": "the warehouse or the store refused this partition",
    "passing": "another run may pass with the same uploads: a conflict, a service, a permission",
    "newer": "the layer holds a newer partition already",
}


@dataclass(frozen=True)
class Metric:
    """One metric: its unit in UCUM, its attributes, and what its value is."""

    name: str
    kind: Kind
    unit: str
    attributes: tuple[str, ...]
    holds: str

    def markdown(self) -> str:
        """The metric as a row of the table in `docs/metrics.md`."""
        attributes = ", ".join(f"`{name}`" for name in self.attributes)
        cells = f"`{self.name}`", self.kind, f"`{self.unit}`", attributes, self.holds
        return f"| {' | '.join(cells)} |"


STARTED = Metric(f"{_OF}.run.started", "counter", "{run}", (DATA_SET,), "runs that began")
ENDED = Metric(
    f"{_OF}.run.ended",
    "counter",
    "{run}",
    (DATA_SET, OUTCOME),
    "runs that ended; the outcome is `succeeded` or `failed`",
)
VERDICTS = Metric(
    f"{_OF}.layer.verdicts",
    "counter",
    "{verdict}",
    (DATA_SET, LAYER, VERDICT, REASON),
    "verdicts on a layer of a ticker or a snapshot: `passed`, or `failed` or `superseded` with a "
    "reason",
)
ROWS = Metric(
    f"{_OF}.layer.rows", "counter", "{row}", (DATA_SET, LAYER), "rows of the layers that passed"
)
TIME = Metric(
    f"{_OF}.layer.time", "counter", "s", (DATA_SET, LAYER), "time that the layer's work took"
)
QUEUE_AGE = Metric(
    f"{_OF}.queue.age",
    "gauge",
    "s",
    (),
    "time that the oldest upload waits for a decision whose it is; 0 if none waits",
)
METRICS = (STARTED, ENDED, VERDICTS, ROWS, TIME, QUEUE_AGE)


class Metrics:
    """The metrics of this process, which are not kept: the default."""

    @classmethod
    def of(cls, settings: Settings) -> Metrics:  # noqa: ARG003 - an implementation needs them
        """The metrics as the settings want them."""
        return cls()

    def run_started(self, data_set: DataSet) -> None:
        """A run on this data set began."""

    def run_ended(self, data_set: DataSet, outcome: Literal["succeeded", "failed"]) -> None:
        """A run on this data set ended."""

    def layer_made(self, data_set: DataSet, result: LayerResult) -> None:
        """A layer has its verdicts on some partitions."""

    def queue_looked_at(self, age: float) -> None:
        """The oldest upload of the inbox waits for so many seconds."""

    def send(self) -> None:
        """Sends what was measured since the last time; returns within seconds and never raises."""

    def check(self) -> str:
        """Says where the metrics go. Raises `UsageError` if nobody takes them there."""
        return "off"


def rows_of(verdict: Verdict) -> int | None:
    """The rows of all tables of the layer; None if none were counted."""
    of_tables = (m for m in (verdict.measures, *verdict.measures.values()) if isinstance(m, dict))
    counts: list[int] = [each["rows"] for each in of_tables if "rows" in each]
    return sum(counts) if counts else None


def reason(data_set: DataSet, verdict: Verdict) -> str:
    """Why a layer did not pass: one of `REASONS`."""
    if verdict.superseded_by:
        return "newer"
    if verdict.passing:
        return "passing"
    if data_set.layer_before(verdict.layer) is None:
        return "upload"
    return "audit" if data_set.tables_of(verdict.layer) else "load"
