"""Counts requests to AWS by what is paid for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from crypto_assets_tests.doubles.request import Request

WRITES, LISTS, READS = "s3 writes", "s3 lists", "s3 reads"
POLLS = "s3 polls"  # for the messages of a job: as many as it takes seconds


@dataclass
class Priced:
    """The requests since it was last read, by service; those to S3 by their price."""

    counted: Counter[str] = field(default_factory=Counter)

    def __call__(self, request: Request) -> None:
        self.counted[_priced(request)] += 1

    def take(self) -> dict[str, int]:
        taken, self.counted = dict(self.counted), Counter()
        return taken


def _priced(request: Request) -> str:
    """A listing of S3 costs what a write does, and a deletion of several objects may."""
    seen = request.seen
    if seen.service != "s3":
        return seen.service
    if "list-type" in request.query:
        return LISTS
    if seen.method not in {"GET", "HEAD"}:
        return WRITES
    return POLLS if "/messages/" in seen.path else READS
