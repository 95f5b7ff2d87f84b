"""What the page on metrics says, and why a layer that did not pass is counted as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_assets.resources.metrics.metrics import METRICS, REASONS, reason
from crypto_assets.spark.accounts.data_set import ACCOUNTS
from crypto_assets.spark.job_spec import Verdict
from crypto_assets.spark.market_data.data_set import MARKET_DATA

PAGE = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()


def test_the_page_lists_every_metric_and_every_reason_as_the_code_has_them():
    assert "".join(f"{each.markdown()}\n" for each in METRICS) in PAGE
    assert "".join(f"| `{word}` | {holds} |\n" for word, holds in REASONS.items()) in PAGE


@pytest.mark.parametrize(
    ("data_set", "layer", "how", "counted"),
    [
        (MARKET_DATA, "bronze", {"problems": ("line 3: no readable date",)}, "upload"),
        (MARKET_DATA, "silver", {"problems": ("2 rows expected, 1 written",)}, "audit"),
        (MARKET_DATA, "gold", {"problems": ("gold would shrink",)}, "audit"),
        (MARKET_DATA, "warehouse", {"problems": ("a value is too large",)}, "load"),
        (MARKET_DATA, "bronze", {"problems": ("S3: SlowDown",), "passing": True}, "passing"),
        (ACCOUNTS, "accounts_bronze", {"problems": ("not a table",)}, "upload"),
        (ACCOUNTS, "customer_account_store", {"superseded_by": "2026-01-02"}, "newer"),
    ],
)
def test_a_layer_that_did_not_pass_has_one_of_a_few_reasons(data_set, layer, how, counted):
    assert reason(data_set, Verdict("AAA", layer, **how)) == counted
    assert counted in REASONS
