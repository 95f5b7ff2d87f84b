"""The registry: halves become currencies, changes stay due until a run was asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from crypto_assets.resources.market_data.registry import (
    Entry,
    Registry,
    StoredUpload,
    WrongUse,
    checked_ticker,
)
from crypto_assets.resources.storage.files import printable
from crypto_assets.resources.storage.objects import Objects

TAKER = """
import sys
from crypto_assets.resources.market_data.registry import Registry, StoredUpload
from crypto_assets.resources.storage.objects import LocalObjects
registry, kind = Registry(objects=LocalObjects(root=sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(40):
    registry.take(f"T{number}", kind, StoredUpload(f"{number}.csv", kind, kind, 1, "2024"), {})
"""


def upload(name: str, content: str = "1") -> StoredUpload:
    return StoredUpload(f"in/{name}", name, content * 64, 9, "2024-01-01T00:00:00+00:00")


HISTORY, TREND = upload("btc.csv", "a"), upload("multiTimeline.csv", "b")


@pytest.fixture
def registry(objects: Objects) -> Registry:
    return Registry(objects=objects)


@pytest.fixture
def btc(registry: Registry) -> Entry:
    registry.take("BTC", "history", HISTORY, {})
    entry = registry.take("BTC", "trend", TREND, {"missing": "drop", "names": ("gold",)})
    assert entry
    return entry


def test_an_empty_registry_answers_and_has_nothing(registry):
    assert registry.tickers() == []
    assert registry.get("BTC") is None
    assert registry.upload("BTC", "trend") is None
    assert (registry.waiting(), list(registry.uploads()), registry.due()) == ({}, [], {})
    registry.remove("BTC")
    registry.settle("BTC", "token")


@pytest.mark.parametrize("order", [("history", "trend"), ("trend", "history")])
def test_a_currency_waits_for_its_second_file_and_gets_the_settings_said_then(registry, order):
    files = {"history": HISTORY, "trend": TREND}
    first, second = order
    assert registry.take("BTC", first, files[first], {"missing": "drop"}) is None
    assert registry.waiting() == {"BTC": (first, files[first])}
    assert registry.upload("BTC", first) == files[first]
    assert registry.upload("BTC", second) is None
    assert list(registry.uploads()) == [("BTC", first, files[first])]
    assert registry.due() == {}
    entry = registry.take("BTC", second, files[second], {"dates": "dmy"})
    assert entry == Entry("BTC", HISTORY, TREND, dates="dmy")
    assert registry.get("BTC") == entry
    assert registry.waiting() == {}
    assert sorted(registry.uploads()) == [("BTC", "history", HISTORY), ("BTC", "trend", TREND)]
    assert list(registry.due()) == ["BTC"]


def test_an_entry_survives_its_document(registry, btc):
    again = Registry(objects=registry.objects)
    assert again.get("BTC") == btc == Entry("BTC", HISTORY, TREND, "drop", names=("gold",))
    assert again.get("BTC").version("gold") == btc.version("gold")


def test_a_taken_file_replaces_its_kind_and_keeps_the_settings_not_named(registry, btc):
    new = upload("new.csv", "c")
    entry = registry.take("BTC", "trend", new, {"dates": "dmy"})
    assert entry == Entry("BTC", HISTORY, new, "drop", "dmy", names=("gold",))
    assert registry.get("BTC") == entry


def test_a_half_of_one_currency_does_not_complete_another(registry):
    registry.take("BTC", "history", HISTORY, {})
    assert registry.take("ETH", "trend", TREND, {}) is None
    assert sorted(registry.waiting()) == ["BTC", "ETH"]
    assert registry.tickers() == []


def test_a_change_is_due_until_its_own_token_is_settled(registry, btc):
    ((ticker, old),) = registry.due().items()
    registry.take("BTC", "trend", upload("new.csv", "c"), {})
    newer = registry.due()
    assert newer != {ticker: old}
    registry.settle("BTC", old)
    assert registry.due() == newer
    registry.settle("BTC", newer["BTC"])
    registry.settle("BTC", newer["BTC"])
    assert registry.due() == {}


def test_the_same_entry_put_again_is_a_new_change(registry, btc):
    tokens = set(registry.due().values())
    for _ in range(3):
        registry.put(btc)
        tokens |= set(registry.due().values())
    assert len(tokens) == 4


def test_unfinished_documents_are_not_read(registry, btc):
    for folder in ("_registry", "_due", "_waiting/history"):
        registry.objects.write(f"{folder}/.tmp1.part", b"{")
    assert registry.tickers() == ["BTC"]
    assert list(registry.due()) == ["BTC"]
    assert registry.waiting() == {}


def test_a_half_a_crash_left_behind_does_not_wait(registry, btc):
    left_over = "_waiting/history/BTC.json"
    registry.objects.write(left_over, json.dumps(HISTORY.__dict__).encode())
    assert registry.waiting() == {}
    registry.put(btc)
    assert registry.objects.find(left_over) is None


def test_remove_forgets_entry_halves_and_what_is_due_and_nothing_of_others(registry, btc):
    registry.take("ETH", "trend", upload("eth.csv"), {})
    registry.take("XMR", "trend", upload("xmr.csv"), {})
    for ticker in ("BTC", "ETH", "BTC"):
        registry.remove(ticker)
    assert (registry.tickers(), registry.due()) == ([], {})
    assert registry.waiting() == {"XMR": ("trend", upload("xmr.csv"))}
    assert registry.take("BTC", "history", HISTORY, {}) is None


def test_names_of_any_bytes_survive_and_reach_the_job_as_characters(registry):
    odd = StoredUpload("a/b\udcff.csv", printable("b\udcff.csv"), "a" * 64, 1, "2024")
    registry.take("BTC", "history", odd, {})
    entry = registry.take("BTC", "trend", TREND, {})
    assert Registry(objects=registry.objects).get("BTC").history == odd
    assert registry.order(entry, {}).history.name == "b\\udcff.csv"


@pytest.mark.parametrize("objects", ["local"], indirect=True)
def test_two_processes_that_take_the_two_halves_at_once_end_complete(registry):
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, registry.objects.root, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in ("history", "trend")
    ]
    for taker in takers:
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:
        taker.stdin.write("go\n")
        taker.stdin.flush()
    for taker in takers:
        taker.communicate(timeout=60)
        assert taker.returncode == 0
    assert (
        sorted(registry.tickers()) == sorted(registry.due()) == sorted(f"T{n}" for n in range(40))
    )
    assert registry.waiting() == {}


def test_two_threads_that_take_the_two_halves_at_once_end_complete(registry):
    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            taken = pool.map(
                lambda half, ticker=f"T{number}": registry.take(ticker, *half, {}),
                [("history", HISTORY), ("trend", TREND)],
            )
            assert sum(entry is not None for entry in taken) == 1
    assert len(registry.tickers()) == 20


def test_two_threads_that_change_one_entry_lose_no_change(registry, btc):
    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            new = {kind: upload(f"{number}.csv") for kind in ("history", "trend")}
            list(pool.map(lambda item: registry.take("BTC", *item, {}), new.items()))
            entry = registry.get("BTC")
            assert {"history": entry.history, "trend": entry.trend} == new


@pytest.mark.parametrize(
    ("text", "ticker"), [("btc", "BTC"), (" 1Inch ", "1INCH"), ("A" * 20,) * 2]
)
def test_a_ticker_is_letters_and_digits_in_capitals(text, ticker):
    assert checked_ticker(text) == ticker


@pytest.mark.parametrize(
    "text", ["", "B-C", "../X", "A" * 21, "BTC\n\n.", "比", "prices", "\uff22"]
)
def test_what_cannot_be_a_path_and_a_view_is_no_ticker(text):
    with pytest.raises(WrongUse):
        checked_ticker(text)
