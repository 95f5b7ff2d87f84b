"""The digest of a snapshot: what its changes did to the customer accounts, for people.

Counted from the changes themselves (`CHANGES` in `spark/accounts/tables.py`). Nothing personal is
in it but account numbers. The guard against deleting most accounts by a broken upload is here too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 10
_DONE = {"insert": "inserted", "change": "changed", "delete": "deleted", "restore": "restored"}
HAPPENED = tuple(_DONE.values())


@dataclass(frozen=True)
class Part:
    """How many accounts one thing happened to, and up to `SHOWN` of their numbers."""

    count: int = 0
    examples: tuple[str, ...] = ()

    def named(self) -> str:
        """The examples, and how many others there are."""
        others = self.count - len(self.examples)
        return ", ".join([*self.examples, *([f"and {others:,} more"] if others else [])])


@dataclass(frozen=True)
class Digest:
    """What the changes of a snapshot did; an account whose year changed is changed, once."""

    snapshot: str
    inserted: Part = Part()
    changed: Part = Part()
    deleted: Part = Part()
    restored: Part = Part()

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by what happened."""
        return {done: getattr(self, done) for done in HAPPENED}

    @property
    def counts(self) -> dict[str, int]:
        """The number of accounts by what happened."""
        return {done: part.count for done, part in self.parts.items()}

    def subject(self) -> str:
        counts = [f"{part.count:,} {done}" for done, part in self.parts.items() if part.count]
        return f"customer accounts: {', '.join(counts) or 'nothing changed'}"

    def text(self) -> str:
        """One sentence for each thing that happened."""
        lines = [
            f"{_accounts(part.count)} {done}: {part.named()}"
            for done, part in self.parts.items()
            if part.count
        ]
        return "\n".join([f"Snapshot {self.snapshot}", *(lines or ["No account changed."])])

    def as_metadata(self) -> dict[str, int | str]:
        """The counts, and examples of what happened, for an asset's metadata."""
        examples = {f"{done}_such_as": part.named() for done, part in self.parts.items()}
        return {**self.counts, **{name: text for name, text in examples.items() if text}}


def digest_of(snapshot: str, changes: Iterable[pa.RecordBatch]) -> Digest:
    """The digest of these changes; the examples are the first ones."""
    import pyarrow.compute as pc

    counts = dict.fromkeys(_DONE, 0)
    examples: dict[str, list[str]] = {operation: [] for operation in _DONE}
    for batch in changes:
        for operation in _DONE:
            these = pc.equal(batch.column("operation"), operation)
            numbers = batch.column("account_number").filter(these)
            counts[operation] += len(numbers)
            wanted = SHOWN - len(examples[operation])
            examples[operation] += numbers[:wanted].to_pylist()
    parts = {d: Part(counts[name], tuple(examples[name])) for name, d in _DONE.items()}
    return Digest(snapshot, **parts)


def too_many_deletes(deleted: int, live_before: int, max_share: float) -> str | None:
    """Why so many accounts are not deleted unasked; nothing if they are few enough."""
    if not live_before or deleted / live_before <= max_share:
        return None
    return (
        f"{deleted:,} of {live_before:,} live accounts ({deleted / live_before:.1%}) are missing "
        f"and would be deleted; max_deleted_share allows {max_share * 100:.4g}%: upload a whole "
        "snapshot, or, if they are gone indeed, run `crypto-assets accounts --confirm-mass-delete` "
        "(run config confirm_mass_delete: true)"
    )


def _accounts(count: int) -> str:
    return "1 account was" if count == 1 else f"{count:,} accounts were"
