"""Orders and results survive their way through JSON."""

from __future__ import annotations

from datetime import date

from crypto_assets.spark.job_spec import (
    Batch,
    Currency,
    LayerResult,
    Snapshot,
    Upload,
    Verdict,
    order_from_json,
    result_from_json,
    to_json,
)

FILE = Upload("s3://bucket/inbox/a%20b.csv", "a b.csv", "00ff")


def test_an_order_comes_back_as_it_was():
    currency = Currency(
        "BTC", FILE, FILE, "drop", "mdy", "comma", True, ("btc", "Bitcoin €"), 0.5, {"gold": 7}
    )
    batch = Batch("s3://bucket/_staging/1", "s3://bucket", ("bronze", "gold"), (currency,), 4)
    assert order_from_json(to_json(batch)) == batch
    plain = Batch("/staging", "/lake", ("silver",), (Currency("007", FILE, FILE),))
    assert order_from_json(to_json(plain)) == plain
    snapshot = Snapshot(
        "/staging",
        "/lake",
        ("accounts_bronze",),
        "2024",
        "2024-01-25T00:00:00Z",
        FILE,
        FILE,
        (7, 8),
    )
    assert order_from_json(to_json(snapshot)) == snapshot


def test_a_result_comes_back_as_it_was_with_its_dates_as_text():
    measures = {"rows": 2, "first_date": date(2024, 1, 25), "history": {"notes": ["a"], "x": None}}
    verdicts = (Verdict("BTC", "gold", (), measures, "v1"), Verdict("BAD", "gold", ("why", "how")))
    result = LayerResult("gold", 1.5, verdicts, "s3://bucket/_staging/1")
    found = result_from_json(to_json(result))
    assert found.verdicts[0].measures == {**measures, "first_date": "2024-01-25"}
    assert found.verdicts[1] == verdicts[1]
    assert (found.layer, found.seconds, found.staging) == ("gold", 1.5, "s3://bucket/_staging/1")
    assert found.passed == ("BTC",)
