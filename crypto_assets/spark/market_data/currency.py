"""A currency as its job sees it, and what its owner chose where files or product leave a choice.

What becomes of the choices is `bronze`, `silver` and `audit`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal

from crypto_assets.spark.job_spec import Partition, Upload

if TYPE_CHECKING:
    from crypto_assets.spark.exports import Options


@dataclass(frozen=True)
class Choices:
    """One currency's choices; a new one is a field here and a line in the command.

    A missing price is filled or its row dropped. `max_shrink` is the share of rows (0 to 1) a table
    may lose against its published version. `names` are words that mean this currency in file
    names, columns and search terms. The others say how its files are to be read (see `Options`).
    """

    missing: Literal["fill", "drop"] = "fill"
    dates: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: Literal["dot", "comma"] | None = None
    price: str | None = None
    term: str | None = None
    day: Literal["stated", "next"] | None = None
    duplicates: Literal["first", "last"] | None = None
    accept_outliers: bool = False
    max_shrink: float = 0.2
    names: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Choices:
        """The choices in a document that JSON gave; what it does not name has its default."""
        return cls(**{**document, "names": tuple(document.get("names", ()))})

    def shaping(self) -> dict[str, Any]:
        """The choices that change what is in the tables."""
        chosen = asdict(self)
        del chosen["max_shrink"]
        return chosen

    def reading(
        self,
        terms: tuple[str, ...],
        kind: str | None = None,
        file: str = "",
    ) -> Options:
        """How the reader is to read a file of this kind and name.

        `terms` are the words that mean the currency.
        """
        from crypto_assets.spark.exports import Options

        known = _known()
        chosen = {name: value for name, value in vars(self).items() if name in known}
        return Options(**chosen, terms=terms, kind=kind, file=file, others=_others(terms))


@cache
def _known() -> frozenset[str]:
    """The choices that the reader knows as options."""
    from crypto_assets.spark.exports import Options

    return frozenset(each.name for each in fields(Options))


@lru_cache(maxsize=1)  # both files of a currency ask for the same
def _others(terms: tuple[str, ...]) -> frozenset[str]:
    """The words that mean other coins, where it is known what means this one."""
    from crypto_assets.spark.market_data.coins import coin_words

    return coin_words() - {*terms} if terms else frozenset()


@dataclass(frozen=True)
class Currency:
    """A ticker, its two files by kind, its owner's choices and the words that mean it."""

    ticker: str
    files: dict[str, Upload]
    choices: Choices = Choices()
    terms: tuple[str, ...] = ()

    def partition(self) -> Partition:
        """The currency's part of a job spec."""
        facts = {"choices": vars(self.choices), "terms": self.terms}
        return Partition(self.ticker, self.files, facts)

    @classmethod
    def of(cls, partition: Partition) -> Currency:
        """The currency in a job spec."""
        facts = partition.facts
        return cls(
            partition.name,
            partition.files,
            Choices.from_json(facts["choices"]),
            tuple(facts["terms"]),
        )
