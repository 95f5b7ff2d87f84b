"""An inbox with its sensor, for the tests of ticks."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from crypto_assets.definitions import defs_of
from crypto_assets.defs.files import file_key
from crypto_assets.defs.partitions import RANGE_TAGS
from crypto_assets.resources import wiring
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.settings import Settings
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv


def tick(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    resources: Mapping[str, Any],
    cursor: str | None = None,
) -> Any:
    """What the sensor `uploads` of these definitions gives when it is evaluated."""
    context = dg.build_sensor_context(
        instance, cursor=cursor, resources=resources, definitions=definitions
    )
    with context, dg.partition_loading_context(dynamic_partitions_store=instance):
        return definitions.resolve_sensor_def("uploads").evaluate_tick(context)


@dataclass
class SensorDesk:
    """One inbox with its sensor: files are delivered, ticks are made, each with the last cursor."""

    settings: Settings
    instance: dg.DagsterInstance
    cursor: str | None = None
    said: list[str] = field(default_factory=list)
    run_keys: list[str | None] = field(default_factory=list)
    snapshots: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._definitions = defs_of(self.settings)

    def deliver(self, key: str, text: str | bytes, age: float = 10) -> Path:
        path = self.settings.inbox_folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(path, (time.time() - age,) * 2)
        return path

    def deliver_pair(self, ticker: str, term: str | None = None, level: float = 100.0) -> None:
        self.deliver(f"{ticker}/{ticker} Historical Data.csv", history_csv(level))
        self.deliver(f"{ticker}/multiTimeline.csv", trend_csv(term or ticker))

    def tick(self, *, keep_cursor: bool = True) -> list[list[str]]:
        """Evaluates the sensor; the tickers of each run it asks for."""
        resources = {
            "inbox": wiring.inbox(self.settings),
            "metrics": wiring.metrics(self.settings),
            "market_data": wiring.market_data(self.settings),
            "accounts": wiring.accounts(self.settings),
        }
        result = tick(self._definitions, self.instance, resources, self.cursor)
        if keep_cursor:
            self.cursor = result.cursor
        self.said = [result.skip_message] if result.skip_message else []
        order = self.instance.get_dynamic_partitions(MARKET_DATA.partition)
        requests = result.run_requests or []
        self.run_keys = [request.run_key for request in requests]
        self.snapshots = [r.partition_key for r in requests if r.job_name == "refresh_accounts"]
        ranges = [
            [order.index(request.tags[tag]) for tag in RANGE_TAGS]
            for request in requests
            if request.job_name == "refresh_currencies"
        ]
        return [order[first : last + 1] for first, last in ranges]

    def reported(self, kind: str) -> list[tuple[str, str]]:
        """The partition and data version of each report of a file, oldest first."""
        records = self.instance.fetch_materializations(file_key(kind), limit=1000).records
        events = [record.asset_materialization for record in reversed(records)]
        return [(event.partition, event.tags["dagster/data_version"]) for event in events]

    def quarantined(self) -> dict[str, str]:
        return {q.key: q.reason for q in Ledger(wiring.inbox(self.settings).objects).quarantined()}
