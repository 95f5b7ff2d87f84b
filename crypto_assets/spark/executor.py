"""What an executor of a cluster has; asked before a job, so that what it lacks is said once."""

from __future__ import annotations

import json
import platform
import sys
from importlib.util import find_spec

LEAST_PYTHON = (3, 11)
PACKAGES = ("pyarrow", "pandas", "numpy", "boto3")  # Spark's own functions want pandas


def facts() -> str:
    """JSON: `host`, `python` (its version) and `packages` (whether each is installed)."""
    packages = {name: find_spec(name) is not None for name in PACKAGES}
    python = list(sys.version_info[:3])
    return json.dumps({"host": platform.node(), "python": python, "packages": packages})
