"""What a warehouse knows of currencies that passed, failed, or were never computed."""

from __future__ import annotations

from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets.resources import wiring
from crypto_assets.resources.market_data.facts import LONGEST, _short

SHOWN = (
    "SELECT ticker, name, source, history_file, filled, verdict, failed_at, problem, "
    "days_with_price FROM market_data.currencies ORDER BY ticker"
)


def run(*words: str) -> int:
    return CliRunner().invoke(main, words, catch_exceptions=False).exit_code


def test_a_run_says_of_each_currency_whether_it_passed_and_why_not(settings, pair):
    for ticker in ("BTC", "BAD", "NEW"):
        history, trend = pair(ticker, cells={9: "n.a. see mail"} if ticker == "BAD" else {})
        assert run("add", ticker, "--history", str(history), "--trend", str(trend), "--force") == 0
    assert run("materialize", "BTC", "BAD") == 1
    problem = "BAD Historical Data.csv: line 9: not a price: 'n.a. see mail'"
    passed = ("BTC", "bitcoin", "investing.com", "BTC Historical Data.csv", 0, "passed")
    failed = ("BAD", None, None, "BAD Historical Data.csv", None, "failed", "bronze", problem)
    warehouse = wiring.warehouse(settings)
    _, rows = warehouse.query(SHOWN)
    assert [row[:-1] for row in rows] == [failed, (*passed, None, None)]
    assert [row[-1] for row in rows] == [None, 40]
    history, trend = pair("BAD")
    assert run("add", "BAD", "--history", str(history), "--trend", str(trend)) == 0
    assert run("materialize", "BAD") == 0
    _, rows = warehouse.query(SHOWN)
    assert [row[5] for row in rows] == ["passed", "passed"]
    assert run("remove", "BTC", "--yes") == 0
    assert [row[0] for row in warehouse.query(SHOWN)[1]] == ["BAD"]


def test_a_long_text_is_cut_where_a_letter_ends():
    cut = _short("ä" * LONGEST)
    assert cut is not None
    assert cut == "ä" * (len(cut) - 1) + "…"
    assert LONGEST - 2 <= len(cut.encode()) <= LONGEST
    assert (_short("b" * LONGEST), _short(""), _short(None)) == ("b" * LONGEST, None, None)
