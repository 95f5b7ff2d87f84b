"""A command in a process of its own, and what it imports and reads there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

from crypto_assets_tests.helpers.waiting import HANG_S

HEAVY = (
    *("bokeh", "boto3", "dagster", "pandas", "pydantic", "pysail", "pyspark", "rich.console"),
    "sqlalchemy",
)
COMMAND = """
import json, sys
from collections import Counter

counted = Counter()

def count(event, arguments):
    if event in ("sqlite3.connect", "os.scandir"):
        counted[event] += 1
    elif event == "open" and str(arguments[0]).endswith(".json"):
        counted[event] += 1

sys.addaudithook(count)
from crypto_assets.cli import main
try:
    main(sys.argv[1:])
finally:
    print(json.dumps([[*sys.modules], counted]), file=sys.stderr)
"""


def in_a_new_process(*words: object) -> tuple[str, set[str], Counter[str]]:
    """What a command printed, the modules it imported, and how often it looked into the home."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    imported, counted = json.loads(done.stderr.splitlines()[-1])
    return done.stdout, set(imported), Counter(counted)
