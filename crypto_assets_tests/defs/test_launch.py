"""Running the graph from a process of our own: what it says while it waits for others."""

from __future__ import annotations

import logging
import threading

import pytest

from crypto_assets.definitions import defs_of
from crypto_assets.defs import launch as module
from crypto_assets.defs.launch import launch
from crypto_assets.defs.verdicts import POOL
from crypto_assets.resources import wiring
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.progress import LOGGER
from crypto_assets.spark.market_data.data_set import MARKET_DATA


class Reports(logging.Handler):
    """What was reported of waiting; `one` is set by the first."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.one = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.step is None:  # type: ignore[attr-defined]
            self.messages.append(record.getMessage())
            self.one.set()


@pytest.fixture
def reports():
    handler = Reports()
    level, LOGGER.level = LOGGER.level, logging.INFO
    LOGGER.addHandler(handler)
    yield handler
    LOGGER.removeHandler(handler)
    LOGGER.setLevel(level)


def test_a_run_that_waits_for_its_turn_says_whom_it_waits_for(settings, add, reports, monkeypatch):
    monkeypatch.setattr(module, "WAIT_REPORT_SECONDS", 0.05)
    add("BTC")
    currencies = wiring.market_data(settings)
    with open_instance(settings) as instance:
        storage = instance.event_log_storage
        storage.initialize_concurrency_limit_to_default(POOL)
        other = instance.create_run_for_job(defs_of(settings).resolve_job_def("refresh_currencies"))
        assert storage.claim_concurrency_slot(POOL, other.run_id, "market_data").is_claimed

        def end_the_other() -> None:
            reports.one.wait()
            storage.free_concurrency_slots_for_run(other.run_id)

        threading.Thread(target=end_the_other).start()
        job = defs_of(settings).resolve_job_def("refresh_currencies")
        (outcome,) = launch(job, instance, currencies, ["BTC"], MARKET_DATA.layers)
    assert not outcome.failed
    assert reports.messages[0] == f"waits for run {other.run_id} (not begun) to end"
