"""Job specs and results survive their way through JSON."""

from __future__ import annotations

from datetime import date

from crypto_assets.spark.accounts.snapshot import Snapshot
from crypto_assets.spark.job_spec import (
    JobSpec,
    LayerResult,
    Upload,
    Verdict,
    result_from_json,
    spec_from_json,
    to_json,
)
from crypto_assets.spark.market_data.currency import Choices, Currency

FILE = Upload("s3://bucket/inbox/a%20b.csv", "a b.csv", "00ff")


def test_a_job_spec_comes_back_with_its_partitions_as_they_were():
    both = {"history": FILE, "trend": FILE}
    choices = Choices(
        missing="drop",
        dates="mdy",
        decimal="comma",
        accept_outliers=True,
        max_shrink=0.5,
        names=("Bitcoin €",),
    )
    currencies = [Currency("BTC", both, choices, ("btc", "coin")), Currency("1", both)]
    snapshot = Snapshot("2024", "2024-01-25T00:00:00Z", {"customers": FILE}, (7, 8), "2023")
    partitions = tuple(part.partition() for part in (*currencies, snapshot))
    staging, lake = "s3://bucket/_staging/1", "s3://bucket"
    spec = JobSpec("a.job", staging, lake, ("x", "y"), partitions, ("x_too",), 4)
    found = spec_from_json(to_json(spec))
    assert [Currency.of(partition) for partition in found.partitions[:2]] == currencies
    assert Snapshot.of(found.partitions[2]) == snapshot
    assert found.optional == spec.optional
    assert to_json(found) == to_json(spec)


def test_a_result_comes_back_as_it_was_with_its_dates_as_text():
    measures = {"rows": 2, "first_date": date(2024, 1, 25), "history": {"notes": ["a"], "x": None}}
    verdicts = (Verdict("BTC", "gold", (), measures, "v1"), Verdict("BAD", "gold", ("why", "how")))
    result = LayerResult("gold", 1.5, verdicts, "s3://bucket/_staging/1")
    found = result_from_json(to_json(result))
    assert found.verdicts[0].measures == {**measures, "first_date": "2024-01-25"}
    assert found.verdicts[1] == verdicts[1]
    assert (found.layer, found.seconds, found.staging) == ("gold", 1.5, "s3://bucket/_staging/1")
    assert found.passed == ("BTC",)
