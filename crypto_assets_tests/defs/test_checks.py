"""The checks of a currency: which one a fault turns red, and that no other currency is touched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from crypto_assets.definitions import defs_of
from crypto_assets.defs.partitions import RANGE_TAGS, partitions_named
from crypto_assets.event_log.checks import partitions_by_status
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.storage.clock import utc_day
from crypto_assets.resources.warehouse import duckdb
from crypto_assets.spark.market_data.rules import CHECKS

DAYS = 90
GOOD = [f"OK{number:02}" for number in range(41)]
Prices = Callable[[int], object]


def calm(day: int) -> float:
    """A price that moves by some percent, another one on each day."""
    return round(100 * (1 + (day * 37 % 11) / 500), 2)


def history(price: Prices = calm, *, days: int = DAYS, until: int = 0) -> str:
    """Two columns of prices of so many days, up to so many days ago."""
    first = utc_day() - timedelta(days=until + days - 1)
    rows = [f"{first + timedelta(days=day)},{price(day)}" for day in range(days)]
    return "\n".join(["Date,Price", *rows]) + "\n"


def trend(ticker: str, *, weeks: int = DAYS // 7 + 2, until: int = 0) -> str:
    """So many weekly trends, up to so many days ago."""
    first = utc_day() - timedelta(days=until + 7 * (weeks - 1))
    sunday = first - timedelta(days=(first.weekday() + 1) % 7)
    rows = [f"{sunday + timedelta(weeks=week)},{40 + week}" for week in range(weeks)]
    return "\n".join(["Category: All categories", "", f"Week,{ticker}: (Worldwide)", *rows]) + "\n"


@dataclass(frozen=True)
class Fault:
    """What is uploaded, and the check and the rule that are meant for it."""

    layer: str
    check: str
    rule: str
    history: str = history()
    trend: str = ""


def _level(price: float) -> Prices:
    """The price is so many times as high from the middle on."""
    return lambda day: calm(day) * (price if day > DAYS // 2 else 1)


FAULTS = {
    "LINE": Fault(
        "bronze", "audit", "bad_lines", history(lambda d: "mail" if d == 50 else calm(d))
    ),
    # Of its own: a file is stored once, however many currencies have it.
    "FILE": Fault("bronze", "audit", "readable", history(lambda day: calm(day + 1))),
    "STEP": Fault("bronze", "steps", "steps", history(_level(25))),
    "LESS": Fault("silver", "audit", "published"),
    "JUMP": Fault("silver", "outliers", "outliers", history(_level(2.5))),
    "LATE": Fault("silver", "fresh", "fresh", history(until=30)),
    "HUGE": Fault("gold", "audit", "finite", history(lambda day: f"{calm(day) * 1e306:.0f}")),
    "AWAY": Fault("gold", "overlap", "overlap", trend=trend("AWAY", until=300)),
    "LOST": Fault("warehouse", "rows", "published"),
}


@pytest.fixture
def fifty(home, settings, write, run, monkeypatch):
    """The instance after a run over fifty currencies, nine of them with a fault each."""

    def add(ticker: str, prices: str, shown: str) -> None:
        files = write(f"{ticker}/h.csv", prices), write(f"{ticker}/t.csv", shown or trend(ticker))
        words = ("--history", files[0], "--trend", files[1], "--force")
        assert run("add", ticker, *words)[0] == 0

    add("LESS", history(days=3 * DAYS), trend("LESS", weeks=40))
    assert run("materialize", "LESS")[0] == 0
    for ticker in [*GOOD, *FAULTS]:
        fault = FAULTS.get(ticker, Fault("", "", ""))
        add(ticker, fault.history, fault.trend)
    registry = wiring.registries(settings)[0]
    (entry,) = registry.get_all(["FILE"]).values()
    Path(registry.pinned(entry)["history"].uri).write_text("not what was uploaded")
    lossy = f"WHERE ticker != 'LOST' OR date != '{utc_day()}'"
    monkeypatch.setattr(duckdb, "_INSERT", duckdb._INSERT + lossy)
    assert run("materialize", "--all")[0] == 1
    with open_instance(settings) as opened:
        yield opened


def key(layer: str, name: str) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey(layer), name)


def failed(instance: dg.DagsterInstance, layer: str, name: str) -> dict[str, Any]:
    """The last evaluation of a check by ticker, of those that it does not pass."""
    evaluations = (
        each.evaluation
        for each in instance.event_log_storage.get_asset_check_execution_history(
            key(layer, name), limit=1000
        )
    )
    return {each.partition: each for each in evaluations if not each.passed}


def test_a_planted_fault_is_caught_by_the_check_that_is_meant_for_it_and_no_other_is_touched(fifty):
    tickers = partitions_named("ticker")
    stopped: set[str] = set()
    for check in CHECKS:
        meant = {t for t, f in FAULTS.items() if (f.layer, f.check) == (check.layer, check.name)}
        statuses = partitions_by_status(fifty, key(check.layer, check.name), tickers)
        assert {status: names for status, names in statuses.items() if names} == {
            "SUCCEEDED": {*GOOD, *FAULTS} - meant - stopped,
            "FAILED": meant,
        }
        for ticker, evaluation in failed(fifty, check.layer, check.name).items():
            severity = dg.AssetCheckSeverity.WARN if check.warns else dg.AssetCheckSeverity.ERROR
            assert (ticker, evaluation.severity) in {(each, severity) for each in meant}
            if len(check.rules) == 1:
                assert {FAULTS[ticker].rule} == check.rules.keys()
                continue
            rows = [record.data for record in evaluation.metadata["rules"].records]
            assert next(row["rule"] for row in rows if row["holds"] == "no") == FAULTS[ticker].rule
            assert {row["rule"] for row in rows} == check.rules.keys()
        # What is published of LESS stays as it was checked.
        stopped |= set() if check.warns else meant - {"LESS"}


def test_a_check_that_fails_says_what_was_expected_and_found_with_examples(fifty):
    def said(layer: str, name: str, ticker: str) -> tuple[str, ...]:
        found = failed(fifty, layer, name)[ticker]
        said = {label: value.value for label, value in found.metadata.items()}
        row = said["rules"].records[0].data if "rules" in said else said
        return found.description, *(row.get(each, "") for each in ("expected", "found", "examples"))

    middle = utc_day() - timedelta(days=DAYS // 2 - 2)
    assert said("bronze", "audit", "LINE") == (
        "h.csv: line 52: not a price: 'mail'",
        "0",
        "1",
        "line 52: not a price: 'mail'",
    )
    problem = "1 day's change of the price beyond 30 robust standard deviations"
    assert said("silver", "outliers", "JUMP") == (problem, "0", "1", f"{middle}: +152.0%")
    old = utc_day() - timedelta(days=30)
    assert said("silver", "fresh", "LATE") == (
        f"the last price is of {old}, 30 days ago",
        "<= 7 days",
        "30",
        "",
    )
    assert said("gold", "overlap", "AWAY") == (
        "history and trend share no day",
        f">= 50% of {DAYS} days",
        "0",
        "",
    )
    assert said("warehouse", "rows", "LOST")[0].startswith("rows loaded differ from the")


def test_a_check_that_is_executed_alone_makes_its_layer_again(add, run, settings):
    add("BTC")
    assert run("materialize", "BTC")[0] == 0
    check = key("silver", "audit")
    job = defs_of(settings).resolve_job_def("refresh_currencies")
    with open_instance(settings) as instance:
        result = job.get_subset(asset_check_selection={check}).execute_in_process(
            instance=instance,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags=dict.fromkeys(RANGE_TAGS, "BTC"),
        )
        assert result.success
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        made = instance.get_records_for_run(result.run_id, of_type=kind).records
        assert [each.asset_key for each in made] == [check.asset_key]
        statuses = partitions_by_status(instance, check, partitions_named("ticker"))
        assert statuses["SUCCEEDED"] == {"BTC"}
