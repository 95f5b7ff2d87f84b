"""The lake: what is staged reaches its key whole, one file per table, one publisher at a time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crypto_assets.resources.data_set.outcomes import Outcomes
from crypto_assets.resources.data_set.published import Published
from crypto_assets.resources.data_set.registry import Registry
from crypto_assets.resources.errors import BusyError
from crypto_assets.resources.storage.lake import Lake, LoadFile, Made, Manifest
from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.resources.storage.objects import Objects
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.market_data.tables import GOLD, LOAD
from crypto_assets_tests.helpers.processes import saying
from crypto_assets_tests.helpers.waiting import HANG_S

MADE = Made("v1")
HOLDER = """
import sys
from crypto_assets.resources.storage.lake import Lake
from crypto_assets.resources.storage.local import LocalObjects
with Lake(objects=LocalObjects(root=sys.argv[1])).locked("market_data"):
    print("held", flush=True)
    sys.stdin.read()
"""


# Of files and processes of this machine: not for a bucket.
local = pytest.mark.parametrize("objects", ["local"], indirect=True)


@pytest.fixture
def lake(objects: Objects) -> Lake:
    return Lake(objects=objects, lock_wait_s=0.3)


@pytest.fixture
def put(objects: Objects) -> Callable[..., None]:
    """Writes a text as a file that the run `run` staged, or directly below the lake's root."""

    def put_file(key: str, content: str = "new", *, staged: bool = True) -> None:
        objects.write(f"_staging/run/{key}" if staged else key, content.encode())

    return put_file


@pytest.fixture
def published(lake: Lake, put: Callable) -> Callable[..., None]:
    """Publishes texts as the files in these folders, all of one layer, by a run that is over."""

    def publish(files: dict[str, str]) -> None:
        for folder, content in files.items():
            put(f"_staging/before/{folder}/part-0.parquet", content, staged=False)
        layer = next(iter(files)).partition("/")[0]
        made = {folder.rpartition("=")[2]: {layer: Made("v0")} for folder in files}
        assert lake.publish(MARKET_DATA, lake.staging("before"), made) == {}
        lake.discard(lake.staging("before"))

    return publish


@pytest.fixture
def holder(lake: Lake) -> Iterator[subprocess.Popen[str]]:
    """Another process that is publishing until its input is closed or it is killed."""
    with saying("held", HOLDER, lake.objects.root) as process:
        yield process


def contents(lake: Lake) -> dict[str, str]:
    """Every file of the lake's tables and staging, by its key."""
    objects = lake.objects
    found = [*objects.walk(), *objects.below("_staging")]
    return {each.key: objects.read(each.key).decode() for each in found}


def test_publish_moves_the_one_staged_file_of_each_table_to_its_key(lake, put):
    put("bronze/kind=history/ticker=BTC/part-0.snappy.parquet", "prices")
    put("bronze/kind=trend/ticker=BTC/part-7.snappy.parquet", "trend")
    assert lake.publish(MARKET_DATA, lake.staging("run"), {"BTC": {"bronze": MADE}}) == {}
    lake.discard(lake.staging("run"))
    assert contents(lake) == {
        "bronze/kind=history/ticker=BTC/data.parquet": "prices",
        "bronze/kind=trend/ticker=BTC/data.parquet": "trend",
    }


def test_publish_replaces_what_was_published_of_these_tickers_and_layer_only(lake, put, published):
    published({"gold/ticker=BTC": "old", "gold/ticker=XMR": "old"})
    put("silver/history/ticker=BTC/data.parquet", "old", staged=False)
    for key in ("gold/ticker=BTC", "gold/ticker=XMR", "silver/history/ticker=BTC"):
        put(f"{key}/part-0.parquet", "new")
    assert lake.publish(MARKET_DATA, lake.staging("run"), {"BTC": {"gold": MADE}}) == {}
    lake.objects.delete(["_staging/run/gold/ticker=BTC/part-0.parquet"])  # a copy of it may be left
    assert contents(lake) == {
        "gold/ticker=BTC/data.parquet": "new",
        "gold/ticker=XMR/data.parquet": "old",
        "silver/history/ticker=BTC/data.parquet": "old",
        "_staging/run/gold/ticker=XMR/part-0.parquet": "new",
        "_staging/run/silver/history/ticker=BTC/part-0.parquet": "new",
    }


