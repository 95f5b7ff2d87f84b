"""What state each partition of a data set is in, layer by layer, with its problems.

What became of runs is in the home's outcomes; which are under way is for `under_way`. Looking at
thousands of partitions is to take no second: no Dagster is imported here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from crypto_assets.defs.under_way import UnderWay
from crypto_assets.resources.data_set.due import has_verdict
from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.outcomes import BROKE_OFF, Layer
from crypto_assets.resources.data_set.published import Published
from crypto_assets.resources.home.state import KILLED
from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.market_data.overrides import read_overrides
from crypto_assets.spark.printable import printable

_UNKNOWN = Layer()
State = Literal["published", "stale", "missing", "failed", "running", "superseded", "none"]


class LayerStatus(NamedTuple):
    """One layer of a partition; `metadata` are the measures of what was last made of it."""

    state: State
    at: str | None = None
    problem: str | None = None
    metadata: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Status:
    """One partition: its uploads and the state of each layer.

    `running` says that a run that covers it waits or computes. `problem` is one of the partition as
    a whole: why its last run ended without a verdict, or what is wrong with its registry entry.
    """

    entry: Entry
    layers: dict[str, LayerStatus]
    running: bool = False
    problem: str | None = None

    @property
    def problems(self) -> list[str]:
        of_layers = [f"{name}: {s.problem}" for name, s in self.layers.items() if s.problem]
        return [*of_layers, self.problem] if self.problem else of_layers

    @property
    def state(self) -> State:
        """`failed` if a layer is, else `stale` if one is stale or missing, else `published`."""
        states = {layer.state for layer in self.layers.values()}
        if self.running:
            return "running"
        if self.problem or "failed" in states:
            return "failed"
        return "stale" if states & {"stale", "missing", "none"} else "published"

    def state_of(self, layer: str) -> State:
        """The state of a layer; all that may change meanwhile are running."""
        return "running" if self.running else self.layers[layer].state

    def as_json(self) -> dict[str, Any]:
        """What the documents of `status --json` have in common."""
        return {
            "files": {kind: {**vars(upload)} for kind, upload in self.entry.files.items()},
            "layers": {
                name: {
                    "state": self.state_of(name),
                    "at": s.at,
                    "rows": _rows(s),
                    "problem": s.problem,
                }
                for name, s in self.layers.items()
            },
            "problems": self.problems,
        }


def statuses(
    published: Published,
    partitions: Collection[str],
    under_way: UnderWay,
    measures_with: Mapping[str, str] = MappingProxyType({}),
) -> list[Status]:
    """The status of each of these registered partitions; those whose entry is damaged come last.

    `measures_with` says which measures come with their layers, as of `Outcomes.layers`.
    """
    registry, outcomes = published.registry, published.outcomes
    data_set = registry.data_set
    entries = registry.get_all(partitions)
    known = outcomes.layers(data_set.name, entries, measures_with)
    broke_off = under_way.broke_off(outcomes.attempts(data_set.name))
    missing = published.missing(list(entries))
    found = []
    for name, entry in entries.items():
        versions, outcome, wrong = registry.versions(entry), known[name], missing.get(name, {})
        layers = {
            layer: _layer_status(outcome.get(layer, _UNKNOWN), version, wrong.get(layer))
            for layer, version in versions.items()
        }
        attempt, problem = broke_off.get(name), None
        if attempt and not has_verdict(versions, outcome):
            problem = f"{BROKE_OFF}: {attempt.reason or KILLED}"
        running = name in under_way.partitions
        found.append(Status(entry, layers, running=running, problem=problem))
    none = dict.fromkeys(data_set.layers, LayerStatus("none"))
    damaged = registry.damaged(name for name in partitions if name not in entries)
    return [*found, *(Status(Entry(n), none, problem=why) for n, why in damaged.items())]


def upload_statuses(inbox: Inbox) -> dict[str, list[Any]]:
    """What became of uploads that are of no partition, for `status --json`.

    `quarantine`: kept with the reason; `new`: nobody has looked yet, which `crypto-assets ui` does.
    """
    ledger = Ledger(inbox.objects)
    overrides, _ = read_overrides(inbox)
    quarantined = [(upload.key, upload.reason) for upload in ledger.quarantined()]
    broken = [(OVERRIDES, problem) for problem in overrides.problems]
    return {
        "quarantine": [
            {"file": printable(key), "reason": printable(reason)}
            for key, reason in (*broken, *quarantined)
        ],
        "new": [printable(arrival.key) for arrival in ledger.undecided(inbox.arrivals())],
    }


def _layer_status(known: Layer, version: str, missing: str | None) -> LayerStatus:
    """The status of a layer that should be made from this version.

    `missing` is what is wrong with what was published of it.
    """
    state: State = "none"
    problem = None
    if known.version:
        state = "published" if known.version == version else "stale"
    if state == "published" and missing:
        state, problem = "missing", f"{missing}: `crypto-assets materialize` makes it anew"
    if known.superseded_by:
        state = "superseded"
    elif known.problem and known.seen_version != version:
        state = "stale"  # what failed has been replaced since
    elif known.problem:
        state, problem = "failed", known.problem
    return LayerStatus(state, known.seen_at or known.made_at, problem, known.measures)


def _rows(status: LayerStatus) -> int | None:
    """The layer's rows; bronze and silver count each of their two tables."""
    for name in ("rows", "history/rows", "history/file_lines"):
        if (count := status.metadata.get(name)) is not None:
            return int(count)
    return None
