"""What `history` and `trend` hand back about the value column; only this type."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .days import Settled
from .model import DecimalMark, Granularity, Kind
from .refusals import Line
from .series import Series


@dataclass
class Values:
    """The rows of a file: `series` has their days, `text` the value of each in normal form.

    `problems` and `left_out`: 0-based line -> what is wrong with it, or why it is not a row. `show`
    gives a line for a message. `steps` are all of the price, of which `notes` has the first ones.
    """

    kind: Kind
    source: str
    column: int
    show: Callable[[int], Line]
    series: Series
    text: Any
    decimal: DecimalMark
    granularity: Granularity
    term: str | None = None
    problems: dict[int, str] = field(default_factory=dict)
    left_out: dict[int, str] = field(default_factory=dict)
    chosen: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def take(self, settled: Settled) -> None:
        """Go on with the rows that are kept, by the days they belong to."""
        self.series, self.text = settled.series, settled.of(self.text)
        self.left_out |= settled.left_out
        self.chosen |= settled.chosen
        self.notes += settled.notes
