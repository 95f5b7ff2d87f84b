"""The main job from the command line to SQL: what each currency's verdict is and what it leaves."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb

from crypto_assets.resources import wiring
from crypto_assets.resources.data_set.due import still_due
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv
from sample_data.accounts import write_snapshots


def prices(home, query):
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def published(home):
    """The digest of every published file by its path in the lake."""
    lake = home / "lake"
    files = sorted(lake.glob("**/data.parquet"))
    return {
        str(file.relative_to(lake)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


def test_good_currencies_pass_every_layer_while_broken_ones_stop_where_they_broke(run, add, home):
    for number, ticker in enumerate(["BTC", "1INCH", "007", "ALL", "TABLE"]):
        add(ticker, level=10.0**number)
    add("BADLINE", cells={12: "n.a. see mail"})
    add("GAPS", level=5.0)
    entry = json.loads((home / "inbox/_registry/market_data/entries/GAPS.json").read_bytes())
    pinned = home / "inbox/_contents" / entry["files"]["history"]["etag"]
    pinned.write_text("changed behind our back")
    add("HUGE", level=1.5e308 / 100)

    code, out, err = run("materialize", "--all")

    lines = {line.split()[0]: line for line in out.splitlines()}
    assert code == 1
    assert "BTC" in lines, err
    for ticker in ("BTC", "1INCH", "007", "ALL", "TABLE"):
        assert " ok " in lines[ticker]
        assert "bronze silver gold warehouse" in lines[ticker]
    assert "bronze: BADLINE Historical Data.csv: line 12:" in lines["BADLINE"]
    assert "n.a. see mail" in lines["BADLINE"]
    assert "not what was uploaded" in lines["GAPS"]
    loaded = prices(home, "SELECT DISTINCT ticker FROM market_data.prices ORDER BY 1")
    good = [("007",), ("1INCH",), ("ALL",), ("BTC",), ("TABLE",)]
    assert [row for row in loaded if row[0] != "HUGE"] == good
    counts = prices(home, 'SELECT count(*), min(date), max(date) FROM market_data."all"')
    assert counts[0][0] == 41


def test_a_second_run_on_unchanged_input_leaves_every_file_byte_for_byte(run, add, home):
    for ticker in ("BTC", "ETH", "XMR"):
        add(ticker)
    assert run("materialize", "--all")[0] == 0
    first = published(home)
    assert len(first) == 3 * 5
    assert run("materialize", "--all")[0] == 0
    assert published(home) == first


def test_a_failed_currency_keeps_what_was_published_of_it_before(run, add, home):
    add("BTC")
    add("ETH")
    assert run("materialize", "--all")[0] == 0
    before = published(home)
    add("BTC", cells={20: "n.a. see mail"})
    code, out, _ = run("materialize", "BTC", "ETH")
    assert code == 1
    assert "line 20" in out
    assert published(home) == before
    assert prices(home, "SELECT count(*) FROM market_data.btc") == [(41,)]


def test_status_says_which_layer_failed_and_why_as_table_and_as_json(run, add):
    add("BTC")
    add("ETH", cells={9: "n.a. see mail"})
    run("materialize", "--all")

    code, out, _ = run("status")
    assert code == 0
    assert "ETH: bronze: ETH Historical Data.csv: line 9:" in out

    documents = {
        entry["ticker"]: entry for entry in json.loads(run("status", "--json")[1])["currencies"]
    }
    btc, eth = documents["BTC"], documents["ETH"]
    assert {layer["state"] for layer in btc["layers"].values()} == {"published"}
    assert (btc["rows"], btc["first_date"], btc["last_date"]) == (41, "2024-01-21", "2024-03-04")
    assert [eth["layers"][name]["state"] for name in ("bronze", "silver")] == ["failed", "none"]
    assert eth["files"]["history"]["name"] == "ETH Historical Data.csv"


def test_a_new_upload_makes_every_layer_stale_until_it_is_materialized(run, add):
    add("BTC", level=10.0)
    run("materialize", "BTC")
    add("BTC", level=20.0)
    states = json.loads(run("status", "BTC", "--json")[1])["currencies"][0]["layers"]
    assert {layer["state"] for layer in states.values()} == {"stale"}


def test_single_layers_run_from_what_is_published(run, add, home):
    add("BTC")
    assert run("materialize", "BTC", "--layer", "bronze", "--layer", "silver")[0] == 0
    assert not (home / "warehouse.duckdb").exists()
    code, out, _ = run("materialize", "BTC", "--layer", "warehouse")
    assert code == 1
    assert "its gold is stale or missing" in out
    code, out, _ = run("materialize", "BTC", "--layer", "gold")
    assert (code, out.split()[:3]) == (0, ["BTC", "ok", "gold"])
    assert run("materialize", "BTC", "--layer", "warehouse")[0] == 0
    assert prices(home, "SELECT count(*) FROM market_data.btc") == [(41,)]


def test_missing_drop_leaves_days_out_that_missing_fill_fills(run, write, home):
    text = history_csv(cells={6: "-1"})
    files = ("--history", write("h.csv", text), "--trend", write("t.csv", trend_csv("x")))
    run("add", "FILL", *files)
    run("add", "DROPS", *files, "--missing", "drop")
    assert run("materialize", "--all")[0] == 0
    rows = {
        ticker: duckdb.sql(
            f"SELECT count(*) FROM '{home}/lake/silver/history/ticker={ticker}/data.parquet'"
        ).fetchall()[0][0]
        for ticker in ("FILL", "DROPS")
    }
    assert rows == {"FILL": 40, "DROPS": 39}


def test_an_upload_that_shrinks_the_table_too_much_is_refused_until_it_is_allowed(run, add, home):
    add("BTC", days=40)
    run("materialize", "BTC")
    add("BTC", days=10)
    code, out, _ = run("materialize", "BTC")
    assert code == 1
    assert "silver/history would shrink from 40 to 10 rows" in out
    add("BTC", "--max-shrink", "0.9", days=10)
    assert run("materialize", "BTC")[0] == 0


def test_the_lake_is_read_by_any_tool_with_hive_partitioning(run, add, home):
    add("007")
    run("materialize", "007")
    found = duckdb.sql(
        f"SELECT * FROM read_parquet('{home}/lake/gold/*/*.parquet', hive_partitioning = true)"
    )
    assert found.columns == ["date", "price", "trend", "pricema", "trend_i", "ticker"]
    assert [str(kind) for kind in found.types][:5] == ["DATE"] + ["DOUBLE"] * 4
    bronze = duckdb.sql(
        f"SELECT line, cells FROM '{home}/lake/bronze/kind=history/ticker=007/data.parquet'"
    ).fetchall()
    assert [line for line, _ in bronze] == list(range(1, 42))
    assert bronze[0][1] == ["Date", "Price", "Open", "High", "Low", "Vol.", "Change %"]
    dates = duckdb.sql(f"SELECT date FROM '{home}/lake/gold/ticker=007/data.parquet'").fetchall()
    assert dates == sorted(dates)


def test_sql_answers_as_table_csv_and_json_and_cannot_write(run, add, home):
    add("BTC")
    run("materialize", "BTC")
    query = "SELECT ticker, count(*) AS days FROM market_data.prices GROUP BY ticker"
    assert run("sql", query)[1].split() == ["ticker", "days", "BTC", "41"]
    assert run("sql", query, "--format", "csv")[1] == "ticker,days\nBTC,41\n"
    assert json.loads(run("sql", query, "--format", "json")[1]) == [{"ticker": "BTC", "days": 41}]
    for attack in (
        "DELETE FROM market_data.prices",
        f"COPY market_data.prices TO '{home}/stolen.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELEKT 1",
    ):
        code, out, err = run("sql", attack)
        assert (code, out) == (2, "")
        assert err.startswith("crypto-assets: ")
        assert len(err.splitlines()) == 1
    assert not Path(home, "stolen.csv").exists()


def test_a_warehouse_that_is_no_database_is_made_anew_by_the_command_in_the_message(run, add, home):
    add("BTC")
    add("ETH")
    assert run("materialize", "--all")[0] == 0
    (home / "warehouse.duckdb").write_text("not a database")
    said = f"{home}/warehouse.duckdb cannot be read"
    cure = "delete the file: `crypto-assets materialize --all --layer warehouse`"

    code, out, _ = run("materialize", "BTC")
    assert code == 1
    assert out.startswith(f"BTC      FAILED  warehouse: {said}")
    assert cure in out
    code, _, err = run("sql", "SELECT 1")
    assert (code, len(err.splitlines())) == (1, 1)
    assert err.startswith(f"crypto-assets: {said}")
    assert cure in err
    code, out, _ = run("doctor")
    assert code == 1
    assert cure in next(line for line in out.splitlines() if line.startswith("FIX  warehouse"))

    (home / "warehouse.duckdb").unlink()
    code, out, _ = run("materialize", "--all", "--layer", "warehouse")
    assert (code, out.count(" ok ")) == (0, 2)
    assert prices(home, "SELECT count(*) FROM market_data.btc") == [(41,)]


def test_a_damaged_warehouse_is_no_verdict_on_the_uploads_which_stay_due(
    run, add, home, settings, tmp_path
):
    add("BTC")
    add("ETH")
    (snapshot,) = write_snapshots(tmp_path / "bank", customers=40, accounts=100, seed=7)[:1]
    files = ["--customers", snapshot.customers, "--accounts", snapshot.accounts]
    (home / "warehouse.duckdb").write_text("not a database")
    said = f"{home}/warehouse.duckdb cannot be read"

    def due() -> list[list[str]]:
        both = wiring.market_data(settings), wiring.accounts(settings)
        return [list(still_due(each.registry, each.outcomes)) for each in both]

    code, out, _ = run("materialize", "--all")
    assert (code, out.count(f"FAILED  warehouse: {said}")) == (1, 2)
    code, out, _ = run("accounts", *files)
    assert (code, said in out) == (1, True)
    ((btc, eth), (name,)) = due()
    assert (btc, eth) == ("BTC", "ETH")
    shown = json.loads(run("status", "--json")[1])
    for document in (*shown["currencies"], *shown["snapshots"]):
        (problem,) = document["problems"]
        assert f"{said} (" in problem
        assert "delete the file: `crypto-assets materialize --all --layer warehouse`" in problem

    (home / "warehouse.duckdb").unlink()
    assert run("materialize", "--failed")[0] == 0
    assert run("accounts", name)[0] == 0
    assert due() == [[], []]


def test_sql_and_the_doctor_leave_nothing_beside_the_warehouse_and_keep_no_run_waiting(
    run, add, home
):
    add("BTC")
    assert run("materialize", "BTC")[0] == 0
    before = sorted(path.name for path in home.iterdir())
    content = (home / "warehouse.duckdb").read_bytes()
    assert run("sql", "SELECT 1")[0] == 0
    assert run("doctor")[0] == 0
    after = sorted(path.name for path in home.iterdir())
    # SQLite keeps these beside what was only read, until somebody writes.
    assert [name for name in after if not name.startswith("outcomes.sqlite-")] == before
    assert (home / "warehouse.duckdb").read_bytes() == content
