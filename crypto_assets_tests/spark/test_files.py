"""A currency's files, read by a process that has nothing else to do."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pyarrow as pa

from crypto_assets.spark.files import encoded
from crypto_assets.spark.market_data.tables import GOLD
from crypto_assets.spark.tables import arrow_schema
from crypto_assets_tests.helpers.waiting import HANG_S

TIMES = 25  # one in six such processes was aborted
READING = """
import sys
from pathlib import Path
from crypto_assets.spark.files import decoded
from crypto_assets.spark.market_data.tables import GOLD
content = Path(sys.argv[1]).read_bytes()
for _ in range(4):
    assert decoded(content, GOLD).num_rows == 2000
"""


def test_a_process_that_ends_after_it_has_read_files_ends_without_a_fault(tmp_path):
    days = [date(2020, 1, 1) + timedelta(day) for day in range(2000)]
    rows = [
        {"date": day, **dict.fromkeys(GOLD.numbers, place / 7)} for place, day in enumerate(days)
    ]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(GOLD.file_columns))
    (tmp_path / "gold").write_bytes(encoded(table).content)
    for _ in range(TIMES):
        done = subprocess.run(
            [sys.executable, "-c", READING, str(tmp_path / "gold")],
            stderr=subprocess.PIPE,
            text=True,
            timeout=HANG_S,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
