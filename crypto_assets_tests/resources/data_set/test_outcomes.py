"""What became of partitions, kept in the home: verdicts, runs that broke off, and what is due."""

from __future__ import annotations

import pytest

from crypto_assets.resources.data_set.due import still_due
from crypto_assets.resources.data_set.entry import Entry
from crypto_assets.resources.data_set.outcomes import Attempt, Layer, Outcomes
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.inbox.stored import StoredUpload
from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.spark.job_spec import Verdict
from crypto_assets.spark.market_data.data_set import MARKET_DATA

DATA_SET = MARKET_DATA.name


@pytest.fixture
def outcomes(tmp_path):
    return Outcomes(str(tmp_path / "home" / "outcomes.sqlite"))


@pytest.fixture
def registry(tmp_path):
    return Registry(MARKET_DATA, LocalObjects(root=str(tmp_path / "inbox")))


@pytest.fixture
def register(registry):
    """Registers a partition whose files have this content."""

    def put(name, content="1"):
        files = {
            kind: StoredUpload(f"{name}/{kind}", kind, content, 1, "") for kind in MARKET_DATA.files
        }
        registry.put(Entry(name, files))

    return put


@pytest.fixture
def verdict(registry):
    """A verdict on a layer of a partition as it is registered."""

    def on(name, layer="warehouse", **facts):
        version = registry.version(registry.get(name), layer)
        return Verdict(name, layer, version=version, **facts)

    return on


def test_the_last_verdict_on_a_layer_is_kept_beside_what_was_made_before(outcomes):
    outcomes.record(DATA_SET, [Verdict("BTC", "gold", measures={"rows": 3}, version="v1")])
    outcomes.record(DATA_SET, [Verdict("BTC", "gold", ("no", "never"), version="v2")])
    known = outcomes.layers(DATA_SET, ["BTC"], {"gold": ""})["BTC"]["gold"]
    assert (known.version, known.measures, known.seen_version) == ("v1", {"rows": 3}, "v2")
    assert (known.problem, known.is_refusal) == ("no; never", True)
    outcomes.record(DATA_SET, [Verdict("BTC", "gold", version="v2")])
    assert outcomes.layers(DATA_SET, ["BTC"])["BTC"]["gold"].problem is None


def test_measures_are_kept_flat(outcomes):
    measures = {"rows": 1, "history": {"rows": 2}, "notes": ["a", "b"], "none": None}
    outcomes.record(DATA_SET, [Verdict("BTC", "gold", measures=measures)])
    known = outcomes.layers(DATA_SET, ["BTC"], {"gold": ""})["BTC"]["gold"]
    assert known.measures == {"rows": 1, "history/rows": 2, "notes": "a; b"}


def test_partitions_and_data_sets_are_kept_apart_and_forgotten_alone(outcomes):
    for name in ("BTC", "ETH"):
        outcomes.record(DATA_SET, [Verdict(name, "gold", version=name)])
        outcomes.begin(DATA_SET, [name], "run")
    outcomes.record("accounts", [Verdict("BTC", "gold", version="other")])
    outcomes.forget(DATA_SET, "BTC")
    assert outcomes.layers(DATA_SET, ["BTC", "ETH"])["BTC"] == {}
    assert outcomes.layers(DATA_SET, ["ETH"])["ETH"]["gold"].version == "ETH"
    assert list(outcomes.attempts(DATA_SET)) == ["ETH"]
    assert outcomes.layers("accounts", ["BTC"])["BTC"]["gold"].version == "other"


def test_a_run_that_breaks_off_leaves_its_reason_with_what_it_began(outcomes):
    outcomes.begin(DATA_SET, ["BTC", "ETH"], "run1")
    outcomes.end(DATA_SET, ["ETH"], "run1")
    outcomes.break_off("run1", RuntimeError("the engine\nis lost"))
    (attempt,) = outcomes.attempts(DATA_SET).values()
    assert attempt == Attempt("run1", attempt.began_at, "the engine is lost")
    outcomes.begin(DATA_SET, ["BTC"], "run2")
    outcomes.break_off("run2", KeyboardInterrupt())
    assert outcomes.attempts(DATA_SET)["BTC"].reason == "it was interrupted"
    outcomes.end(DATA_SET, ["BTC"], "run1")
    assert outcomes.attempts(DATA_SET)["BTC"].run_id == "run2"


def test_outcomes_of_earlier_versions_are_taken_over_once_and_replace_nothing(outcomes):
    outcomes.record(DATA_SET, [Verdict("BTC", "gold", version="new")])
    assert not outcomes.is_taken_over(DATA_SET)
    old = {"BTC": Layer("old", "2024-01-01"), "ETH": Layer("old", "2024-01-01", {"rows": 7})}
    outcomes.take_over(DATA_SET, {"gold": old})
    assert outcomes.is_taken_over(DATA_SET)
    found = outcomes.layers(DATA_SET, ["BTC", "ETH"], {"gold": ""})
    assert found["BTC"]["gold"].version == "new"
    assert found["ETH"]["gold"] == old["ETH"]


