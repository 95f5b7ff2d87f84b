"""The ledger: content that was decided on is not looked at again, and nothing else is left out."""

from __future__ import annotations

import pytest

from crypto_assets.resources.inbox.ledger import Ledger, Quarantined
from crypto_assets.resources.storage.objects import Object, Objects

BTC = Object("btc.csv", "10-1", 10, 1.0)
NEW_BTC = Object("btc.csv", "12-9", 12, 9.0)
ETH = Object("eth/prices.csv", "20-2", 20, 2.0)
XMR = Object("比特 币\udcff.csv", "30-3", 30, 3.0)


@pytest.fixture
def ledger(objects: Objects) -> Ledger:
    return Ledger(objects)


@pytest.fixture(params=["the same object", "after a restart"])
def later(request, ledger, objects):
    """The ledger as it is looked at next."""
    return lambda: ledger if request.param == "the same object" else Ledger(objects)


def files(objects: Objects) -> list[str]:
    """The folder of each record."""
    return sorted(found.key.split("/")[1] for found in objects.below("_decisions"))


def test_an_empty_ledger_writes_nothing(ledger, objects):
    assert ledger.undecided([BTC]) == [BTC]
    assert ledger.quarantined() == []
    assert not ledger.is_open("btc.csv")
    ledger.reopen()
    ledger.drop_gone([])
    ledger.forget("btc.csv")
    assert files(objects) == []


def test_the_undecided_come_oldest_first_and_by_key_at_one_time(ledger):
    same_time = Object("a.csv", "20-2", 20, 2.0)
    assert ledger.undecided([XMR, ETH, BTC, same_time]) == [BTC, same_time, ETH, XMR]


@pytest.mark.parametrize("decision", ["assigned", "quarantine", "removed"])
def test_content_is_decided_on_once_and_new_content_anew(ledger, later, decision):
    for arrival in (BTC, XMR):
        ledger.decide(arrival, decision, "why")
    assert later().undecided([BTC, ETH, XMR]) == [ETH]
    assert later().undecided([NEW_BTC, XMR]) == [NEW_BTC]


def test_the_same_content_under_another_key_is_undecided(ledger, later):
    ledger.decide(BTC, "assigned")
    copy = Object("copy of btc.csv", BTC.etag, BTC.size, BTC.modified)
    assert later().undecided([BTC, copy]) == [copy]


def test_old_content_that_comes_back_is_decided_on_again(ledger, later):
    ledger.decide(BTC, "assigned")
    ledger.decide(NEW_BTC, "assigned")
    assert later().undecided([BTC]) == [BTC]


def test_quarantine_lists_key_size_and_reason_by_key(ledger, later):
    ledger.decide(XMR, "quarantine", "no known coin\nis named 比特\udcff")
    ledger.decide(ETH, "assigned")
    ledger.decide(BTC, "quarantine", "it is empty")
    assert later().quarantined() == [
        Quarantined("btc.csv", 10, "it is empty"),
        Quarantined("比特 币\udcff.csv", 30, "no known coin\nis named 比特\udcff"),
    ]


@pytest.mark.parametrize("decision", ["assigned", "removed"])
def test_an_upload_leaves_quarantine_when_it_is_decided_on_otherwise(
    ledger, later, objects, decision
):
    ledger.decide(BTC, "quarantine", "unclear")
    later().decide(NEW_BTC, decision)
    assert Ledger(objects).quarantined() == []
    assert files(objects) == [decision]


def test_a_new_reason_replaces_the_old_one(ledger, later, objects):
    ledger.decide(BTC, "quarantine", "first")
    ledger.decide(BTC, "quarantine", "second")
    ledger.decide(NEW_BTC, "quarantine", "third")
    assert later().quarantined() == [Quarantined("btc.csv", 12, "third")]
    assert files(objects) == ["quarantine"]


def test_what_is_gone_leaves_quarantine_and_is_looked_at_when_it_comes_back(ledger, later):
    for arrival in (BTC, ETH, XMR):
        ledger.decide(arrival, "assigned" if arrival is ETH else "quarantine")
    later().drop_gone([XMR])
    assert [upload.key for upload in later().quarantined()] == [XMR.key]
    assert later().undecided([BTC, ETH, XMR]) in ([BTC], [BTC])


def test_what_was_replaced_is_not_gone(ledger, later):
    ledger.decide(BTC, "quarantine", "why")
    later().drop_gone([NEW_BTC])
    assert later().quarantined() == [Quarantined("btc.csv", 10, "why")]


def test_reopening_decides_anew_on_quarantine_alone(ledger, later, objects):
    ledger.decide(BTC, "quarantine")
    ledger.decide(ETH, "assigned")
    ledger.decide(XMR, "removed")
    later().reopen()
    again = Ledger(objects)
    assert again.quarantined() == []
    assert again.undecided([BTC, ETH, XMR]) == [BTC]


@pytest.mark.parametrize("decision", ["assigned", "quarantine", "removed"])
def test_a_forgotten_key_is_decided_anew(ledger, later, objects, decision):
    ledger.decide(BTC, decision)
    ledger.decide(ETH, decision)
    later().forget("btc.csv")
    assert Ledger(objects).undecided([BTC, ETH]) == [BTC]
    assert files(objects) == [decision]


@pytest.mark.parametrize(
    ("decision", "is_open"), [("assigned", False), ("quarantine", True), ("removed", True)]
)
def test_an_upload_in_quarantine_or_removed_is_open(ledger, later, decision, is_open):
    ledger.decide(BTC, decision)
    assert later().is_open("btc.csv") is is_open
    assert not later().is_open("eth/prices.csv")


def test_a_crash_between_two_decisions_has_the_upload_decided_on_once_more(objects):
    Ledger(objects).decide(BTC, "quarantine", "old")
    left_over = next(objects.below("_decisions/quarantine")).key
    content = objects.read(left_over)
    Ledger(objects).decide(NEW_BTC, "assigned")
    objects.write(left_over, content)  # as if the process had died before removing it
    ledger = Ledger(objects)
    assert ledger.undecided([NEW_BTC]) == [NEW_BTC]
    ledger.decide(NEW_BTC, "assigned")
    assert Ledger(objects).undecided([NEW_BTC]) == []
    assert Ledger(objects).quarantined() == []


def test_a_record_another_process_took_back_meanwhile_is_not_listed(ledger, objects):
    ledger.decide(BTC, "quarantine", "why")
    ledger.decide(ETH, "quarantine", "why")
    Ledger(objects).forget("btc.csv")
    assert [upload.key for upload in ledger.quarantined()] == ["eth/prices.csv"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"key": 1}', b"\xff", b'{"key": "btc.csv", "si'])
def test_a_record_a_power_cut_broke_has_its_upload_decided_anew(ledger, objects, content):
    ledger.decide(BTC, "quarantine", "why")
    ledger.decide(ETH, "quarantine", "why")
    records = [found.key for found in objects.below("_decisions/quarantine")]
    objects.write(next(key for key in records if b"btc" in objects.read(key)), content)
    assert [upload.key for upload in Ledger(objects).quarantined()] == ["eth/prices.csv"]
    assert Ledger(objects).undecided([BTC, ETH]) == [BTC]


def test_unfinished_records_are_not_read(ledger, objects):
    ledger.decide(BTC, "quarantine", "why")
    objects.write("_decisions/quarantine/.tmp123.part", b"{")
    assert len(Ledger(objects).quarantined()) == 1
