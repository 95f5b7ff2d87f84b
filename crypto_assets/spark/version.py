"""The version of the transformation code: a hash of every source file in this folder.

Kept apart from the code it hashes, so that it can be asked for without importing pyspark.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def code_version() -> str:
    """Twelve hexadecimal digits that change whenever a file of `spark/` does."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
