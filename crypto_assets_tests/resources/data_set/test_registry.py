"""The registry: partitions get their files one by one, and stay due until their run was requested.

The market data stand for any data set of two files.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.registry import Claim, Given, Registry
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.printable import printable
from crypto_assets_tests.helpers.processes import saying
from crypto_assets_tests.helpers.waiting import HANG_S

ASSIGNER = """
import sys
from crypto_assets.resources.data_set.registry import Claim, Given, Registry
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.spark.market_data.data_set import MARKET_DATA
registry, kind = Registry(MARKET_DATA, LocalObjects(root=sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.read()
for number in range(40):
    registry.assign(f"T{number}", kind, StoredUpload(f"{number}.csv", kind, kind, 1, "2024"), {})
"""
FACTS = {"colour": "red", "names": ["gold"]}


def upload(name: str, content: str = "1") -> StoredUpload:
    return StoredUpload(f"in/{name}", name, content * 64, 9, "2024-01-01T00:00:00+00:00")


HISTORY, TREND = upload("btc.csv", "a"), upload("multiTimeline.csv", "b")


@pytest.fixture
def registry(objects: Objects) -> Registry:
    return Registry(MARKET_DATA, objects)


@pytest.fixture
def btc(registry: Registry) -> Entry:
    registry.assign("BTC", "history", HISTORY, {})
    entry = registry.assign("BTC", "trend", TREND, FACTS)
    assert registry.is_complete(entry)
    return entry


def test_an_empty_registry_answers_and_has_nothing(registry):
    assert registry.names() == []
    assert registry.get("BTC") is None
    assert registry.get_all(["BTC"]) == {}
    assert (registry.waiting(), list(registry.uploads()), registry.due()) == ({}, [], {})
    registry.remove("BTC")
    registry.settle({"BTC": "token"})


@pytest.mark.parametrize("order", [("history", "trend"), ("trend", "history")])
def test_a_partition_waits_for_its_second_file_and_has_the_facts_named_last(registry, order):
    files = {"history": HISTORY, "trend": TREND}
    first, second = order
    one = registry.assign("BTC", first, files[first], {"colour": "red", "size": 1})
    assert one == Entry("BTC", {first: files[first]}, {"colour": "red", "size": 1})
    assert not registry.is_complete(one)
    assert registry.waiting() == {"BTC": one}
    assert registry.get("BTC") == one
    assert registry.get_all(["BTC"]) == {}
    assert list(registry.uploads()) == [("BTC", first, files[first])]
    assert registry.due() == {}
    both = registry.assign("BTC", second, files[second], {"colour": "blue"})
    assert both == Entry("BTC", files, {"colour": "blue", "size": 1})
    assert registry.is_complete(both)
    assert registry.get("BTC") == both
    assert registry.waiting() == {}
    assert sorted(registry.uploads()) == [("BTC", "history", HISTORY), ("BTC", "trend", TREND)]
    assert list(registry.due()) == ["BTC"]


def test_an_entry_survives_its_document(registry, btc):
    again = Registry(MARKET_DATA, registry.objects)
    assert again.get("BTC") == btc == Entry("BTC", {"history": HISTORY, "trend": TREND}, FACTS)
    assert again.version(again.get("BTC"), "gold") == registry.version(btc, "gold")


def test_an_assigned_file_replaces_its_kind_and_keeps_the_facts_not_named(registry, btc):
    new = upload("new.csv", "c")
    entry = registry.assign("BTC", "trend", new, {"size": 1})
    assert entry.files == {"history": HISTORY, "trend": new}
    assert entry.facts == {**FACTS, "size": 1}
    assert registry.get("BTC") == entry


def test_an_entry_knows_the_contents_it_was_made_from_before(registry, btc):
    newer = upload("btc.csv", "c")
    assert registry.assign("BTC", "history", newer, {}).earlier.keys() == {HISTORY.etag}
    entry = registry.assign("BTC", "history", upload("btc.csv", "d"), {})
    assert entry.earlier.keys() == {HISTORY.etag, newer.etag}
    again = registry.assign("BTC", "history", HISTORY, {})
    assert again.earlier.keys() == {newer.etag, "d" * 64}
    assert registry.get("BTC") == again


def test_files_of_many_partitions_are_given_at_once_and_each_entry_is_written_once(registry, btc):
    registry.settle(registry.due())
    newer = upload("btc.csv", "c")
    claims = [
        Claim("ETH", "history", HISTORY),
        Claim("BTC", "trend", TREND),
        Claim("ETH", "trend", TREND),
        Claim("BTC", "history", newer),
        Claim("XMR", "trend", TREND),
    ]
    given = registry.assign_all(claims, lambda entry: {"was": sorted(entry.files)})
    found = {(claim.partition, claim.kind): each for claim, each in given}
    assert {claimed: sorted(each.entry.files) for claimed, each in found.items()} == {
        ("ETH", "history"): ["history"],
        ("ETH", "trend"): ["history", "trend"],
        ("BTC", "history"): ["history", "trend"],
        ("BTC", "trend"): ["history", "trend"],
        ("XMR", "trend"): ["trend"],
    }
    assert [claimed for claimed, each in found.items() if each.known] == [("BTC", "trend")]
    assert registry.get("ETH").facts == {"was": ["history"]}
    entry, wanted = registry.get("BTC"), {"history": newer, "trend": TREND}
    assert (entry.files, entry.facts) == (wanted, {**FACTS, "was": ["history", "trend"]})
    assert entry.earlier.keys() == {HISTORY.etag}
    assert (registry.names(), list(registry.waiting())) == (["BTC", "ETH"], ["XMR"])
    assert {name: len(changes.split()) for name, changes in registry.due().items()} == {
        "BTC": 1,
        "ETH": 1,
    }


def test_files_that_a_partition_has_already_change_nothing(registry, btc):
    before = registry.due()
    moved = replace(HISTORY, key="in/another name.csv")
    ((_, given),) = registry.assign_all([Claim("BTC", "history", moved)], lambda _: {"size": 9})
    assert given == Given(btc, known=True)
    assert (registry.get("BTC"), registry.due()) == (btc, before)


def test_a_damaged_entry_and_one_whose_facts_break_keep_no_other_from_its_files(registry, btc):
    registry.objects.write("_registry/market_data/entries/BTC.json", b"{no json")

    def facts(entry: Entry) -> dict[str, str]:
        return {"ticker": {"ETH": "of ETH"}[entry.partition]}

    claims = [Claim(name, "trend", TREND) for name in ("BTC", "XMR", "ETH")]
    found = {claim.partition: given for claim, given in registry.assign_all(claims, facts)}
    assert "BTC: its registry entry" in str(found["BTC"])
    assert isinstance(found["XMR"], KeyError)
    assert found["ETH"].entry.facts == {"ticker": "of ETH"}
    assert list(registry.waiting()) == ["ETH"]


def test_a_file_of_one_partition_does_not_complete_another(registry):
    registry.assign("BTC", "history", HISTORY, {})
    assert not registry.is_complete(registry.assign("ETH", "trend", TREND, {}))
    assert sorted(registry.waiting()) == ["BTC", "ETH"]
    assert registry.names() == []


def test_a_change_is_due_until_its_own_token_is_settled(registry, btc):
    ((name, old),) = registry.due().items()
    registry.assign("BTC", "trend", upload("new.csv", "c"), {})
    both = registry.due()
    registry.settle({name: old})
    newer = registry.due()
    assert list(both) == list(newer) == [name]
    assert old not in newer[name]
    for _ in range(2):
        registry.settle(both)
        assert registry.due() == {}


def test_the_same_entry_put_again_is_a_new_change(registry, btc):
    tokens = set(registry.due().values())
    for _ in range(3):
        registry.put(btc)
        tokens |= set(registry.due().values())
    assert len(tokens) == 4


def test_unfinished_documents_are_not_read(registry, btc):
    for folder in ("entries", "due", "waiting"):
        registry.objects.write(f"_registry/market_data/{folder}/.tmp1.part", b"{")
    assert registry.names() == ["BTC"]
    assert list(registry.due()) == ["BTC"]
    assert registry.waiting() == {}


def test_a_waiting_document_that_a_crash_left_behind_does_not_wait(registry, btc):
    left_over = "_registry/market_data/waiting/BTC.json"
    document = {"partition": "BTC", "files": {"history": vars(HISTORY)}, "facts": {}}
    registry.objects.write(left_over, json.dumps(document).encode())
    assert registry.waiting() == {}
    assert registry.get("BTC") == btc
    registry.put(btc)
    assert registry.objects.find(left_over) is None


def test_remove_forgets_entry_waiting_files_and_what_is_due_and_nothing_of_others(registry, btc):
    registry.assign("ETH", "trend", upload("eth.csv"), {})
    xmr = registry.assign("XMR", "trend", upload("xmr.csv"), {})
    for name in ("BTC", "ETH", "BTC"):
        registry.remove(name)
    assert (registry.names(), registry.due()) == ([], {})
    assert registry.waiting() == {"XMR": xmr}
    assert not registry.is_complete(registry.assign("BTC", "history", HISTORY, {}))


def test_names_of_any_bytes_survive_and_reach_the_job_as_characters(registry):
    odd = StoredUpload("a/b\udcff.csv", printable("b\udcff.csv"), "a" * 64, 1, "2024")
    registry.assign("BTC", "history", odd, {})
    entry = registry.assign("BTC", "trend", TREND, {})
    assert Registry(MARKET_DATA, registry.objects).get("BTC").files["history"] == odd
    assert registry.pinned(entry)["history"].name == "b\\udcff.csv"


def test_a_job_reads_the_content_that_is_kept_for_good(registry, btc):
    pinned = registry.pinned(btc)
    assert [each.etag for each in pinned.values()] == [HISTORY.etag, TREND.etag]
    assert pinned["trend"].uri == registry.objects.uri(f"_contents/{TREND.etag}")


@pytest.mark.parametrize("objects", ["local"], indirect=True)
def test_two_processes_that_assign_the_two_files_at_once_end_complete(registry):
    root = registry.objects.root
    with (
        saying("ready", ASSIGNER, root, "history") as one,
        saying("ready", ASSIGNER, root, "trend") as other,
    ):
        for assigner in (one, other):
            assigner.stdin.close()
        assert (one.wait(HANG_S), other.wait(HANG_S)) == (0, 0)
    assert sorted(registry.names()) == sorted(registry.due()) == sorted(f"T{n}" for n in range(40))
    assert registry.waiting() == {}


def test_two_threads_that_assign_the_two_files_at_once_end_complete(registry):
    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            assigned = pool.map(
                lambda file, name=f"T{number}": registry.assign(name, *file, {}),
                [("history", HISTORY), ("trend", TREND)],
            )
            assert sum(registry.is_complete(entry) for entry in assigned) == 1
    assert len(registry.names()) == 20


def test_two_threads_that_change_one_entry_lose_no_change(registry, btc):
    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            new = {kind: upload(f"{number}.csv") for kind in ("history", "trend")}
            list(pool.map(lambda item: registry.assign("BTC", *item, {}), new.items()))
            assert registry.get("BTC").files == new
