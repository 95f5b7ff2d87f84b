"""The lake in a bucket: two homes that publish the same currency at once end with the newer result.

Both go through one router, which holds a request of one of them back while the other goes on.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.storage.lake import Lake, Made
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.waiting import HANG_S, until

MANIFEST, HISTORY, TREND = (
    ".*/_manifests/market_data/BTC.json",
    ".*/lake/bronze/.*history.*",
    ".*/lake/bronze/.*trend.*",
)
MOVES = ("bronze/kind=history/ticker=BTC", "bronze/kind=trend/ticker=BTC")
WRITES = {
    "claim": (MANIFEST, 0),
    "history": (HISTORY, 0),
    "trend": (TREND, 0),
    "manifest": (MANIFEST, 1),
}
STOPPED = {"BTC": ("bronze", "another process published it meanwhile: run it again")}


@pytest.fixture
def home(router, bucket, tmp_path):
    """Makes the lake as a home of this name has it."""

    aws = Aws(region=REGION, endpoint_url=router.url)

    def lake(name):
        return Lake(
            objects=S3Objects(aws=aws, root=f"s3://{bucket}/lake", locks=str(tmp_path / name))
        )

    return lake


def publish(lake, version):
    """Stages bronze of BTC, with the version for its content, and publishes it."""
    for folder in MOVES:
        lake.objects.write(f"_staging/{version}/{folder}/part-0.parquet", version.encode())
    made = {"BTC": {"bronze": Made(version)}}
    return lake.publish(
        MARKET_DATA, lake.staging(version), made, lake.current(MARKET_DATA, ["BTC"])
    )


@contextmanager
def held(router, write):
    """Holds the next write of this kind back until it is let go or the block ends."""
    path, before = WRITES[write]
    for _ in range(before):
        router.hold("s3", method="PUT", path=path).release.set()
    fault = router.hold("s3", method="PUT", path=path)
    try:
        yield fault
    finally:
        fault.release.set()


def wait_for(fault, run):
    """Waits until the run has come to the write that is held back."""
    until("the held write", lambda: fault.times == 0 or run.done())
    assert not run.done(), run.result()


def assert_published(lake, version):
    """All that is published is of this version, and known as that."""
    keys = [f"{folder}/data.parquet" for folder in MOVES]
    found = lake.objects.read_all(keys)
    assert {key: found[key].data.decode() for key in keys} == dict.fromkeys(keys, version)
    manifest = manifest_of(lake)
    assert (manifest.versions, manifest.publishing) == ({"bronze": version}, "")
    assert manifest.etags == {key: found[key].etag for key in keys}
    assert manifest.sizes == {key: len(version) for key in keys}


def manifest_of(lake):
    return lake.manifests(MARKET_DATA, ["BTC"])["BTC"]


@pytest.mark.parametrize(
    ("write", "before"),
    [("claim", None), *((write, "published") for write in WRITES)],
)
def test_a_run_in_conflict_with_a_newer_one_is_stopped_at_its_next_write(
    router, home, write, before
):
    older, newer = home("one"), home("two")
    if before:
        assert publish(newer, before) == {}
    with ThreadPoolExecutor(1) as pool, held(router, write) as fault:
        run = pool.submit(publish, older, "older")
        wait_for(fault, run)
        assert publish(newer, "newer") == {}
        fault.release.set()
        assert run.result(HANG_S) == STOPPED
    assert_published(newer, "newer")


@pytest.mark.parametrize(
    ("write", "own"),
    [
        ("history", "trend"),
        ("history", "manifest"),
        ("trend", "history"),
        ("manifest", "trend"),
    ],
)
def test_a_run_that_goes_on_while_a_newer_one_is_publishing_replaces_nothing_of_it(
    router, home, write, own
):
    older, newer = home("one"), home("two")
    with ThreadPoolExecutor(2) as pool, held(router, write) as first:
        run = pool.submit(publish, older, "older")
        wait_for(first, run)
        with held(router, own) as second:
            newer_run = pool.submit(publish, newer, "newer")
            wait_for(second, newer_run)
            first.release.set()
            assert run.result(HANG_S) == STOPPED
        assert newer_run.result(HANG_S) == {}
    assert_published(newer, "newer")


def test_what_was_decided_before_a_newer_run_published_cannot_be_published_after_it(home):
    older, newer = home("one"), home("two")
    current = older.current(MARKET_DATA, ["BTC"])
    assert publish(newer, "newer") == {}
    for folder in MOVES:
        older.objects.write(f"_staging/older/{folder}/part-0.parquet", b"older")
    made = {"BTC": {"bronze": Made("older")}}
    assert older.publish(MARKET_DATA, older.staging("older"), made, current) == STOPPED
    assert_published(newer, "newer")


@pytest.mark.parametrize("write", WRITES)
def test_a_write_whose_answer_is_lost_is_not_taken_for_somebody_elses(router, home, write):
    lake = home("one")
    path, before = WRITES[write]
    for _ in range(before):
        router.hold("s3", method="PUT", path=path).release.set()
    lost = router.fail("s3", drop="after", method="PUT", path=path)
    assert publish(lake, "mine") == {}
    assert lost.times == 0
    assert_published(lake, "mine")


def test_a_run_after_one_that_broke_off_half_way_replaces_what_that_one_left(router, home):
    router.fail("s3", status=403, code="AccessDenied", method="PUT", path=TREND)
    with ThreadPoolExecutor(1) as pool:
        assert "AWS refuses CopyObject" in str(
            pool.submit(publish, home("one"), "broken").exception()
        )
    manifest = manifest_of(home("two"))
    assert (manifest.versions, manifest.publishing) == ({}, "broken")
    assert publish(home("two"), "after") == {}
    assert_published(home("two"), "after")


def test_a_run_whose_staged_files_are_removed_meanwhile_says_so(router, home):
    lake = home("one")
    with ThreadPoolExecutor(1) as pool, held(router, "trend") as fault:
        run = pool.submit(publish, lake, "mine")
        wait_for(fault, run)
        home("two").clear_staging(running=())
        fault.release.set()
        why = "its staged files were removed meanwhile: run it again"
        assert run.result(HANG_S) == {"BTC": ("bronze", why)}
    assert publish(lake, "again") == {}
    assert_published(lake, "again")
