"""The ledger of uploads: which content at which key has been decided on, and what is in quarantine.

A small file for each upload, whose name holds its key and stamp: a listing tells what is new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from crypto_assets.resources.files import write_atomically
from crypto_assets.resources.inbox import Arrival

Decision = Literal["taken", "quarantine", "removed"]


@dataclass(frozen=True)
class Quarantined:
    """An upload that is kept but used for nothing, and why."""

    key: str
    size: int
    reason: str


class Ledger:
    """The decisions noted below an inbox's root, as they were when this was made."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._noted: dict[str, tuple[Decision, str]] = {}
        for decision in get_args(Decision):
            for name in self._names(decision):
                self._noted[name.partition("-")[0]] = (decision, name)

    def undecided(self, arrivals: Iterable[Arrival]) -> list[Arrival]:
        """Those whose present content has not been decided on, oldest first."""
        known = {name for _, name in self._noted.values()}
        new = [arrival for arrival in arrivals if _name(arrival) not in known]
        return sorted(new, key=lambda arrival: (arrival.modified, arrival.key))

    def note(self, arrival: Arrival, decision: Decision, reason: str = "") -> None:
        """Notes the decision on this content of a key, and the reason of a quarantine."""
        noted = (decision, _name(arrival))
        document = json.dumps(asdict(Quarantined(arrival.key, arrival.size, reason)))
        write_atomically(self._path(*noted), document.encode(), durable=False)
        if self._noted.get(_hash(arrival.key), noted) != noted:
            self.forget(arrival.key)
        self._noted[_hash(arrival.key)] = noted

    def forget(self, key: str) -> None:
        """Decides anew on what stands at this key, when it is looked at next."""
        self._forget(_hash(key))

    def is_open(self, key: str) -> bool:
        """Whether the upload at this key is of no use as it is: in quarantine, or removed."""
        decision, _ = self._noted.get(_hash(key), ("taken", ""))
        return decision != "taken"

    def quarantined(self) -> list[Quarantined]:
        """The uploads in quarantine, by key."""
        found = filter(None, map(self._quarantined, self._names("quarantine")))
        return sorted(found, key=lambda upload: upload.key)

    def quarantine_stamp(self) -> str:
        """What changes when another upload, or another content of one, is in quarantine."""
        names = sorted(name for decision, name in self._noted.values() if decision == "quarantine")
        return hashlib.sha256("".join(names).encode()).hexdigest()

    def reopen(self) -> None:
        """Decides anew on every upload in quarantine, when it is looked at next."""
        for key_hash in self._in_quarantine():
            self._forget(key_hash)

    def drop_gone(self, arrivals: Iterable[Arrival]) -> None:
        """Takes out of quarantine what stands at its key no more."""
        for key_hash in self._in_quarantine() - {_hash(arrival.key) for arrival in arrivals}:
            self._forget(key_hash)

    def _quarantined(self, name: str) -> Quarantined | None:
        path = self._path("quarantine", name)
        try:
            return Quarantined(**json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None  # decided anew meanwhile
        except (TypeError, ValueError):
            path.unlink(missing_ok=True)  # a power cut left it empty: the upload is decided anew
            return None

    def _in_quarantine(self) -> set[str]:
        return {key for key, (decision, _) in self._noted.items() if decision == "quarantine"}

    def _forget(self, key_hash: str) -> None:
        if noted := self._noted.pop(key_hash, None):
            self._path(*noted).unlink(missing_ok=True)

    def _names(self, decision: Decision) -> list[str]:
        try:
            found = [path.name for path in self._path(decision).iterdir()]
        except FileNotFoundError:
            return []
        return [name for name in found if name.endswith(".json")]

    def _path(self, decision: Decision, name: str = "") -> Path:
        return self._root / f"_{decision}" / name


def _name(arrival: Arrival) -> str:
    return f"{_hash(arrival.key)}-{_hash(arrival.stamp)}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:24]
