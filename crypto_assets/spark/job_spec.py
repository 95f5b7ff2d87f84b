"""The job spec that a job receives, and the verdicts it gives back.

Plain dataclasses that survive JSON, so that the same spec reaches a session in this process or a
job on another machine. Nothing here knows a data set, Spark, Dagster or where files live.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Upload:
    """One uploaded file, pinned at the content it had when the job spec was written.

    `etag` is the SHA-256 of the content in hexadecimal, `name` the name its owner gave the file.
    """

    uri: str
    name: str
    etag: str


@dataclass(frozen=True)
class Partition:
    """One partition to compute: its files by kind, and what else its data set has to know.

    `facts` are values that JSON knows; each data set's job says which.
    """

    name: str
    files: dict[str, Upload]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JobSpec:
    """All that one job computes: these layers of these partitions, in order.

    `job` is the module of the data set's job. A layer computed here is written below `staging`; an
    input that is not is read from `lake`. `optional` are the paths of the optional tables that are
    wanted with their layers. `readers` uploads are read at a time. `each` says that the job
    computes partition by partition.
    """

    job: str
    staging: str
    lake: str
    layers: tuple[str, ...]
    partitions: tuple[Partition, ...]
    optional: tuple[str, ...] = ()
    readers: int = 1
    each: bool = False


@dataclass(frozen=True)
class Finding:
    """A rule that a layer of one partition breaks: what was expected, what was found.

    `problem` says it in words; `examples` are the first of the lines or days at fault, as text.
    One that only `warns` keeps nothing from being published.
    """

    rule: str
    problem: str
    expected: Any = None
    found: Any = None
    examples: tuple[str, ...] = ()
    warns: bool = False


@dataclass(frozen=True)
class Verdict:
    """Whether one layer of one partition passed its audit, what was measured, and what is wrong.

    `version` names what the layer was made from; whoever wrote the job spec adds it. A layer that
    holds a newer partition already was not made: `superseded_by` names that one. Where the problems
    are `passing`, another run may pass with the same uploads. A job that makes a partition's files
    by itself says what they are: `files` has their bytes, by the folder of the lake they are for,
    and `seconds` is what they took. `shown` is Markdown for people, by name, and `findings` are the
    rules that are broken, some of them behind the problems; neither is kept.
    """

    partition: str
    layer: str
    problems: tuple[str, ...] = ()
    measures: dict[str, Any] = field(default_factory=dict)
    version: str = ""
    superseded_by: str = ""
    passing: bool = False
    files: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    shown: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems and not self.superseded_by


@dataclass(frozen=True)
class LayerResult:
    """The verdicts of one layer, one for each partition that reached it, and the seconds it took.

    `staging` is below which its files are.
    """

    layer: str
    seconds: float
    verdicts: tuple[Verdict, ...]
    staging: str = ""

    @property
    def passed(self) -> tuple[str, ...]:
        return tuple(v.partition for v in self.verdicts if v.passed)


@dataclass(frozen=True)
class Answer:
    """What became of one partition of a job spec: its verdicts in the order of the layers.

    Or the `fault` of the file system that kept it from being computed: number, text and file.
    """

    verdicts: tuple[Verdict, ...] = ()
    fault: tuple[int | None, str, str | None] | None = None


def to_json(part: JobSpec | LayerResult | Answer) -> str:
    """One of these as JSON; dates among the measures become ISO text."""
    return json.dumps(vars(part), default=_plain)


def _plain(value: Any) -> Any:
    return vars(value) if dataclasses.is_dataclass(value) else str(value)


def spec_from_json(text: str) -> JobSpec:
    """The job spec that `to_json` wrote; lists among the facts stay lists."""
    spec = json.loads(text)
    partitions = tuple(
        Partition(
            partition["name"],
            {kind: Upload(**upload) for kind, upload in partition["files"].items()},
            partition["facts"],
        )
        for partition in spec["partitions"]
    )
    tuples = {name: tuple(spec[name]) for name in ("layers", "optional")}
    return JobSpec(**{**spec, **tuples, "partitions": partitions})


def result_from_json(text: str) -> LayerResult:
    """The result that `to_json` wrote."""
    result = json.loads(text)
    return LayerResult(**{**result, "verdicts": _verdicts(result["verdicts"])})


def answer_from_json(text: str) -> Answer:
    """The answer that `to_json` wrote."""
    answer = json.loads(text)
    return Answer(_verdicts(answer["verdicts"]), answer["fault"])


def _verdicts(documents: list[dict[str, Any]]) -> tuple[Verdict, ...]:
    return tuple(map(_verdict, documents))


def _verdict(document: dict[str, Any]) -> Verdict:
    findings = [
        Finding(**{**each, "examples": tuple(each["examples"])}) for each in document["findings"]
    ]
    tuples = {"problems": tuple(document["problems"]), "findings": tuple(findings)}
    return Verdict(**{**document, **tuples})
