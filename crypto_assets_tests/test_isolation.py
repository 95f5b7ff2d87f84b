"""What is wrong with one currency's files in the home is its own trouble: the others go on."""

from __future__ import annotations

import json
import shutil

import pytest

from crypto_assets.resources import wiring


@pytest.fixture
def currencies(run, add):
    """AAA and BBB, registered and computed."""
    for ticker in ("AAA", "BBB"):
        add(ticker)
    assert run("materialize", "--all")[0] == 0


@pytest.fixture
def states(run):
    """The layers' states of a ticker, and its problems."""

    def of(ticker: str) -> tuple[dict[str, str], list[str]]:
        found = json.loads(run("status", "--json")[1])["currencies"]
        (document,) = [each for each in found if each["ticker"] == ticker]
        layers = {name: layer["state"] for name, layer in document["layers"].items()}
        return layers, document["problems"]

    return of


def verdicts(out: str) -> dict[str, str]:
    return {line.split()[0]: line for line in out.splitlines()}


@pytest.mark.parametrize("content", ["[]", "{", '"text"', '{"partition": "AAA"}', ""])
def test_a_damaged_registry_entry_is_named_with_its_cure(
    run, add, home, states, currencies, content
):
    entry = home / "inbox/_registry/market_data/entries/AAA.json"
    entry.write_text(content)
    code, out, _ = run("materialize", "--all")
    lines = verdicts(out)
    assert (code, " ok " in lines["BBB"]) == (1, True)
    assert f"its registry entry {entry} cannot be read" in lines["AAA"]
    assert "add AAA again, or remove it" in lines["AAA"]
    assert states("AAA")[1][0].startswith(f"its registry entry {entry} cannot be read")
    assert states("BBB") == (dict.fromkeys(states("BBB")[0], "published"), [])
    add("AAA")
    assert run("materialize", "AAA")[0] == 0
    assert states("AAA")[1] == []


def test_a_currency_whose_entry_is_damaged_can_be_removed(run, home, currencies):
    (home / "inbox/_registry/market_data/entries/AAA.json").write_text("[]")
    assert run("remove", "AAA", "--yes")[0] == 0
    found = json.loads(run("status", "--json")[1])["currencies"]
    assert [each["ticker"] for each in found] == ["BBB"]


@pytest.mark.parametrize(
    "place",
    [
        "_manifests/market_data/AAA.json",
        "gold/ticker=AAA/data.parquet",
        "silver/history/ticker=AAA/data.parquet",
        "bronze/kind=trend/ticker=AAA/data.parquet",
    ],
)
def test_a_place_in_the_lake_that_is_taken_fails_its_currency_at_that_layer_alone(
    run, add, home, currencies, place
):
    path = home / "lake" / place
    path.unlink()
    path.mkdir()
    for ticker in ("AAA", "BBB"):
        add(ticker, level=50.0)
    code, out, _ = run("materialize", "--all")
    lines = verdicts(out)
    assert (code, " ok " in lines["BBB"]) == (1, True)
    assert f"Is a directory: {path}" in lines["AAA"]
    path.rmdir()
    assert run("materialize", "--all")[0] == 0


def test_a_folder_of_the_lake_that_is_a_file_fails_its_currency_alone(run, add, home, currencies):
    folder = home / "lake/gold/ticker=AAA"
    shutil.rmtree(folder)
    folder.write_text("")
    for ticker in ("AAA", "BBB"):
        add(ticker, level=50.0)
    code, out, _ = run("materialize", "--all")
    lines = verdicts(out)
    assert (code, " ok " in lines["BBB"]) == (1, True)
    assert str(folder) in lines["AAA"]


def test_a_run_that_broke_off_is_a_problem_until_another_one_gave_its_verdict(
    run, add, settings, states
):
    add("AAA")
    outcomes = wiring.outcomes(settings)
    outcomes.begin("market_data", ["AAA"], "a run that was killed")
    assert states("AAA")[1] == ["broke off: the process of this run was killed"]
    assert "1 of 1 currencies are failed" in run("materialize", "--failed")[2]
    outcomes.begin("market_data", ["AAA"], "one killed behind its last verdict")
    assert states("AAA") == (dict.fromkeys(states("AAA")[0], "published"), [])


def test_outcomes_that_are_gone_are_taken_over_from_dagsters_events(run, add, home, states):
    add("AAA")
    add("BBB", cells={12: "n.a. see mail"})
    assert run("materialize", "--all")[0] == 1
    before = states("AAA"), states("BBB")
    assert before[1][0]["bronze"] == "failed"
    for path in home.glob("outcomes.sqlite*"):
        path.unlink()
    assert (states("AAA"), states("BBB")) == before
    assert run("materialize", "--stale")[1] == ""


def test_a_file_that_is_gone_is_missing_and_made_anew(run, home, states, currencies):
    (home / "lake/gold/ticker=AAA/data.parquet").unlink()
    layers, (problem,) = states("AAA")
    assert layers["gold"] == "missing"
    assert "is missing: `crypto-assets materialize` makes it anew" in problem
    code, out, err = run("materialize", "--stale")
    assert (code, list(verdicts(out))) == (0, ["AAA"])
    assert "1 of 2 currencies are stale" in err
    assert states("AAA") == (dict.fromkeys(layers, "published"), [])


def test_a_warehouse_that_is_gone_is_missing_for_all(run, home, states, currencies):
    (home / "warehouse.duckdb").unlink()
    for ticker in ("AAA", "BBB"):
        layers, (problem,) = states(ticker)
        assert layers["warehouse"] == "missing"
        assert problem.startswith("warehouse: the warehouse is missing")
    assert run("materialize", "--stale")[0] == 0
    assert states("AAA") == (dict.fromkeys(layers, "published"), [])


def test_a_file_put_there_by_hand_is_not_published_as_this_currencys(run, home, states, currencies):
    gold = home / "lake/gold"
    shutil.copy(gold / "ticker=BBB/data.parquet", gold / "ticker=AAA/data.parquet")
    assert states("AAA")[0]["gold"] == "missing"
    code, out, _ = run("materialize", "--all", "--layer", "warehouse")
    lines = verdicts(out)
    assert (code, " ok " in lines["BBB"]) == (1, True)
    assert "is not the file that was published: run again without --layer" in lines["AAA"]


def test_a_truncated_file_fails_its_currency_alone_where_a_layer_is_made_from_it(
    run, home, currencies
):
    silver = home / "lake/silver/history/ticker=AAA/data.parquet"
    silver.write_bytes(silver.read_bytes()[:100])
    code, out, _ = run("materialize", "--all", "--layer", "gold", "--layer", "warehouse")
    lines = verdicts(out)
    assert (code, " ok " in lines["BBB"]) == (1, True)
    assert "is not the file that was published: run again without --layer" in lines["AAA"]
