"""What parliament finds in policies; it runs as a program of its own, `run_parliament`."""

from __future__ import annotations

import json
import subprocess
import sys


def findings(*documents: str) -> list[str]:
    """What parliament finds in these policies."""
    command = [sys.executable, "-m", "crypto_assets_tests.helpers.run_parliament"]
    done = subprocess.run(
        command, input=json.dumps(documents), stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)
