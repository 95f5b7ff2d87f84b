"""One file for each kind of fault that once gave a wrong number or a refusal without a way out.

Each goes the way of `add`: it is taken with the right values, or refused with words that help.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.inbox.inbox import Inbox
from crypto_assets.resources.market_data.registry import CurrencyRegistry
from crypto_assets.resources.storage.local import LocalObjects
from crypto_assets.resources.uploads.register import add_currency
from crypto_assets.spark.exports import read_export
from crypto_assets.spark.market_data.coins import terms_of
from crypto_assets.spark.market_data.currency import Choices
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets_tests.resources.uploads.right_or_refused import CASES, PARTNERS, Case


@pytest.fixture
def added(tmp_path: Path) -> Callable[[Case], list[str]]:
    """Adds the file with a sound partner; what is odd about it."""
    objects = LocalObjects(root=str(tmp_path / "inbox"))
    inbox, registry = Inbox(objects=objects), CurrencyRegistry(MARKET_DATA, objects)

    def add(case: Case) -> list[str]:
        (partner,) = MARKET_DATA.files.keys() - {case.kind}
        sources = {case.kind: tmp_path / "given" / case.name, partner: tmp_path / "other.csv"}
        sources[case.kind].parent.mkdir(exist_ok=True)
        sources[case.kind].write_text(case.text, encoding="utf-8")
        sources[partner].write_text(
            PARTNERS[partner].replace("bitcoin", case.ticker), encoding="utf-8"
        )
        _, remarks = add_currency(inbox, registry, case.ticker, sources, Choices(**case.choices))
        return remarks

    return add


def values(case: Case, path: Path) -> dict[date, float]:
    """What the reader gives for the file of the case, as silver reads its text."""
    options = Choices(**case.choices).reading(terms_of(case.ticker, ()), case.kind, case.name)
    with path.open("rb") as stream:
        lines = read_export(stream, options).lines.to_pylist()
    data = [line for line in lines if line["role"] == "data" and line["value"]]
    texts = {date.fromisoformat(line["date"]): "".join(line["value"].split()) for line in data}
    assert len(texts) == len(data)
    return {day: 0.5 if text == "<1" else float(text) for day, text in texts.items()}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.right])
def test_a_file_is_read_as_it_is_and_what_is_odd_is_said(name, added, tmp_path):
    case = CASES[name]
    remarks = added(case)
    assert values(case, tmp_path / "given" / case.name) == case.right
    for words in case.notes:
        assert any(words in remark for remark in remarks), remarks


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.refused])
def test_a_file_that_is_not_certain_is_refused_with_what_to_do(name, added):
    case = CASES[name]
    with pytest.raises(UsageError) as refused:
        added(case)
    for words in case.refused:
        assert words in str(refused.value)


def test_every_case_has_one_end():
    assert all(bool(case.right) != bool(case.refused) for case in CASES.values())
