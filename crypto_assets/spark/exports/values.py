"""What `history` and `trend` hand back about the value column; only this type."""

from dataclasses import dataclass, field
from typing import Any

from .model import DecimalMark, Granularity, Kind


@dataclass
class Values:
    """`text`: normal-form value per dated row; `problems`: 0-based line -> what is wrong."""

    kind: Kind
    source: str
    column: int
    text: Any
    decimal: DecimalMark
    granularity: Granularity
    term: str | None = None
    problems: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
