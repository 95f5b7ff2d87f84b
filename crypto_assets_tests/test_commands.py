"""`upload`, `remove`, `materialize --failed` and `--stale`, as a person types them."""

from __future__ import annotations

import json
import re

import click
import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets.resources import wiring
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.helpers.exports_text import history_csv


def layers(run, ticker):
    (document,) = json.loads(run("status", ticker, "--json")[1])["currencies"]
    return {name: layer["state"] for name, layer in document["layers"].items()}


def test_upload_copies_files_and_folders_once(run, home, pair, tmp_path):
    pair("BTC")
    folder = tmp_path / "files"
    assert run("upload", folder)[:2] == (0, "2 uploaded, 0 there already\n")
    assert (home / "inbox/files/BTC/multiTimeline.csv").exists()
    assert run("upload", folder)[:2] == (0, "0 uploaded, 2 there already\n")
    (folder / "BTC/multiTimeline.csv").write_text("other")
    assert run("upload", folder)[:2] == (0, "1 uploaded, 1 there already\n")
    assert "2 uploads are new" in run("status")[1]


def test_upload_refuses_in_one_line_what_would_have_one_name(run, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "multiTimeline.csv").write_text(name)
    code, _, err = run("upload", tmp_path / "a/multiTimeline.csv", tmp_path / "b/multiTimeline.csv")
    assert code == 2
    assert "would both be multiTimeline.csv" in err
    (tmp_path / "empty").mkdir()
    code, _, err = run("upload", tmp_path / "empty")
    assert (code, err) == (2, "crypto-assets: there is no CSV file in what you named\n")


def test_failed_and_stale_redo_only_what_needs_it(run, add):
    add("BTC")
    add("ETH", cells={12: "n.a. see mail"})
    add("XMR")
    assert run("materialize", "--all")[0] == 1
    code, out, err = run("materialize", "--stale")
    assert (code, out) == (0, "")
    assert "0 of 3 currencies are stale" in err
    code, out, _ = run("materialize", "--failed")
    assert (code, [line.split()[0] for line in out.splitlines()]) == (1, ["ETH"])
    add("ETH", level=7.0)  # what failed has been replaced: no failure of these files
    add("XMR", level=9.0)
    assert set(layers(run, "ETH").values()) == {"stale", "none"}
    code, out, _ = run("materialize", "--failed")
    assert (code, out) == (0, "")
    code, out, _ = run("materialize", "--stale")
    assert (code, [line.split()[:2] for line in out.splitlines()]) == (
        0,
        [["ETH", "ok"], ["XMR", "ok"]],
    )


def test_what_a_notice_says_to_type_tries_the_right_file_that_came_and_what_still_fails(run, add):
    add("BTC")
    for ticker in ("ETH", "XMR"):
        add(ticker, cells={12: "n.a. see mail"})
    assert run("materialize", "--all")[0] == 1
    add("ETH")
    code, out, _ = run(*MARKET_DATA.command.split())
    verdicts = [line.split()[:2] for line in out.splitlines()]
    assert (code, verdicts) == (1, [["ETH", "ok"], ["XMR", "FAILED"]])


def test_remove_takes_a_currency_out_of_everything_and_it_may_come_again(run, home, add):
    add("BTC")
    add("ETH")
    assert run("materialize", "--all")[0] == 0
    assert run("remove", "BTC", "--yes")[:2] == (0, "BTC: removed\n")
    assert [p for p in (home / "lake").rglob("*") if "BTC" in p.name] == []
    assert run("sql", "SELECT DISTINCT ticker FROM market_data.prices", "--format", "csv")[1] == (
        "ticker\nETH\n"
    )
    assert run("sql", "SELECT * FROM market_data.btc")[0] == 2
    assert list(json.loads(run("status", "--json")[1])["currencies"][0])[:1] == ["ticker"]
    assert run("materialize", "BTC")[0] == 2
    assert run("remove", "BTC", "--yes")[0] == 2
    assert (home / "inbox/BTC/trend/multiTimeline.csv").exists()
    add("BTC")
    assert set(layers(run, "BTC").values()) == {"none"}
    assert run("materialize", "BTC")[0] == 0
    assert set(layers(run, "BTC").values()) == {"published"}


def test_remove_with_purge_deletes_the_uploads_and_asks_first(run, home, add):
    add("BTC")
    asked = CliRunner().invoke(main, ["remove", "BTC", "--purge"], input="n\n")
    assert asked.exit_code == 1
    assert "and its uploads?" in asked.stdout
    assert run("remove", "BTC", "--purge", "--yes")[:2] == (0, "BTC: removed and its uploads\n")
    kept = [p.name for p in (home / "inbox").rglob("[!.]*") if p.is_file()]
    assert kept == ["format.json"]


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_a_command_that_only_reads_writes_neither_to_the_inbox_nor_to_the_lake(run, home, command):
    assert run(command)[0] == 0
    assert not (home / "inbox").exists()
    assert not (home / "lake").exists()


def test_a_currency_with_one_file_is_not_taken_for_an_unknown_one(run, home, settings, write):
    inbox, (registry, _) = wiring.inbox(settings), wiring.registries(settings)
    registry.assign("BTC", "history", inbox.pin("btc.csv", history_csv().encode()), {})
    code, _, err = run("materialize", "BTC")
    assert (code, err) == (2, "crypto-assets: BTC: only its history file has come so far\n")
    assert "BTC: waiting, only its history file btc.csv has come" in run("status")[1]


def test_help_shows_the_first_sentence_of_each_command_whole(run):
    _, shown, _ = run("--help")
    words = " ".join(shown.split())
    context = click.Context(main)
    names = main.list_commands(context)
    assert {"add", "sql"} < {*names}
    for name in names:
        command = main.get_command(context, name)
        sentence = " ".join((command.help or "").split("\n\n")[0].split())
        assert f"{name} {sentence}" in words
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_a_currency_with_the_name_of_a_table_is_not_added_and_can_be_removed(run, add, settings):
    code, _, err = add("PRICES")
    assert (code, "choose another ticker, such as PRICES1" in err) == (2, True)
    registry, _ = wiring.registries(settings)
    inbox = wiring.inbox(settings)
    for kind in ("history", "trend"):  # as an earlier version took it in
        registry.assign("PRICES", kind, inbox.pin(f"{kind}.csv", kind.encode()), {})
    assert run("remove", "prices", "--yes")[0] == 0
    assert registry.names() == []


def test_a_trend_that_covers_few_days_or_none_is_published_with_a_warning(run, add, write):
    weeks = [f"2010-{month:02}-{day:02}" for month, day in ((1, 3), (1, 10), (1, 17), (1, 24))]
    old = "Week,BTC: (Worldwide)\n" + "".join(f"{week},{40 + n}\n" for n, week in enumerate(weeks))
    history = write("btc.csv", history_csv())
    run("add", "BTC", "--history", history, "--trend", write("trend.csv", old))
    add("ETH", days=200)
    add("XMR")
    code, _, err = run("materialize", "--all")
    assert code == 0
    assert "BTC: note: history and trend share no day" in err.splitlines()
    assert "XMR: note: " not in err
    found = json.loads(run("status", "--json")[1])["currencies"]
    warnings = {each["ticker"]: "; ".join(each["warnings"]) for each in found}
    assert "history and trend share no day" in warnings["BTC"]
    assert re.search(r"the trend covers \d+% of the days with a price", warnings["ETH"])
    assert "trend covers" not in warnings["XMR"]
    assert "BTC: note: history and trend share no day" in run("status")[1]
