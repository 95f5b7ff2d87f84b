"""The outputs of a stack as settings in the TOML file of its environment, and what they make ready.

An output named like a setting of `[aws]` is its value. All else in the file stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import tomlkit
from tomlkit.exceptions import TOMLKitError

from crypto_assets.resources import wiring
from crypto_assets.resources.engine.artifact import Packer
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.progress import waiting
from crypto_assets.resources.settings import AwsSettings, Settings
from crypto_assets.spark.replacing import SHARED, replacing

# What a stack may leave out: the setting of `[aws]` that its output is, the resource that needs it,
# and what the resource is set to without it.
_PARTS = (
    ("emr_application_id", "engine", "sail"),
    ("redshift_workgroup", "warehouse", "duckdb"),
    ("account_table", "store", "duckdb"),
)


def settings_of(outputs: Mapping[str, str]) -> dict[str, str]:
    """The settings of `[aws]` that are outputs, by name."""
    named = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): v for name, v in outputs.items()}
    return {name: named[name] for name in AwsSettings.settings() if name in named}


def write_settings(file: Path, outputs: Mapping[str, str]) -> None:
    """Puts the outputs into the file; one that the stack has no more is removed.

    Raises `UsageError` if the file is no TOML.
    """
    try:
        document = tomlkit.parse(file.read_text("utf-8")) if file.is_file() else tomlkit.document()
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}") from error
    document["profile"] = "aws"
    if "aws" not in document:
        document["aws"] = tomlkit.table()
    found, aws = settings_of(outputs), cast("dict[str, str]", document["aws"])
    for setting, resource, without in _PARTS:
        if setting not in found:
            document.setdefault(resource, without)
            aws.pop(setting, None)
        elif setting not in aws and document.get(resource) == without:
            del document[resource]  # written when the stack left it out
    aws.update(found)
    with replacing(file, mode=SHARED) as stream:
        stream.write(tomlkit.dumps(document).encode())


def make_ready(settings: Settings, show: Callable[[str], None]) -> None:
    """Uploads what jobs are made of, and makes what loads need in Redshift, showing the SQL."""
    if settings.aws.emr_application_id:
        waiting("building and uploading what jobs on EMR Serverless are made of")
        artifact = Packer(settings.artifacts).uploaded(wiring.lake(settings).objects)
        waiting(f"jobs are made of {artifact.archive}")
    wiring.warehouse(settings).fix((), show)