@pytest.mark.parametrize("staged", [0, 2])
def test_publish_refuses_a_ticker_without_exactly_one_staged_file_and_moves_the_others(
    lake, put, published, staged
):
    for ticker in ("BTC", "XMR"):
        folders = (f"silver/history/ticker={ticker}", f"silver/trend/ticker={ticker}")
        published(dict(zip(folders, ("old prices", "old trend"), strict=True)))
        put(f"silver/history/ticker={ticker}/part-0.parquet", "new prices")
    put("silver/trend/ticker=XMR/part-0.parquet", "new trend")
    for number in range(staged):
        put(f"silver/trend/ticker=BTC/part-{number}.parquet", "new trend")
    reason = f"one file is wanted for each table, found silver/trend/ticker=BTC: {staged}"
    made = {ticker: {"silver": MADE} for ticker in ("BTC", "XMR")}
    assert lake.publish(MARKET_DATA, lake.staging("run"), made) == {"BTC": ("silver", reason)}
    lake.discard(lake.staging("run"))
    assert contents(lake) == {
        "silver/history/ticker=BTC/data.parquet": "old prices",
        "silver/trend/ticker=BTC/data.parquet": "old trend",
        "silver/history/ticker=XMR/data.parquet": "new prices",
        "silver/trend/ticker=XMR/data.parquet": "new trend",
    }


@local
def test_a_reader_that_opened_the_old_file_reads_it_to_its_end(lake, put):
    put("gold/ticker=BTC/data.parquet", "old", staged=False)
    put("gold/ticker=BTC/part-0.parquet", "new")
    with Path(lake.objects.root, "gold/ticker=BTC/data.parquet").open() as stream:
        assert stream.read(1) == "o"
        lake.publish(MARKET_DATA, lake.staging("run"), {"BTC": {"gold": MADE}})
        assert stream.read() == "ld"


@local
def test_publishing_waits_for_another_process_with_a_bound_and_says_so(lake, holder):
    started = time.monotonic()
    with pytest.raises(BusyError) as busy, lake.locked("market_data"):
        pass
    assert time.monotonic() - started >= 0.3
    assert str(busy.value) == (
        f"another run has been publishing market_data to {lake.objects.root} for over 0.3 s; "
        "run again when it has ended"
    )


@local
def test_publishing_goes_on_as_soon_as_the_other_process_is_done(lake, holder):
    patient = Lake(objects=LocalObjects(root=lake.objects.root), lock_wait_s=HANG_S)
    holder.stdin.close()
    with patient.locked("market_data"):
        assert holder.wait(HANG_S) == 0


@local
def test_a_killed_publisher_holds_nobody_up(lake, holder):
    holder.kill()
    holder.wait(HANG_S)
    with lake.locked("market_data"):
        pass


def test_two_runs_of_one_process_do_not_publish_at_once(lake):
    with (
        lake.locked("market_data"),
        pytest.raises(BusyError),
        Lake(objects=lake.objects, lock_wait_s=0.3).locked("market_data"),
    ):
        pass


@pytest.mark.parametrize("error", [ZeroDivisionError("why"), BusyError("why")])
def test_an_error_while_publishing_is_not_taken_for_a_busy_lake(lake, error):
    with pytest.raises(type(error), match=r"^why$"), lake.locked("market_data"):
        raise error
    with lake.locked("market_data"):
        pass


def test_clear_staging_removes_what_dead_runs_left_and_keeps_the_running_ones(lake, put):
    put("gold/ticker=BTC/data.parquet", "old", staged=False)
    for run in ("dead", "gone", "alive"):
        put(f"_staging/{run}/gold/ticker=BTC/part-0.parquet", staged=False)
    lake.clear_staging({"alive", "not begun"})
    assert contents(lake) == {
        "gold/ticker=BTC/data.parquet": "old",
        "_staging/alive/gold/ticker=BTC/part-0.parquet": "new",
    }