def test_a_change_is_due_until_a_verdict_on_it_is_recorded(registry, outcomes, register, verdict):
    register("BTC")
    register("ETH")
    assert list(still_due(registry, outcomes)) == ["BTC", "ETH"]
    outcomes.record(DATA_SET, [verdict("BTC", "gold"), verdict("ETH", "bronze", problems=("bad",))])
    assert list(still_due(registry, outcomes)) == ["BTC"]
    outcomes.record(DATA_SET, [verdict("BTC", "warehouse")])
    assert still_due(registry, outcomes) == {}
    assert registry.due() == {}
    register("ETH", "2")
    assert list(still_due(registry, outcomes)) == ["ETH"]


def test_a_problem_that_may_pass_is_no_verdict(registry, outcomes, register, verdict):
    register("BTC")
    passing = verdict("BTC", "gold", problems=("the lake is held",), passing=True)
    outcomes.record(DATA_SET, [passing])
    assert list(still_due(registry, outcomes)) == ["BTC"]


def test_what_a_run_began_and_gave_no_verdict_on_is_due_though_nothing_changed(
    registry, outcomes, register, verdict
):
    register("BTC")
    outcomes.record(DATA_SET, [verdict("BTC")])
    assert still_due(registry, outcomes) == {}
    outcomes.record(DATA_SET, [Verdict("BTC", "warehouse", version="of other code")])
    outcomes.begin(DATA_SET, ["BTC"], "run1")
    (token,) = still_due(registry, outcomes).values()
    outcomes.begin(DATA_SET, ["BTC"], "run2")
    assert list(still_due(registry, outcomes).values()) == [token]
    outcomes.record(DATA_SET, [verdict("BTC")])
    assert still_due(registry, outcomes) == {}


def test_a_partition_that_is_registered_no_more_is_not_due(registry, outcomes, register):
    register("BTC")
    outcomes.begin(DATA_SET, ["BTC", "GONE"], "run1")
    registry.remove("BTC")
    assert still_due(registry, outcomes) == {}


def test_a_partition_is_unreported_until_its_last_registration_was_reported(outcomes):
    outcomes.registered(DATA_SET, "AAA")
    outcomes.registered("accounts", "BBB")
    before = outcomes.unreported(DATA_SET)
    outcomes.registered(DATA_SET, "AAA")
    outcomes.reported(before.values())
    assert list(outcomes.unreported(DATA_SET)) == list(before) == ["AAA"]
    outcomes.reported(outcomes.unreported(DATA_SET).values())
    assert outcomes.unreported(DATA_SET) == {}
    outcomes.registered(DATA_SET, "AAA")
    outcomes.forget(DATA_SET, "AAA")
    assert outcomes.unreported(DATA_SET) == {}
    assert list(outcomes.unreported("accounts")) == ["BBB"]


def test_there_is_nothing_to_take_over_where_the_outcomes_began_before_dagster(tmp_path):
    path = str(tmp_path / "outcomes.sqlite")
    Outcomes(path).registered(DATA_SET, "AAA")
    assert not Outcomes(path).is_taken_over(DATA_SET)
    Outcomes(path, of_new_home=True).registered(DATA_SET, "AAA")
    assert Outcomes(path).is_taken_over(DATA_SET)
    assert Outcomes(path).is_taken_over("accounts")


def test_what_is_known_of_some_partitions_is_given_by_name_and_layer(outcomes):
    made = [
        Verdict(name, layer, version="v", measures={"rows": 3})
        for name, layer in (("A", "gold"), ("A", "silver"), ("B", "gold"), ("'C'", "gold"))
    ]
    outcomes.record(DATA_SET, [*made, Verdict("A", "warehouse", ("broken",), version="w")])
    found = outcomes.layers(DATA_SET, ["'C'", "A", "none"], {"gold": "", "warehouse": ""})
    assert {name: list(layers) for name, layers in found.items()} == {
        "'C'": ["gold"],
        "A": ["gold", "silver", "warehouse"],
        "none": [],
    }
    assert found["A"]["gold"].measures == {"rows": 3}
    assert found["A"]["silver"].measures == {}
    assert (found["A"]["gold"].version, found["A"]["gold"].seen_version) == ("v", None)
    failed = found["A"]["warehouse"]
    assert (failed.measures, failed.seen_version, failed.problem) == ({}, "w", "broken")


def test_measures_without_the_word_that_is_looked_for_are_left_out(outcomes):
    notes = {"history": {"rows": 3, "notes": ["odd"]}}
    made = [
        Verdict("A", "bronze", version="v", measures=notes),
        Verdict("B", "bronze", version="v", measures={"rows": 3}),
        Verdict("B", "gold", version="v", measures={"rows": 3}),
    ]
    outcomes.record(DATA_SET, made)
    found = outcomes.layers(DATA_SET, ["A", "B"], {"bronze": "notes", "gold": ""})
    assert found["A"]["bronze"].measures == {"history/rows": 3, "history/notes": "odd"}
    assert found["B"]["bronze"].measures == {}
    assert found["B"]["gold"].measures == {"rows": 3}


def test_what_is_unreported_is_in_the_order_of_its_registration(outcomes):
    for name in ("CCC", "AAA", "BBB", "CCC"):
        outcomes.registered(DATA_SET, name)
    assert list(outcomes.unreported(DATA_SET)) == ["AAA", "BBB", "CCC"]
    outcomes.registered(DATA_SET, "AAA")
    assert list(outcomes.unreported(DATA_SET)) == ["BBB", "CCC", "AAA"]
