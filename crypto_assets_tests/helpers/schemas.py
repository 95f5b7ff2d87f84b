"""AWS's own schemas of resource types, which cfn-lint brings along."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint

from crypto_assets_tests.doubles import REGION

_FOLDER = Path(cfnlint.__file__).parent / "data/schemas"


@cache
def schema(kind: str) -> dict[str, Any]:
    """The schema of a type, such as `AWS::S3::Bucket`; files are named by a hash."""
    names = json.loads((_FOLDER / f"providers/{REGION}.json").read_text())
    return json.loads((_FOLDER / f"resources/{names[kind]}.json").read_text())
