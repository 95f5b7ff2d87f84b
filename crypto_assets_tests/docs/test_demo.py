"""`make demo`, which README.md and docs/quick-start.md begin with, does what they promise."""

from __future__ import annotations

import os
import subprocess
import sys

from crypto_assets_tests.helpers.pages import PAGES, ROOT
from crypto_assets_tests.helpers.waiting import HANG_S


def test_the_demo_does_exactly_what_it_promises(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "sample_data.demo"],
        cwd=ROOT,
        env={**os.environ, "DEMO_HOME": str(tmp_path / "demo")},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verdicts = [line for line in done.stdout.splitlines() if line[:8].strip().isupper()]
    assert sum(" ok " in line for line in verdicts) == 4
    assert "uploads are new" not in done.stdout
    assert (tmp_path / "demo" / "report.html").read_text().startswith("<!doctype html>")
    assert f"{tmp_path}/demo/report.html" in done.stdout
    shown = [line for line in verdicts if line.startswith(("BTC  ", "DOGE  ")) and ".csv" in line]
    assert "line 915: not a price: 'n.a. see mail'" in shown[0]
    for page in ("README.md", "docs/quick-start.md"):
        assert [line for line in verdicts if line in PAGES[page]] != []
