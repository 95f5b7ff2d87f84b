"""What `status` shows people: tables for a terminal of 80 columns, and what to do first."""

from __future__ import annotations

import re

from sample_data.accounts import write_snapshots

TERMINAL = 80
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d$")


def test_the_tables_fit_on_a_terminal_and_name_the_layer_where_it_broke(run, add, tmp_path):
    add("BTC")
    add("T" * 12, cells={12: "see mail"})
    assert run("materialize", "--all")[0] == 1
    (truth, *_) = write_snapshots(tmp_path / "bank", customers=40, accounts=80, seed=3)
    files = ("--customers", truth.customers, "--accounts", truth.accounts)
    assert run("accounts", *files)[0] == 0
    code, out, err = run("status")
    assert (code, err) == (0, "")
    head, btc, broken, accounts, snapshot, *_ = lines = out.splitlines()
    assert max(map(len, lines[:5])) <= TERMINAL
    assert head.split() == [
        "ticker",
        "state",
        "rows",
        "first",
        "date",
        "last",
        "date",
        "at",
        "(UTC)",
    ]
    assert btc.split()[:5] == ["BTC", "published", "41", "2024-01-21", "2024-03-04"]
    assert MOMENT.search(btc)
    assert broken.split() == ["T" * 12, "bronze", "failed"]
    assert accounts.split() == ["snapshot", "state", "rows", "changes"]
    assert re.search(r"  published  \d+ +\d+ inserted$", snapshot)


def test_a_layer_that_is_older_than_those_before_it_is_named(run, add):
    add("BTC")
    assert run("materialize", "BTC")[0] == 0
    add("BTC", level=7.0)
    assert run("materialize", "BTC", "--layer", "bronze", "--layer", "silver")[0] == 0
    assert "BTC     gold stale  " in run("status")[1]


def test_an_empty_home_says_what_to_do_first(home, run):
    code, out, err = run("status")
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        f"no currency is registered in {home} yet. Either name its two files:",
        "  crypto-assets add BTC --history FILE --trend FILE",
        "  crypto-assets materialize BTC",
        "or leave `crypto-assets ui` running, which does the rest, and upload as many as you like:",
        "  crypto-assets upload FOLDER",
    ]


def test_an_empty_home_beside_the_demo_says_where_the_demo_is(home, run, monkeypatch):
    demo = home.with_name(".demo")
    (demo / "inbox").mkdir(parents=True)
    *_, last = run("status")[2].splitlines()
    assert last == f"what `make demo` made is in another home: set CRYPTO_ASSETS_HOME={demo}"
    monkeypatch.setenv("CRYPTO_ASSETS_HOME", str(demo))
    assert "make demo" not in run("status")[2]