def test_a_lake_that_does_not_exist_yet_has_nothing_staged_or_published(lake):
    lake.clear_staging(set())
    lake.discard(lake.staging("run"))
    assert lake.manifests(MARKET_DATA, ["BTC"]) == {"BTC": Manifest()}
    assert lake.files(GOLD, lake.current(MARKET_DATA, ["BTC"])) == {}
    assert contents(lake) == {}


def test_what_was_published_is_known_by_version_rows_and_files(lake, put):
    put("silver/history/ticker=007/part-0.parquet")
    put("silver/trend/ticker=007/part-0.parquet")
    put("gold/ticker=007/part-0.parquet", "12345")
    made = {
        "silver": Made("s1", {"silver/history": 3, "silver/trend": 0}),
        "gold": Made("g1", {"gold": 4}),
    }
    current = lake.current(MARKET_DATA, ["007", "BTC"])
    assert lake.publish(MARKET_DATA, lake.staging("run"), {"007": made}, current) == {}
    assert current == lake.current(MARKET_DATA, ["007", "BTC"])
    (manifest,) = lake.manifests(MARKET_DATA, ["007"]).values()
    assert manifest.versions == {"silver": "s1", "gold": "g1"}
    assert manifest.rows == {"silver/history": 3, "silver/trend": 0, "gold": 4}
    gold = f"{lake.objects.root}/gold/ticker=007/data.parquet"
    assert lake.files(GOLD, current) == {"007": LoadFile(gold, 5, 4)}


def test_a_table_that_only_some_jobs_write_is_published_when_it_was_written(lake, put):
    for number, rows in enumerate(({"gold": 4, "load": 4}, {"gold": 4})):
        for table in rows:
            put(f"{table}/ticker=BTC/part-{number}.parquet", table)
        made = {"BTC": {"gold": Made(f"g{number}", rows)}}
        current = lake.current(MARKET_DATA, ["BTC"])
        assert lake.publish(MARKET_DATA, lake.staging("run"), made, current) == {}
        lake.discard(lake.staging("run"))
        load = LoadFile(f"{lake.uri}/load/ticker=BTC/data.parquet", 4, 4)
        assert lake.files(LOAD, current) == ({"BTC": load} if "load" in rows else {})
        assert current == lake.current(MARKET_DATA, ["BTC"])


@local
def test_a_layer_that_is_being_replaced_has_no_version_but_its_rows(lake, put):
    put("gold/ticker=BTC/part-0.parquet")
    lake.publish(MARKET_DATA, lake.staging("run"), {"BTC": {"gold": Made("old", {"gold": 9})}})
    put("gold/ticker=BTC/part-0.parquet")
    put("gold/ticker=ETH/part-0.parquet")
    place = Path(lake.objects.root, "gold/ticker=BTC/data.parquet")
    place.unlink()
    place.mkdir()  # nothing can take its place
    made = {"gold": Made("new", {"gold": 10})}
    problems = lake.publish(MARKET_DATA, lake.staging("run"), {"BTC": made, "ETH": made})
    assert problems == {"BTC": ("gold", f"it cannot be published: Is a directory: {place}")}
    manifests = lake.manifests(MARKET_DATA, ["BTC", "ETH"])
    manifest = manifests["BTC"]
    assert (manifest.versions, manifest.rows, manifest.publishing) == ({}, {"gold": 9}, "run")
    assert manifests["ETH"].versions == {"gold": "new"}


