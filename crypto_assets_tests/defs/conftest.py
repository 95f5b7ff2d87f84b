"""An inbox with its sensor, for the tests of ticks."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest

from crypto_assets.defs import uploads as sensor
from crypto_assets.defs.files import file_key
from crypto_assets.defs.partitions import ticker_partitions
from crypto_assets.resources import wiring as profile
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.instance import open_instance
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv


@dataclass
class Desk:
    """One inbox with its sensor: files are dropped, ticks are made, each with the last cursor."""

    settings: Settings
    instance: dg.DagsterInstance
    cursor: str | None = None
    said: list[str] = field(default_factory=list)

    def drop(self, key: str, text: str | bytes, age: float = 10) -> Path:
        path = self.settings.inbox / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(path, (time.time() - age,) * 2)
        return path

    def drop_pair(self, ticker: str, term: str | None = None, level: float = 100.0) -> None:
        self.drop(f"{ticker}/{ticker} Historical Data.csv", history_csv(level))
        self.drop(f"{ticker}/multiTimeline.csv", trend_csv(term or ticker))

    def tick(self, *, keep_cursor: bool = True) -> list[list[str]]:
        """Evaluates the sensor; the tickers of each run it asks for."""
        resources = {
            "inbox": profile.inbox(self.settings),
            "registry": profile.registry(self.settings),
            "snapshots": profile.snapshots(self.settings),
            "lake": profile.lake(self.settings),
        }
        with dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources=resources
        ) as context:
            result = sensor.uploads(context)
        if keep_cursor:
            self.cursor = result.cursor
        self.said = [result.skip_reason.skip_message] if result.skip_reason else []
        order = self.instance.get_dynamic_partitions(str(ticker_partitions.name))
        requests = result.run_requests or []
        self.run_keys = [request.run_key for request in requests]
        self.snapshots = [r.partition_key for r in requests if r.job_name == "refresh_accounts"]
        return [
            order[
                order.index(request.tags["dagster/asset_partition_range_start"]) : order.index(
                    request.tags["dagster/asset_partition_range_end"]
                )
                + 1
            ]
            for request in requests
            if request.job_name == "refresh_currencies"
        ]

    def reported(self, kind: str) -> list[tuple[str, str]]:
        """The partition and data version of each report of a file, oldest first."""
        records = self.instance.fetch_materializations(file_key(kind), limit=1000).records
        events = [record.asset_materialization for record in reversed(records)]
        return [(event.partition, event.tags["dagster/data_version"]) for event in events]

    def quarantined(self) -> dict[str, str]:
        return {q.key: q.reason for q in Ledger(profile.inbox(self.settings).objects).quarantined()}


@pytest.fixture
def desk(settings):
    with open_instance(settings) as instance:
        yield Desk(settings, instance)
