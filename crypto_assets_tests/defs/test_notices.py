"""The notice of a failed run, sent once, and what is tried again before a run fails."""

from __future__ import annotations

import dagster as dg
import pytest
from filelock import FileLock

from crypto_assets.definitions import DATA_SETS, defs_of
from crypto_assets.defs import verdicts
from crypto_assets.defs.launch import launch
from crypto_assets.defs.notices import failures, notice
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.uploads.register import register
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.mailbox import Mailbox


@pytest.fixture
def materialize(settings, pair):
    def run(instance, *tickers, **shapes):
        inbox, currencies = wiring.inbox(settings), wiring.market_data(settings)
        for ticker in tickers:
            history, trend = pair(ticker, **shapes.get(ticker, {}))
            register(inbox, currencies.registry, ticker, {"history": history, "trend": trend}, {})
        job = defs_of(settings).resolve_job_def("refresh_currencies")
        found = launch(job, instance, currencies, tickers, MARKET_DATA.layers)
        return {outcome.partition: outcome for outcome in found}

    return run


def run_of(job: str, layers: list[str] | None = None) -> dg.DagsterRun:
    selection = layers and frozenset(map(dg.AssetKey, layers))
    return dg.DagsterRun(job_name=job, asset_selection=selection)


def test_one_notice_of_a_run_names_each_ticker_its_layer_the_reason_and_the_cure(
    settings, materialize
):
    mailbox, broken = Mailbox(), {"cells": {12: "n.a. see mail"}}
    with open_instance(settings) as instance:
        materialize(instance, "BTC", "ETH", "XMR", ETH=broken, XMR=broken)
        (run,) = instance.get_runs()
        failed_at = [(ticker, layer) for ticker, layer, _ in failures(instance, run.run_id)]
        assert failed_at == [("ETH", "bronze"), ("XMR", "bronze")]
        (failed,) = instance.get_records_for_run(
            run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE
        ).records
        context = dg.build_run_status_sensor_context(
            "failure_notice", failed.event_log_entry.dagster_event, instance, run
        )
        sensor = defs_of(settings).resolve_sensor_def("failure_notice")
        sensor(context.for_run_failure(), notifier=mailbox)
    ((subject, text),) = mailbox.notices
    assert subject == f"2 tickers failed in run {run.run_id}"
    for line, ticker in zip(text.splitlines(), ("ETH", "XMR"), strict=False):
        at = f"{ticker} failed at bronze: {ticker} Historical Data.csv: line 12: not a price"
        assert line.startswith(at)
    assert text.endswith("`crypto-assets materialize --failed --stale` tries again.")


def test_a_long_notice_is_cut_and_says_so():
    problems = [(f"T{number:03}", "bronze", "no price") for number in range(150)]
    _, text = notice(run_of("refresh_currencies"), problems, "", [MARKET_DATA])
    assert "T099 failed" in text
    assert "and 50 more" in text
    assert len(text.splitlines()) == 102


@pytest.mark.parametrize(
    ("job", "layers", "cure"),
    [
        ("refresh_currencies", None, "`crypto-assets materialize --failed --stale` tries again"),
        ("refresh_accounts", None, "`crypto-assets accounts` tries again"),
        (
            "__ASSET_JOB",
            ["gold", "warehouse"],
            "`crypto-assets materialize --failed --stale` tries again",
        ),
        ("__ASSET_JOB", ["accounts_bronze"], "`crypto-assets accounts` tries again"),
        ("somebody_elses", ["table"], ""),
    ],
)
def test_a_run_that_broke_off_is_reported_with_its_own_error_and_the_cure_of_its_data_set(
    job, layers, cure
):
    run = run_of(job, layers)
    subject, text = notice(run, [], "the process of this run was killed", DATA_SETS)
    assert subject == f"run {run.run_id} broke off"
    assert text.splitlines()[0] == "the process of this run was killed"
    assert text.partition("\n")[2].startswith(cure)
    assert bool(cure) == (len(text.splitlines()) == 2)


@pytest.fixture
def impatient(home, monkeypatch):
    """Asked for before the settings, which are read once."""
    monkeypatch.setenv("CRYPTO_ASSETS_LOCK_WAIT_S", "0.2")


def test_a_lock_that_is_released_in_time_is_tried_again_and_the_run_succeeds(
    impatient, settings, materialize, monkeypatch
):
    monkeypatch.setattr(verdicts, "RETRY_SECONDS", 0.1)
    settings.lake_folder.mkdir(parents=True)
    lock = FileLock(settings.lake_folder / ".market_data.lock", thread_local=False)
    lock.acquire()
    recorded = dg.DagsterInstance.handle_new_event

    def release_after_the_first_attempt(instance, event, **options):
        recorded(instance, event, **options)
        if event.dagster_event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY:
            lock.release()

    monkeypatch.setattr(dg.DagsterInstance, "handle_new_event", release_after_the_first_attempt)
    with open_instance(settings) as instance:
        outcomes = materialize(instance, "BTC")
        (run,) = instance.get_runs()
        retried = instance.get_records_for_run(
            run.run_id, of_type=dg.DagsterEventType.STEP_RESTARTED
        ).records
    assert not outcomes["BTC"].failed
    assert len(retried) >= 1


def test_bad_data_is_not_tried_again(settings, materialize):
    with open_instance(settings) as instance:
        outcomes = materialize(instance, "ETH", ETH={"cells": {12: "n.a. see mail"}})
        (run,) = instance.get_runs()
        retried = instance.get_records_for_run(
            run.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY
        ).records
    assert outcomes["ETH"].failed
    assert retried == []
