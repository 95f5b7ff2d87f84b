"""The profile of a snapshot in Dagster: as an asset check's result with a table, and read back.

What is counted is `spark/accounts/profile.py`'s matter; here it is put before people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from crypto_assets.resources.errors import UsageError


@dataclass(frozen=True)
class Check:
    """A check on what a layer measured under its name: the spec, and the result of a measure."""

    name: str
    spec: dg.AssetCheckSpec
    result: Callable[[dict[str, Any]], dg.AssetCheckResult]


CHECK = "profile"
ASSET = dg.AssetKey("accounts_silver")
_SCHEMA = dg.TableSchema(
    [dg.TableColumn("file"), dg.TableColumn("what"), dg.TableColumn("value"), dg.TableColumn("is")]
)

_spec = dg.AssetCheckSpec(
    CHECK,
    asset=ASSET,
    description="What the columns of the snapshot hold: nulls, identical rows, misspelt states, "
    "counts. Warns if a state is misspelt.",
)


def _result(profile: dict[str, Any]) -> dg.AssetCheckResult:
    """The result of the check: a warning if there are misspelt states."""
    misspelt = profile["customers"]["misspelt_rows"]
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=ASSET,
        passed=not misspelt,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{misspelt:,} customers live in a misspelt state" if misspelt else None,
        metadata={
            "rows": profile["customers"]["rows"] + profile["accounts"]["rows"],
            "table": dg.MetadataValue.table(
                [
                    dg.TableRecord({"file": file, "what": what, "value": value, "is": count})
                    for file, what, value, count in profile_rows(profile)
                ],
                schema=_SCHEMA,
            ),
        },
    )


PROFILE = Check(CHECK, _spec, _result)


def profile_rows(profile: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """The profile as lines of a table: file, what was counted, of which value, the count."""
    for file, found in profile.items():
        yield file, "rows", "", f"{found['rows']:,}"
        yield file, "identical rows", "", f"{found['duplicates']:,}"
        if "legacy_share" in found:
            yield file, "legacy accounts", "", f"{found['legacy_share']:.1%}"
        for column, share in found["nulls"].items():
            yield file, "nulls", column, f"{share:.1%}"
        for what in ("states", "genders", "types", "years"):
            for value, count in found.get(what, {}).items():
                yield file, what, value, f"{count:,}"
        for one in found.get("misspelt", ()):
            nearest = f"{one['state']} (nearest: {one['nearest'] or 'none'})"
            yield file, "misspelt states", nearest, f"{one['rows']:,}"


def read_profile(instance: dg.DagsterInstance, snapshot: str | None) -> tuple[str, dict[str, Any]]:
    """The name and profile of this snapshot, else of the newest one that has a profile.

    Raises `UsageError` if there is none.
    """
    wanted = dg.AssetRecordsFilter(ASSET, asset_partitions=[snapshot] if snapshot else None)
    profiles: dict[str, Any] = {
        str(record.partition_key): record.asset_materialization.metadata[CHECK].value
        for record in reversed(instance.fetch_materializations(wanted, limit=1000).records)
        if record.asset_materialization and CHECK in record.asset_materialization.metadata
    }
    if not profiles:
        of = f"snapshot {snapshot!r}" if snapshot else "any snapshot"
        raise UsageError(f"there is no profile of {of}: run `crypto-assets accounts` first")
    name = max(profiles)
    return name, profiles[name]
