"""`crypto-assets report` as a person types it: one file, with what `status` and the tables say."""

from __future__ import annotations

import json
import shutil
import webbrowser
from datetime import date, timedelta
from pathlib import Path

import pytest

from crypto_assets_tests.helpers.exports_text import trend_csv
from crypto_assets_tests.helpers.report_page import currencies, facts

ACCOUNTS = Path(__file__).parent.parent.parent / "sample_data" / "accounts"


def test_the_report_is_in_the_home_and_its_path_is_printed(run, add, home):
    add("BTC")
    add("ETH", cells={12: "n.a. see mail"})
    run("materialize", "--all")
    code, out, _ = run("report")
    assert (code, out) == (0, f"{home / 'report.html'}\n")
    shown = currencies(home / "report.html")
    (document,) = json.loads(run("status", "BTC", "--json")[1])["currencies"]
    assert (shown["BTC"]["state"], shown["BTC"]["problems"]) == ("published", [])
    assert shown["BTC"]["published"] == document["layers"]["warehouse"]["at"]
    counting = "SELECT count(price), count(trend) FROM market_data.btc"
    counted = run("sql", counting, "--format", "csv")[1].splitlines()[1]
    assert f"{shown['BTC']['days']},{shown['BTC']['trendDays']}" == counted
    assert shown["ETH"]["state"] == "failed"
    assert "n.a. see mail" in shown["ETH"]["problems"][0]
    assert shown["ETH"]["first"] is None
    assert facts(home / "report.html")["accounts"] is None


def test_days_that_the_readers_remarks_on_the_prices_name_are_marked(run, write, home):
    first = date(2024, 1, 25)
    rows = [f"{first + timedelta(n)},{100 + n % 7 if n < 30 else 3000 + n % 7}" for n in range(60)]
    history = write("BTC.csv", "\n".join(["timestamp,price", *rows]) + "\n")
    trend = write("multiTimeline.csv", trend_csv("BTC"))
    assert run("add", "BTC", "--history", history, "--trend", trend)[0] == 0
    run("materialize", "BTC")
    run("report")
    btc = currencies(home / "report.html")["BTC"]
    assert "and stays so: a redenomination" in btc["remarks"][0]
    named = [(first + timedelta(n) - date(1970, 1, 1)).days for n in (29, 30)]
    assert btc["marked"] == named


def test_the_newest_snapshot_of_customer_accounts_is_counted(run, home):
    files = [ACCOUNTS / f"{kind}.csv" for kind in ("customers", "accounts")]
    assert run("accounts", "--customers", files[0], "--accounts", files[1])[0] == 0
    run("report")
    accounts = facts(home / "report.html")["accounts"]
    assert accounts["state"] == "published"
    assert accounts["counts"]["inserted"] > 0
    assert "such_as" not in json.dumps(accounts)


def test_a_home_without_currencies_gets_a_report_that_says_so(run, home):
    assert run("report")[0] == 0
    assert currencies(home / "report.html") == {}


def test_output_names_another_file_and_open_shows_it(run, add, home, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or False)
    target = tmp_path / "shared" / "prices.html"
    code, out, err = run("report", "--open", "--output", target)
    assert (code, out, opened) == (0, f"{target}\n", [target.as_uri()])
    assert "open the file by hand" in err
    assert not (home / "report.html").exists()


def test_a_table_that_cannot_be_read_is_a_problem_of_its_currency_alone(run, add, home):
    for ticker in ("BTC", "ETH"):
        add(ticker)
    run("materialize", "--all")
    (home / "lake/gold/ticker=ETH/data.parquet").write_bytes(b"no parquet")
    assert run("report")[0] == 0
    shown = currencies(home / "report.html")
    assert "cannot be read" in shown["ETH"]["problems"][-1]
    assert shown["BTC"]["problems"] == []
    shutil.rmtree(home / "lake/gold/ticker=ETH")
    run("report")
    assert "is missing" in currencies(home / "report.html")["ETH"]["problems"][0]


@pytest.mark.parametrize("name", ["<script>.csv", "[x]\u202e.csv", "a\"'&b.csv"])
def test_names_of_files_are_shown_without_what_is_invisible(run, pair, home, tmp_path, name):
    history, trend = pair("BTC")
    other = history.rename(tmp_path / name)
    assert run("add", "BTC", "--history", other, "--trend", trend)[0] == 0
    run("report")
    assert currencies(home / "report.html")["BTC"]["files"][0] == name.replace("\u202e", r"\u202e")
