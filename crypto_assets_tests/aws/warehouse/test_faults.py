"""Conflicts, limits and refusals of Redshift: what is tried again, and what is reported."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.resources.warehouse import data_api
from crypto_assets_tests.aws.warehouse.rows import PRICES, prices
from crypto_assets_tests.doubles.redshift_double import ENDED, RedshiftDouble
from crypto_assets_tests.helpers.waiting import until

FAULTS = ["1023", "lock", "S3 slow down", "ActiveStatementsExceededException"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_conflict_is_tried_again(ready, load, double, fault):
    double.fail_next(fault, times=data_api.TRIES - 1, operation="BatchExecuteStatement")
    assert ready.replace(load("BTC"))[1] == {}
    assert double.calls["BatchExecuteStatement"] == data_api.TRIES


@pytest.mark.parametrize("fault", FAULTS)
def test_a_conflict_that_lasts_is_reported_after_a_bounded_number_of_tries(
    warehouse, load, double, fault
):
    warehouse.replace(load("BTC"))
    double.calls.clear()
    double.fail_next(fault, times=100, operation="BatchExecuteStatement")
    with pytest.raises(BusyError, match="run again later"):
        warehouse.replace(load("BTC", price=2.0))
    assert double.calls["BatchExecuteStatement"] == data_api.TRIES
    with double.connect() as connection:
        assert connection.execute(PRICES).fetchall() == [("BTC", 3, 1.0, 1.0)]


def test_throttling_and_lost_answers_start_no_statement_twice(ready, router, load, double):
    router.fail("redshift-data", operation="BatchExecuteStatement", drop="after")
    router.fail("redshift-data", 3, operation="DescribeStatement", status=503)
    assert ready.replace(load("BTC"))[1] == {}
    assert (double.calls["BatchExecuteStatement"], len(double.statements)) == (2, 2)
    double.fail_next("ThrottlingException", times=2, operation="BatchExecuteStatement")
    assert ready.replace(load("BTC"))[1] == {}
    assert (double.calls["BatchExecuteStatement"], len(double.statements)) == (5, 4)


def test_two_loads_at_once_both_end_with_all_their_rows(make, load):
    make().replace(load("BTC", "ETH", "AAA"))
    files = [load("BTC", "ETH", price=price, days=int(price)) for price in (2.0, 3.0)]
    results = []
    writers = [
        threading.Thread(target=lambda part=part: results.append(make().replace(part)))
        for part in files
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [problems for _, problems in results] == [{}, {}]
    found = prices(make())
    assert found.pop("AAA") == (3, 1.0, 1.0)
    assert found in [dict.fromkeys(("BTC", "ETH"), (int(p), p, p)) for p in (2.0, 3.0)]


def test_a_statement_that_takes_too_long_is_cancelled(make, load, double):
    double.fail_next("hang")
    with pytest.raises(BusyError, match=r"has not ended within 0.3 s and was cancelled"):
        make(time_limit_s=0.3).replace(load("BTC"))
    assert double.calls["CancelStatement"] == 1
    assert aborted(double)


def aborted(double: RedshiftDouble) -> bool:
    (statement,) = double.statements.values()
    until("its end", lambda: statement.status in ENDED)
    return statement.status == "ABORTED"


def test_an_interrupted_wait_cancels_the_statement(warehouse, load, double, monkeypatch):
    files = load("BTC")
    double.fail_next("hang")

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    clock = SimpleNamespace(sleep=interrupted, monotonic=time.monotonic)
    monkeypatch.setattr(data_api, "time", clock)
    with pytest.raises(KeyboardInterrupt):
        warehouse.replace(files)
    monkeypatch.undo()
    assert aborted(double)


def test_a_statement_cancelled_by_somebody_else_is_reported(warehouse, load, double):
    double.fail_next("hang")

    def cancel() -> None:
        until("a statement", lambda: double.statements)
        double.answer("CancelStatement", {"Id": next(iter(double.statements))})

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(BusyError, match="was cancelled in Redshift"):
        warehouse.replace(load("BTC"))
    thread.join()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"workgroup": "none"}, "CRYPTO_ASSETS_AWS_REDSHIFT_WORKGROUP"),
        (
            {"database": "other"},
            'database "other" does not exist: set CRYPTO_ASSETS_AWS_REDSHIFT_DA',
        ),
        ({"role_arn": "arn:aws:iam::123456789012:role/other"}, "s3:GetObject on the lake"),
        ({"lake": "s3://test-no-such-bucket/x"}, "test-no-such-bucket"),
    ],
)
def test_what_is_set_up_wrong_is_no_tickers_fault_and_reported_with_its_cure(
    ready, make, load, double, settings, words
):
    with pytest.raises(RefusedError) as refused:
        make(**settings).replace(load("AAA", "BBB", "CCC", "DDD"))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert double.calls["BatchExecuteStatement"] <= 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "allow redshift-data:.* on workgroup analytics"),
        ("ExpiredTokenException", "a new key file"),
    ],
)
def test_what_aws_refuses_is_reported_with_its_cure(warehouse, router, code, words):
    router.fail("redshift-data", operation="ExecuteStatement", status=400, code=code)
    with pytest.raises(RefusedError, match=words):
        warehouse.query("SELECT 1")
