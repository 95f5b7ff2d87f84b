"""The log notifier: no notice is lost, whatever is in it."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crypto_assets.resources.notifier.notifier import LogNotifier


@pytest.fixture
def notifier(tmp_path: Path) -> LogNotifier:
    return LogNotifier(path=str(tmp_path / "new folder" / "notices.log"))


def test_notices_are_appended_each_with_its_time(notifier):
    notifier.notify("1 tickers failed", "BTC failed at bronze\nupload again")
    notifier.notify("run broke off", "why")
    written = Path(notifier.path).read_text(encoding="utf-8")
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
    assert re.fullmatch(
        rf"{time} 1 tickers failed\nBTC failed at bronze\nupload again\n\n"
        rf"{time} run broke off\nwhy\n\n",
        written,
    )


def test_a_notice_is_logged_as_an_error_too(notifier, caplog):
    with caplog.at_level(logging.ERROR, "crypto_assets.notices"):
        notifier.notify("subject", "50% of %s")
    assert [(r.levelname, r.message) for r in caplog.records] == [("ERROR", "subject\n50% of %s")]


def test_what_is_no_failure_is_logged_below_an_error(notifier, caplog):
    with caplog.at_level(logging.INFO, "crypto_assets.notices"):
        notifier.notify("subject", "text", level=logging.INFO)
    assert [(r.levelname, r.message) for r in caplog.records] == [("INFO", "subject\ntext")]
    assert "subject\ntext\n" in Path(notifier.path).read_text(encoding="utf-8")


def test_a_notice_may_hold_any_language_and_bytes_that_are_no_characters(notifier):
    notifier.notify("比特币 é", "b\udcff.csv cannot be read")
    written = Path(notifier.path).read_text(encoding="utf-8")
    assert written.partition(" ")[2] == "比特币 é\nb\\udcff.csv cannot be read\n\n"


def test_notices_sent_at_once_are_all_there_and_whole(notifier):
    texts = [f"{number:03} " * 5_000 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: notifier.notify("s", text), texts))
    written = Path(notifier.path).read_text(encoding="utf-8")
    assert sorted(re.findall(r" s\n(.*)\n\n", written)) == texts