@local
def test_a_first_publication_that_breaks_off_says_nothing_and_the_next_one_replaces_its_files(
    lake, put
):
    folders = ("bronze/kind=history/ticker=BTC", "bronze/kind=trend/ticker=BTC")
    for content in ("of the first", "of the second"):
        for folder in folders:
            put(f"{folder}/part-0.parquet", content)
        place = Path(lake.objects.root, folders[1], "data.parquet")
        if content == "of the first":
            place.mkdir(parents=True)  # nothing can take its place
        made = {"BTC": {"bronze": Made(content)}}
        problems = lake.publish(MARKET_DATA, lake.staging("run"), made)
        if content == "of the first":
            assert list(problems) == ["BTC"]
            assert lake.current(MARKET_DATA, ["BTC"]) == {}
            place.rmdir()
        lake.discard(lake.staging("run"))
    assert contents(lake) == {f"{folder}/data.parquet": "of the second" for folder in folders}
    assert lake.manifests(MARKET_DATA, ["BTC"])["BTC"].versions == {"bronze": "of the second"}


@local
def test_a_manifest_that_cannot_be_opened_keeps_its_partition_as_it_is_and_no_other(lake, put):
    key = "_manifests/market_data/BTC.json"
    Path(lake.objects.root, key).mkdir(parents=True)
    for ticker in ("BTC", "ETH"):
        put(f"gold/ticker={ticker}/part-0.parquet")
    made = {"gold": Made("new", {"gold": 10})}
    problems = lake.publish(MARKET_DATA, lake.staging("run"), {"BTC": made, "ETH": made})
    reason = f"its manifest cannot be read: Is a directory: {lake.objects.uri(key)}"
    assert problems == {"BTC": ("gold", reason)}
    assert lake.manifests(MARKET_DATA, ["ETH"])["ETH"].versions == {"gold": "new"}


def test_a_file_that_is_not_the_one_that_was_published_is_seen(lake, published, put):
    for ticker in ("AAA", "BBB", "CCC"):
        published({f"gold/ticker={ticker}": ticker})
    put("gold/ticker=BBB/data.parquet", "put there by hand", staged=False)
    lake.objects.delete(["gold/ticker=CCC/data.parquet"])
    manifests = lake.manifests(MARKET_DATA, ["AAA", "BBB", "CCC"])
    wrong = lake.unsealed(MARKET_DATA, manifests, ["gold"], lake.objects.etag)
    place = lake.objects.uri("gold/ticker={}/data.parquet")
    assert wrong == {
        "BBB": {"gold": f"{place.format('BBB')} is not the file that was published"},
        "CCC": {"gold": f"its file {place.format('CCC')} is missing"},
    }


def test_of_more_partitions_than_are_looked_at_together_all_that_is_missing_is_found(
    lake, published, monkeypatch
):
    published({f"gold/ticker={name}": "1" for name in ("A", "B", "C", "D", "E")})
    lake.objects.delete([f"gold/ticker={name}/data.parquet" for name in ("A", "D", "E")])
    monkeypatch.setattr("crypto_assets.resources.data_set.published.AT_A_TIME", 2)
    currencies = Published(Registry(MARKET_DATA, lake.objects), Outcomes(""), lake)
    missing = currencies.missing(["A", "B", "C", "D", "E"])
    assert {name: list(layers) for name, layers in missing.items()} == {n: ["gold"] for n in "ADE"}


def test_a_removed_ticker_is_in_no_table_and_others_whose_names_it_begins_are(lake, published):
    for ticker in ("BT", "BTC"):
        published({f"gold/ticker={ticker}": ticker})
        published({f"silver/{kind}/ticker={ticker}": ticker for kind in ("history", "trend")})
    for _ in range(2):
        lake.remove(MARKET_DATA, "BT")
    assert sorted(contents(lake)) == [
        "gold/ticker=BTC/data.parquet",
        "silver/history/ticker=BTC/data.parquet",
        "silver/trend/ticker=BTC/data.parquet",
    ]
    manifests = lake.manifests(MARKET_DATA, ["BT", "BTC"])
    assert [bool(found.versions) for found in manifests.values()] == [False, True]


@pytest.mark.parametrize("content", ["", "[]", '{"gold": "v1"}', "{", '{"versions": 5}'])
def test_a_manifest_that_cannot_be_read_is_as_good_as_none(lake, put, content):
    put("_manifests/market_data/BTC.json", content, staged=False)
    assert lake.manifests(MARKET_DATA, ["BTC"]) == {"BTC": Manifest()}
