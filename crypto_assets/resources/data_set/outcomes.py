"""What became of each partition: the last verdict on each of its layers, and runs that broke off.

One SQLite file in the home. Also which partitions were registered without Dagster, and are yet to
be reported to it. It is written by whoever computes, as soon as a verdict is certain, so
that the sensor and `status` need no events of Dagster's to know what is due. Which uploads a
partition is made from is the registry's matter.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from crypto_assets.resources.storage.clock import utc_text
from crypto_assets.spark.job_spec import Verdict

BROKE_OFF = "broke off"
INTERRUPTED = "it was interrupted"
BUSY_SECONDS = 60.0  # to wait for another process that writes
_SCHEMA = """
CREATE TABLE IF NOT EXISTS layers (
    data_set TEXT, partition TEXT, layer TEXT,
    version TEXT, made_at TEXT, measures TEXT,
    seen_version TEXT, seen_at TEXT, problem TEXT, superseded_by TEXT, passing INTEGER,
    PRIMARY KEY (data_set, partition, layer)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken_over (data_set TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS attempts (
    data_set TEXT, partition TEXT, run_id TEXT, began_at TEXT, reason TEXT,
    PRIMARY KEY (data_set, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unreported (
    data_set TEXT, partition TEXT, change TEXT, PRIMARY KEY (data_set, partition)
);
"""
_EVERY = ""  # in the place of a data set: all of them
_MADE = """
INSERT INTO layers (data_set, partition, layer, version, made_at, measures)
VALUES (:data_set, :partition, :layer, :version, :at, :measures)
ON CONFLICT DO UPDATE SET version = :version, made_at = :at, measures = :measures,
    seen_version = NULL, seen_at = NULL, problem = NULL, superseded_by = NULL, passing = NULL
"""
_SEEN = """
INSERT INTO layers
    (data_set, partition, layer, seen_version, seen_at, problem, superseded_by, passing)
VALUES (:data_set, :partition, :layer, :version, :at, :problem, :superseded_by, :passing)
ON CONFLICT DO UPDATE SET seen_version = :version, seen_at = :at, problem = :problem,
    superseded_by = :superseded_by, passing = :passing
"""
_KNOWN = """
SELECT partition, layer, CASE WHEN layer IN (SELECT value FROM json_each(?)) THEN measures END,
    version, made_at,
    seen_version, seen_at, problem, superseded_by, passing
FROM layers WHERE data_set = ? AND partition IN (SELECT value FROM json_each(?))
"""
_BEGAN = """
INSERT OR REPLACE INTO attempts (data_set, partition, run_id, began_at)
VALUES (:data_set, :partition, :run_id, :at)
"""
_TAKEN = """
INSERT OR IGNORE INTO layers VALUES (
    :data_set, :partition, :layer, :version, :made_at, :measures,
    :seen_version, :seen_at, :problem, :superseded_by, :passing
)
"""


class Layer(NamedTuple):
    """What is known of one layer of a partition; times are UTC, in ISO format.

    `version` is what it was last made from, at `made_at`, with these `measures`. If a later run
    made none of it, from `seen_version` at `seen_at`, `problem` is why, or `superseded_by` the
    newer partition that it holds. A `passing` problem is not what the uploads are refused for.
    """

    version: str | None = None
    made_at: str | None = None
    measures: Mapping[str, Any] = MappingProxyType({})
    seen_version: str | None = None
    seen_at: str | None = None
    problem: str | None = None
    superseded_by: str | None = None
    passing: bool | None = None

    @property
    def is_refusal(self) -> bool:
        return self.problem is not None and not self.passing


@dataclass(frozen=True)
class Attempt:
    """The last run that began on a partition and has given no verdict on it."""

    run_id: str
    began_at: str
    reason: str | None


@dataclass(frozen=True)
class Outcomes:
    """The outcomes in the SQLite file at `path`.

    `of_new_home` says that Dagster has no events yet, so that there are no outcomes to take over.
    """

    path: str
    of_new_home: bool = False

    def begin(self, data_set: str, partitions: Iterable[str], run_id: str) -> None:
        """Records that this run begins on these partitions."""
        facts = {"data_set": data_set, "run_id": run_id, "at": utc_text()}
        with self._open() as connection:
            connection.executemany(_BEGAN, [{**facts, "partition": name} for name in partitions])

    def record(self, data_set: str, verdicts: Iterable[Verdict]) -> None:
        """Keeps these verdicts as the last ones on their layers."""
        made: list[dict[str, Any]] = []
        seen: list[dict[str, Any]] = []
        at = utc_text()
        for verdict in verdicts:
            row = {
                "data_set": data_set,
                "partition": verdict.partition,
                "layer": verdict.layer,
                "version": verdict.version,
                "at": at,
                "measures": json.dumps(flat(verdict.measures), default=str),
                "problem": "; ".join(verdict.problems) or None,
                "superseded_by": verdict.superseded_by or None,
                "passing": verdict.passing,
            }
            (made if verdict.passed else seen).append(row)
        with self._open() as connection:
            connection.executemany(_MADE, made)
            connection.executemany(_SEEN, seen)

    def end(self, data_set: str, partitions: Iterable[str], run_id: str) -> None:
        """Records that this run has given its verdicts on these partitions."""
        with self._open() as connection:
            connection.executemany(
                "DELETE FROM attempts WHERE data_set = ? AND partition = ? AND run_id = ?",
                [(data_set, name, run_id) for name in partitions],
            )

    def break_off(self, run_id: str, fault: BaseException) -> None:
        """Records why this run ended before it gave a verdict on all its partitions.

        What is no `Exception` interrupts it. Where that cannot be recorded, as on a full disk, it
        stays known that the run began.
        """
        reason = INTERRUPTED
        if isinstance(fault, Exception):
            reason = " ".join(str(fault).split()) or type(fault).__name__
        with suppress(sqlite3.Error), self._open() as connection:
            connection.execute("UPDATE attempts SET reason = ? WHERE run_id = ?", (reason, run_id))

    def layers(
        self,
        data_set: str,
        partitions: Collection[str],
        measures_with: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, dict[str, Layer]]:
        """What is known of the layers of these partitions, by partition and layer.

        Their measures are left empty but for the layers in `measures_with`, each of them with the
        word that its measures must have: `{"bronze": "notes", "gold": ""}` asks for those of bronze
        that have notes and for all of gold. To read measures takes most of the time.
        """
        found: dict[str, dict[str, Layer]] = {name: {} for name in partitions}
        with self._open() as connection:
            chosen = json.dumps(list(measures_with)), data_set, json.dumps(list(partitions))
            rows = connection.execute(_KNOWN, chosen).fetchall()
        texts = [
            text if text and measures_with[layer] in text else "{}" for _, layer, text, *_ in rows
        ]
        every = json.loads(f"[{','.join(texts)}]")  # at once: most of the time goes into calls
        for (name, layer, _, version, made_at, *seen), measures in zip(rows, every, strict=True):
            found[name][layer] = Layer(version, made_at, measures, *seen)
        return found

    def attempts(self, data_set: str) -> dict[str, Attempt]:
        """The runs that have given no verdict on their partition: they compute, or broke off."""
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM attempts WHERE data_set = ?", (data_set,))
            return {name: Attempt(*attempt) for _, name, *attempt in rows}

    def is_taken_over(self, data_set: str) -> bool:
        """Whether the outcomes of earlier versions are here, or there was none."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT 1 FROM taken_over WHERE data_set IN (?, ?)", (data_set, _EVERY)
            )
            return rows.fetchone() is not None

    def take_over(self, data_set: str, layers: Mapping[str, Mapping[str, Layer]]) -> None:
        """Keeps the outcomes of earlier versions, by layer and partition, beside those here."""
        rows = [
            {
                **known._asdict(),
                "measures": json.dumps(dict(known.measures)),
                "data_set": data_set,
                "partition": name,
                "layer": layer,
            }
            for layer, partitions in layers.items()
            for name, known in partitions.items()
        ]
        with self._open() as connection:
            connection.executemany(_TAKEN, rows)
            connection.execute("INSERT OR IGNORE INTO taken_over VALUES (?)", (data_set,))

    def restate(self, data_set: str, partition: str, versions: Mapping[str, str]) -> None:
        """Says what layers are made from that were changed in place, and stay as good."""
        rows = [(version, data_set, partition, layer) for layer, version in versions.items()]
        with self._open() as connection:
            connection.executemany(
                "UPDATE layers SET version = ? WHERE version IS NOT NULL AND data_set = ? "
                "AND partition = ? AND layer = ?",
                rows,
            )

    def registered(self, data_set: str, partition: str) -> None:
        """Records that files were registered of which Dagster has no event yet."""
        with self._open() as connection:
            row = (data_set, partition, uuid.uuid4().hex)
            connection.execute("INSERT OR REPLACE INTO unreported VALUES (?, ?, ?)", row)

    def unreported(self, data_set: str) -> dict[str, str]:
        """The partitions of whose files Dagster lacks events, each with a token for `reported`.

        In the order in which they were registered.
        """
        with self._open() as connection:
            rows = connection.execute(
                "SELECT partition, change FROM unreported WHERE data_set = ? ORDER BY rowid",
                (data_set,),
            )
            return dict(rows)

    def reported(self, tokens: Collection[str]) -> None:
        """Records that Dagster has the events; a partition that changed since stays unreported."""
        with self._open() as connection:
            connection.executemany(
                "DELETE FROM unreported WHERE change = ?", [(token,) for token in tokens]
            )

    def forget(self, data_set: str, partition: str) -> None:
        """Forgets everything of this partition."""
        with self._open() as connection:
            for table in ("layers", "attempts", "unreported"):
                connection.execute(
                    f"DELETE FROM {table} WHERE data_set = ? AND partition = ?",  # noqa: S608 - ours
                    (data_set, partition),
                )

    def forget_layers(self, data_set: str, partition: str, layers: Iterable[str]) -> None:
        """Forgets what became of these layers of this partition."""
        with self._open() as connection:
            connection.executemany(
                "DELETE FROM layers WHERE data_set = ? AND partition = ? AND layer = ?",
                [(data_set, partition, layer) for layer in layers],
            )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction; what breaks off is rolled back."""
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS)) as connection:
            connection.executescript("PRAGMA journal_mode = WAL;" + _SCHEMA)
            with connection:
                if self.of_new_home:
                    connection.execute("INSERT OR IGNORE INTO taken_over VALUES (?)", (_EVERY,))
                yield connection


def flat(measures: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested measures as `history/rows`, without those that are not there and empty lists."""
    found: dict[str, Any] = {}
    for name, value in measures.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}/")
        elif value is not None and value != []:
            found[f"{prefix}{name}"] = (
                value if isinstance(value, (int, float, str)) else _text(value)
            )
    return found


def _text(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
