"""What people upload by mistake or malice is refused in one line, and nothing is changed."""

from __future__ import annotations

import json
import resource
import sys

import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv


@pytest.fixture
def refused(home, pair, write):
    """Runs `add` with something wrong; gives the line it says, and checks that nothing changed."""
    good = dict(zip(("history", "trend"), pair("BTC"), strict=True))

    def add(ticker="BTC", **wrong):
        files = {**good, **wrong}
        words = ["add", ticker, "--history", str(files["history"]), "--trend", str(files["trend"])]
        result = CliRunner().invoke(main, words, catch_exceptions=False)
        assert result.exit_code == 2
        assert result.stdout == ""
        stored = [p.name for p in (home / "inbox").rglob("[!.]*") if p.is_file()]
        assert stored == []
        return result.stderr.strip().splitlines()[-1]

    return add


def test_a_missing_file_is_refused(refused, tmp_path):
    assert "does not exist" in refused(history=tmp_path / "none.csv")


def test_a_folder_is_refused(refused, tmp_path):
    assert "is a directory" in refused(trend=tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\n\n", "empty"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n", "PDF"),
        (b"PK\x03\x04\x14\x00\x06\x00" + bytes(200), "zip"),
        (b"\x1f\x8b\x08\x00" + bytes(200), "gzip"),
        (b'"Date","Price","Open","High","Low","Vol.","Change %"\n', "only a header"),
        (history_csv().encode().replace(b"100.00", b"10\x000.00", 1), "NUL"),
        (b"=cmd|' /C calc'!A0,1\n" * 50, "date"),
        (b"just some text\nof a few lines\nand no table\n", "not a table"),
    ],
    ids=["empty", "blank", "pdf", "zip", "gzip", "header", "nul", "injection", "text"],
)
def test_a_file_that_is_no_price_history_is_refused_with_the_reason(
    refused, write, content, reason
):
    line = refused(history=write("bad.csv", content))
    assert line.startswith("crypto-assets: ")
    assert "bad.csv" in line
    assert reason.lower() in line.lower()


def test_two_histories_instead_of_a_pair_are_refused(refused, write):
    line = refused(trend=write("second.csv", history_csv(7.0)))
    assert "second.csv: this is a price history, not search interest" in line


def test_two_trends_instead_of_a_pair_are_refused(refused, write):
    line = refused(history=write("t.csv", trend_csv("btc")))
    assert "t.csv: this is search interest, not a price history" in line


def test_300_mb_in_one_line_are_refused_in_bounded_memory(refused, tmp_path):
    path = tmp_path / "long.csv"
    with path.open("wb") as stream:
        for _ in range(300):
            stream.write(b"1,2.5," * (1 << 20).__floordiv__(6))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = refused(history=path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert "long.csv" in line
    assert grown * (1 if sys.platform == "darwin" else 1024) < 300e6


@pytest.mark.parametrize(
    "ticker", ["../x", "BTC; DROP", "", " ", "BTC/ETH", "a" * 21, 'b"tc', "ÄTH", "B\nC"]
)
def test_a_ticker_that_could_be_a_path_or_sql_is_refused(refused, ticker):
    assert refused(ticker).endswith("is no ticker: use 1 to 20 letters and digits, such as BTC")


def test_a_ticker_named_like_the_warehouse_table_is_refused(refused):
    assert "choose another ticker" in refused("prices")


@pytest.mark.parametrize("words", [["materialize"], ["materialize", "BTC", "--all"]])
def test_materialize_wants_tickers_or_all(home, words):
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "--all" in result.stderr


def test_an_unregistered_ticker_is_named(home):
    result = CliRunner().invoke(main, ["materialize", "NOPE"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "crypto-assets: NOPE: not registered; run `crypto-assets add` first\n"


def test_sql_on_an_empty_home_says_what_to_do(home):
    result = CliRunner().invoke(main, ["sql", "SELECT 1"])
    assert result.exit_code == 2
    assert "run `crypto-assets materialize` first" in result.stderr


def test_a_wrong_setting_is_named(home, monkeypatch):
    monkeypatch.setenv("CRYPTO_ASSETS_ENGINE", "flink")
    result = CliRunner().invoke(main, ["status"])
    assert result.exit_code == 2
    assert "setting engine" in result.stderr


def test_a_broken_settings_file_is_named(home, tmp_path):
    (tmp_path / "crypto_assets.toml").write_text("home = [\n")
    result = CliRunner().invoke(main, ["status"])
    assert result.exit_code == 2
    assert "crypto_assets.toml" in result.stderr


def test_a_stored_upload_that_is_lost_fails_alone_and_in_one_line(home, pair):
    runner = CliRunner()
    for ticker in ("BTC", "ETH"):
        history, trend = pair(ticker)
        runner.invoke(main, ["add", ticker, "--history", str(history), "--trend", str(trend)])
    entry = json.loads((home / "inbox/_registry/market_data/entries/ETH.json").read_bytes())
    (home / "inbox/_contents" / entry["files"]["trend"]["etag"]).unlink()
    result = runner.invoke(main, ["materialize", "--all"], catch_exceptions=False)
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert [line.split()[:2] for line in lines] == [["BTC", "ok"], ["ETH", "FAILED"]]
    assert "the upload cannot be opened" in lines[1]


@pytest.mark.parametrize("name", ["a [old] home", "50%", "ticker=BTC", "#1", "what?"])
def test_a_home_whose_path_a_library_would_take_for_a_pattern_is_refused(monkeypatch, name):
    monkeypatch.setenv("CRYPTO_ASSETS_HOME", name)
    result = CliRunner().invoke(main, ["status"])
    assert result.exit_code == 2
    assert "a path without" in result.stderr


def test_a_home_with_blanks_and_letters_of_any_language_works(home, monkeypatch, pair):
    monkeypatch.setenv("CRYPTO_ASSETS_HOME", str(home.parent / "mein Ordner 数据 é"))
    history, trend = pair("BTC")
    words = ["add", "BTC", "--history", str(history), "--trend", str(trend)]
    assert CliRunner().invoke(main, words, catch_exceptions=False).exit_code == 0
    result = CliRunner().invoke(main, ["materialize", "BTC"], catch_exceptions=False)
    assert result.exit_code == 0, result.stdout
