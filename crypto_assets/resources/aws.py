"""Access to AWS: whose credentials, which region and endpoint, and clients that try again.

The one place that makes boto3 clients. What is asked of a service is in the module of that part
(`emr`, `redshift`, `sqs`, …).
"""

from __future__ import annotations

import csv
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from crypto_assets.resources.registry import WrongUse

if TYPE_CHECKING:
    import boto3

ATTEMPTS = 8
QUICK_S = 5
CONNECTIONS = 32
_KEY_COLUMNS = ("Access key ID", "Secret access key")


class Aws(dg.ConfigurableResource):
    """Where and as whom AWS is asked; without a profile or key file, by the usual AWS chain."""

    region: str | None = Field(default=None, description="AWS region, such as eu-central-1.")
    profile: str | None = Field(default=None, description="Profile of the shared AWS files.")
    key_file: str | None = Field(
        default=None, description="CSV of an access key, as the AWS console downloads it."
    )
    endpoint_url: str | None = Field(
        default=None, description="Another address of all services; TLS is used unless it is http."
    )

    def client(self, service: str, *, quick: bool = False) -> Any:
        """A client of this service, safe to share between threads.

        Throttling, 5xx and lost connections are tried again with back-off, `ATTEMPTS` times in all;
        a `quick` client gives up within seconds, for someone who only looks whether there is one.
        Raises `WrongUse` if the profile or the key file cannot be used.
        """
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        config = Config(
            retries={"mode": "standard", "total_max_attempts": 2 if quick else ATTEMPTS},
            **({"connect_timeout": QUICK_S, "read_timeout": QUICK_S} if quick else {}),
            max_pool_connections=CONNECTIONS,
            user_agent_extra="crypto-assets",
        )
        try:
            return self._session.client(service, endpoint_url=self.endpoint_url, config=config)
        except BotoCoreError as error:
            raise WrongUse(f"AWS: {error}") from error

    @cached_property
    def _session(self) -> boto3.session.Session:
        import boto3
        from botocore.exceptions import BotoCoreError

        keys: dict[str, str] = read_key_file(Path(self.key_file)) if self.key_file else {}
        try:
            return boto3.session.Session(region_name=self.region, profile_name=self.profile, **keys)
        except BotoCoreError as error:
            raise WrongUse(f"AWS: {error}") from error


def read_key_file(path: Path) -> dict[str, str]:
    """The access key in a CSV of the AWS console, as arguments of a boto3 session.

    Raises `WrongUse` without showing what is in the file if it is no such CSV.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            row = next(csv.DictReader(stream), {})
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"{path}: no key file: {type(error).__name__}") from error
    cells = {(name or "").strip().lower(): (value or "") for name, value in row.items() if name}
    key, secret = (cells.get(column.lower(), "").strip() for column in _KEY_COLUMNS)
    if not key or not secret:
        raise WrongUse(
            f"{path}: the columns {' and '.join(map(repr, _KEY_COLUMNS))} are wanted: download the "
            "access key again from the AWS console"
        )
    return {"aws_access_key_id": key, "aws_secret_access_key": secret}
