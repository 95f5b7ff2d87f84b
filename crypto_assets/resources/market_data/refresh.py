"""Brings currencies up to date: as any data set, and then into the warehouse."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.refresh import Entries, Refresh
from crypto_assets.resources.data_set.results import stopped
from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.inbox.inbox import OVERRIDES, Inbox
from crypto_assets.resources.market_data.assign import CurrencyAssigner
from crypto_assets.resources.market_data.cures import with_places
from crypto_assets.resources.market_data.facts import facts
from crypto_assets.resources.market_data.registry import CurrencyRegistry, choices_of
from crypto_assets.resources.storage.clock import utc_text
from crypto_assets.resources.storage.lake import Current, LoadFile, Manifest
from crypto_assets.resources.warehouse.warehouse import Warehouse
from crypto_assets.spark.job_spec import LayerResult, Partition, Verdict
from crypto_assets.spark.market_data.coins import terms_of
from crypto_assets.spark.market_data.currency import Currency
from crypto_assets.spark.market_data.tables import (
    CURRENCIES,
    GOLD,
    PRICES,
    SILVER_HISTORY,
    SILVER_TREND,
)

LOGGER = logging.getLogger("crypto_assets.market_data")
WAREHOUSE = "warehouse"
_REPLACED = "another run published it meanwhile: run it again"
_NO_FILE = "its gold has no file that this warehouse loads: run again without --layer"


@dataclass(frozen=True)
class CurrencyRefresh(Refresh):
    """The refreshing of currencies; the layer `warehouse` is loaded, not computed."""

    registry: CurrencyRegistry
    warehouse: Warehouse

    def assigner(self, inbox: Inbox) -> CurrencyAssigner:
        return CurrencyAssigner(self.registry, inbox)

    def remove(self, partition: str) -> None:
        self.warehouse.remove(partition)
        super().remove(partition)

    @property
    def computed(self) -> tuple[str, ...]:
        return tuple(layer for layer in self.data_set.layers if layer != WAREHOUSE)

    @property
    def optional(self) -> tuple[str, ...]:
        return (self.warehouse.loads.path,) if self.warehouse.loads.optional else ()

    def partition(self, entry: Entry) -> Partition:
        choices = choices_of(entry)
        terms = terms_of(entry.partition, choices.names)
        files = self.registry.pinned(entry)
        return Currency(entry.partition, files, choices, terms).partition()

    def rows(self, verdict: Verdict) -> dict[str, int]:
        if verdict.layer == "gold":
            return dict.fromkeys((GOLD.path, *self.optional), verdict.measures["rows"])
        if verdict.layer != "silver":
            return {}
        tables = {"history": SILVER_HISTORY, "trend": SILVER_TREND}
        return {table.path: verdict.measures[kind]["rows"] for kind, table in tables.items()}

    def guard(self, verdict: Verdict, entry: Entry, published: Manifest) -> str:
        """Refuses tables that lose more than the share of their rows that their owner allows."""
        share = choices_of(entry).max_shrink
        shrunk = [
            f"{table} would shrink from {before} to {rows} rows, more than {share:.0%}"
            for table, rows in self.rows(verdict).items()
            if table not in self.optional
            and rows < (before := published.rows.get(table, 0)) * (1 - share)
        ]
        cure = "if that is right, say --max-shrink SHARE"
        return self.with_cure("; ".join([*shrunk, cure]), entry.partition) if shrunk else ""

    def with_cure(self, problem: str, partition: str) -> str:
        return with_places(problem, self.registry.objects.uri(OVERRIDES), partition)

    def check_loads(self, layers: Collection[str]) -> None:
        if WAREHOUSE in layers:
            self.warehouse.check_load(PRICES)

    def load(self, good: Entries, layers: Sequence[str]) -> list[LayerResult]:
        """Loads these currencies' gold into the warehouse.

        What that refuses to all alike says nothing about any of them: they stay due.
        """
        if WAREHOUSE not in layers:
            return []
        started = time.monotonic()
        loaded: dict[str, dict[str, Any]] = {}
        failed: dict[str, str] = {}
        with self.lake.locked(self.data_set.name):
            current = self.lake.current(self.data_set, good)
            files = self.lake.files(self.warehouse.loads, current)
            passing = self._not_loaded(good, current, files)
            wanted = {name: files[name] for name in good if name not in passing}
            known = facts({name: good[name] for name in wanted}, self.outcomes, utc_text())
            try:
                loaded, failed = self.warehouse.replace(wanted, known)
            except RefusedError as refusal:
                passing |= dict.fromkeys(wanted, str(refusal))
        verdicts = tuple(
            Verdict(
                ticker,
                WAREHOUSE,
                measures=loaded.get(ticker, {}),
                version=self.registry.version(entry, WAREHOUSE),
            )
            for ticker, entry in good.items()
        )
        result = LayerResult(WAREHOUSE, time.monotonic() - started, verdicts)
        results = stopped(
            self.data_set, [result], {ticker: (WAREHOUSE, why) for ticker, why in failed.items()}
        )
        absent = {ticker: (WAREHOUSE, why) for ticker, why in passing.items()}
        return stopped(self.data_set, results, absent, passing=True)

    def describe(self, failed: Collection[str], layers: Collection[str]) -> None:
        if WAREHOUSE not in layers:
            return
        known = facts(self.registry.get_all(failed), self.outcomes)
        try:
            self.warehouse.describe(list(known.values()))
        except RefusedError as refusal:  # what was to be loaded has it as its verdict
            LOGGER.warning("%s lags behind the verdicts: %s", CURRENCIES.path, refusal)

    def _not_loaded(
        self, good: Entries, current: Current, files: Mapping[str, LoadFile]
    ) -> dict[str, str]:
        """The currencies without a file of what this run made, and why."""
        published = self.versions_in({name: manifest for name, (manifest, _) in current.items()})
        wanted = {name: self.registry.version(entry, GOLD.layer) for name, entry in good.items()}
        replaced = [name for name in files if published[name].get(GOLD.layer) != wanted[name]]
        missing = [name for name in good if name not in files]
        return dict.fromkeys(replaced, _REPLACED) | dict.fromkeys(missing, _NO_FILE)
