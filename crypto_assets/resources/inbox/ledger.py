"""The ledger of uploads: which content at which key has been decided on, and what is in quarantine.

A small file for each upload, whose name holds its key and etag: a listing tells what is new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from crypto_assets.resources.storage.objects import Object, Objects

Decision = Literal["assigned", "quarantine", "removed"]


@dataclass(frozen=True)
class Quarantined:
    """An upload that is kept but used for nothing, and why."""

    key: str
    size: int
    reason: str


class Ledger:
    """The decisions among an inbox's objects, as they were when first asked for."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    @cached_property
    def _noted(self) -> dict[str, tuple[Decision, str]]:
        return {
            name.partition("-")[0]: (decision, name)
            for decision in get_args(Decision)
            for name in self._names(decision)
        }

    def undecided(self, arrivals: Iterable[Object]) -> list[Object]:
        """Those whose present content has not been decided on, oldest first."""
        known = {name for _, name in self._noted.values()}
        new = [arrival for arrival in arrivals if _name(arrival) not in known]
        return sorted(new, key=lambda arrival: (arrival.modified, arrival.key))

    def decide(self, arrival: Object, decision: Decision, reason: str = "") -> None:
        """Records the decision on this content of a key, and the reason of a quarantine."""
        noted = (decision, _name(arrival))
        before = self._noted.get(_hash(arrival.key), noted)
        document = b""  # of another decision all there is to know is in the name
        if decision == "quarantine":
            document = json.dumps(vars(Quarantined(arrival.key, arrival.size, reason))).encode()
        self._objects.write(_key(*noted), document, durable=False)
        if before != noted:
            self.forget(arrival.key)
        self._noted[_hash(arrival.key)] = noted

    def decide_all(self, arrivals: Iterable[Object], decision: Decision) -> None:
        """As `decide`, for many."""

        def decide(arrival: Object) -> None:
            self.decide(arrival, decision)

        for _ in self._objects.for_each(decide, arrivals):
            pass

    def forget(self, key: str) -> None:
        """Decides anew on what stands at this key, when it is looked at next."""
        self._forget(_hash(key))

    def is_open(self, key: str) -> bool:
        """Whether the upload at this key is of no use as it is: in quarantine, or removed."""
        decision, _ = self._noted.get(_hash(key), ("assigned", ""))
        return decision != "assigned"

    def quarantined(self) -> list[Quarantined]:
        """The uploads in quarantine, by key."""
        keys = [_key("quarantine", name) for name in self._names("quarantine")]
        contents = self._objects.read_all(keys)
        found = (self._quarantined(key, content.data) for key, content in contents.items())
        return sorted(filter(None, found), key=lambda upload: upload.key)

    def quarantine_etag(self) -> str:
        """What changes when another upload, or another content of one, is in quarantine."""
        names = sorted(name for decision, name in self._noted.values() if decision == "quarantine")
        return hashlib.sha256("".join(names).encode()).hexdigest()

    def reopen(self) -> None:
        """Decides anew on every upload in quarantine, when it is looked at next."""
        for key_hash in self._in_quarantine():
            self._forget(key_hash)

    def drop_gone(self, arrivals: Iterable[Object]) -> None:
        """Takes out of quarantine what stands at its key no more."""
        if quarantined := self._in_quarantine():
            for key_hash in quarantined - {_hash(arrival.key) for arrival in arrivals}:
                self._forget(key_hash)

    def _quarantined(self, key: str, document: bytes) -> Quarantined | None:
        try:
            return Quarantined(**json.loads(document))
        except (TypeError, ValueError):
            self._objects.delete([key])  # a power cut left it empty: the upload is decided anew
            return None

    def _in_quarantine(self) -> set[str]:
        return {key for key, (decision, _) in self._noted.items() if decision == "quarantine"}

    def _forget(self, key_hash: str) -> None:
        if noted := self._noted.pop(key_hash, None):
            self._objects.delete([_key(*noted)])

    def _names(self, decision: Decision) -> list[str]:
        names = self._objects.names(f"_decisions/{decision}")
        return [name for name in names if name.endswith(".json")]


def _key(decision: Decision, name: str) -> str:
    return f"_decisions/{decision}/{name}"


def _name(arrival: Object) -> str:
    return f"{_hash(arrival.key)}-{_hash(arrival.etag)}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:24]
