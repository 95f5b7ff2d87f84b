"""Files of AWS keys that other users of this machine can read; what is in them is never shown."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from crypto_assets.resources.doctor.aws import uses_aws
from crypto_assets.resources.settings import Settings

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SHARED = "~/.aws/credentials"


def exposed_key_files(settings: Settings) -> list[str]:
    """A sentence with the cure for each such file: the key file, and where it counts, AWS's own."""
    files = [settings.aws.key_file] if settings.aws.key_file else []
    if uses_aws(settings):
        files.append(Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", _SHARED)))
    found = [path.expanduser() for path in files]
    return [
        f"others can read the keys in {path}: chmod 600 {path}"
        for path in found
        if path.is_file() and path.stat().st_mode & _OTHERS
    ]
