"""Access to AWS: whose credentials, which region and endpoint, and clients that try again.

The one place that makes boto3 clients, and the one that says in our words what AWS answers. What is
asked of a service is in the module of that part (`emr`, `redshift`, `s3`, `events`, …).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crypto_assets.resources.errors import BusyError, RefusedError, UsageError
from crypto_assets.resources.settings import Settings, variable

if TYPE_CHECKING:
    import boto3
    from botocore.loaders import Loader

ATTEMPTS = 8
QUICK_S = 5
CONNECTIONS = 32
CONNECT_S = 10
THROTTLED = re.compile(
    r"Throttl|ThroughputExceeded|TooManyRequests|RequestLimitExceeded|SlowDown", re.IGNORECASE
)
_KEY_COLUMNS = ("Access key ID", "Secret access key")
_WHO = re.compile(
    r"Expired|InvalidAccessKeyId|InvalidClientTokenId|InvalidToken|SignatureDoesNotMatch|"
    r"UnrecognizedClient|TokenRefreshRequired"
)
MAY_NOT = re.compile(
    r"AccessDenied|AllAccessDisabled|NotAuthorized|UnauthorizedOperation|AuthorizationError|^403$"
)
_KEY = "allow kms:GenerateDataKey and kms:Decrypt on the key that encrypts the bucket"
_NO_SUCH_NAME = re.compile(r"NoSuchBucket|InvalidBucketName|Redirect|NotFound|NonExist|Validation")
_PASSES = re.compile(
    r"ConflictException|ServiceQuotaExceeded|QueryTimeout|DatabaseConnection|RequestTimeout|"
    r"InternalError|ServiceUnavailable|ActiveS\w+Exceeded"
)
_RENEW = "renew them (such as `aws sso login`, or a new key file) and run again"


@dataclass(frozen=True, kw_only=True)
class Aws:
    """Where and as whom AWS is asked; without a profile or key file, by the usual AWS chain.

    `key_file` is a CSV of an access key, as the AWS console downloads it. `endpoint_url` is another
    address of all services; TLS is used unless it is http.
    """

    region: str | None = None
    profile: str | None = None
    key_file: Path | None = None
    endpoint_url: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Aws:
        """Access to AWS as the settings say."""
        chosen = settings.aws
        return cls(
            region=chosen.region,
            profile=chosen.profile,
            key_file=chosen.key_file,
            endpoint_url=chosen.endpoint_url,
        )

    @classmethod
    def of_storage(cls, settings: Settings) -> Aws | None:
        """Access to inbox and lake, if one of them is in S3."""
        return cls.of(settings) if "s3" in (settings.inbox, settings.lake) else None

    def environment(self) -> dict[str, str]:
        """Variables by which boto3 in another process has the same access."""
        found = {
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_PROFILE": self.profile,
        }
        if self.key_file:
            keys = read_key_file(self.key_file)
            found |= {name.upper(): value for name, value in keys.items()}
        return {name: value for name, value in found.items() if value}

    def keys(self) -> dict[str, str]:
        """Variables with the keys that hold now, for a library that knows no profiles."""
        with aws_errors():
            found = self._session.get_credentials()
            if found is None:
                return {}
            now = found.get_frozen_credentials()
        keys = {"AWS_ACCESS_KEY_ID": now.access_key, "AWS_SECRET_ACCESS_KEY": now.secret_key}
        return keys | ({"AWS_SESSION_TOKEN": now.token} if now.token else {})

    def client(self, service: str, *, quick: bool = False, checked: bool = True) -> Any:
        """A client of this service, safe to share between threads.

        Throttling, 5xx and lost connections are tried again with back-off, `ATTEMPTS` times in all;
        a `quick` client gives up within seconds, for someone who only looks whether there is one.
        One that is not `checked` sends parameters as they are: looking at each of them takes half
        of the time of a large request.
        Raises `UsageError` if there is no region, or the profile or key file cannot be used.
        """
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, NoRegionError

        config = Config(
            retries={"mode": "standard", "total_max_attempts": 2 if quick else ATTEMPTS},
            connect_timeout=QUICK_S if quick else CONNECT_S,
            **({"read_timeout": QUICK_S} if quick else {}),
            max_pool_connections=CONNECTIONS,
            parameter_validation=checked,
            user_agent_extra="crypto-assets",
        )
        elsewhere = self.endpoint_url and ".amazonaws." not in self.endpoint_url
        if elsewhere:  # over TLS boto3 sends checksums in chunks, which stores may refuse
            config = config.merge(Config(request_checksum_calculation="when_required"))
        try:
            client = self._session.client(service, endpoint_url=self.endpoint_url, config=config)
        except NoRegionError as error:
            raise UsageError(f"AWS: no region is set: set {variable('aws', 'region')}") from error
        except BotoCoreError as error:
            raise UsageError(f"AWS: {error}") from error
        if elsewhere:
            client.meta.events.register("before-call.s3.DeleteObjects", _add_md5)
        return client

    @cached_property
    def _session(self) -> boto3.session.Session:
        import boto3
        import botocore.session
        from botocore.exceptions import BotoCoreError

        keys: dict[str, str] = read_key_file(self.key_file) if self.key_file else {}
        core = botocore.session.Session()
        try:
            session = boto3.session.Session(
                botocore_session=core, region_name=self.region, profile_name=self.profile, **keys
            )
        except BotoCoreError as error:
            raise UsageError(f"AWS: {error}") from error
        core.register_component("data_loader", _service_models())
        return session


def _add_md5(params: dict[str, Any], **_: object) -> None:
    """S3 wanted it before it knew other checksums, and stores that are like it want it still."""
    digest = hashlib.md5(params["body"], usedforsecurity=False).digest()
    params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


@cache
def _service_models() -> Loader:
    """What botocore knows of the services, loaded once: that takes most of a client's making.

    Nothing else is shared by sessions: a new one finds the credentials that hold now.
    """
    from botocore.loaders import Loader

    return Loader()


@contextmanager
def aws_errors(
    *,
    permission: str = "allow it in the policy of who asks (see deploy/iam)",
    name: str = "look at the settings CRYPTO_ASSETS_AWS_…",
    but: tuple[str, ...] = (),
) -> Iterator[None]:
    """Raises what AWS answers as `BusyError` or `RefusedError`, in one line with a cure.

    `permission` is the cure where something is not allowed, `name` where something is not there;
    errors of the codes `but` are the caller's matter.
    """
    from boto3.exceptions import Boto3Error
    from botocore import exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        if error_code(error) in but:
            raise
        may_pass, message = _refusal(error, permission, name)
        raise (BusyError if may_pass else RefusedError)(message) from error
    except (
        aws.CredentialRetrievalError,
        aws.NoCredentialsError,
        aws.PartialCredentialsError,
        aws.SSOError,
        aws.TokenRetrievalError,
    ) as error:
        raise RefusedError(f"AWS knows no credentials: {one_line(error)}; {_RENEW}") from error
    except (aws.ConnectionError, aws.HTTPClientError, aws.IncompleteReadError) as error:
        raise BusyError(f"AWS cannot be reached: {one_line(error)}; run again later") from error
    except (Boto3Error, aws.BotoCoreError) as error:
        raise RefusedError(f"AWS: {one_line(error)}") from error


def error_code(error: BaseException | None) -> str:
    """The code of what a service refused; empty if this is no such error."""
    response = getattr(error, "response", None) or {}  # a lost connection has None
    return str(response.get("Error", {}).get("Code", ""))


def passes(code: str, status: int = 0) -> bool:
    """Whether an error of this code and HTTP status may be gone at another attempt."""
    broken = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
    return bool(broken or THROTTLED.search(code) or _PASSES.search(code))


def _refusal(error: Any, permission: str, name: str) -> tuple[bool, str]:
    """Whether the service's refusal may pass, and the refusal in one line."""
    code, operation = error_code(error), error.operation_name
    message = one_line(error.response["Error"].get("Message") or code)
    if _WHO.search(code):
        return (
            False,
            f"AWS does not take the credentials ({code} at {operation}): {_RENEW}",
        )
    if MAY_NOT.search(code):
        cure = _KEY if " kms:" in message else permission
        return False, f"AWS refuses {operation}: {message}; {cure}"
    refusal = f"AWS refuses {operation}: {code}: {message}"
    if passes(code, error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)):
        return True, f"{refusal}; run again later"
    return False, f"{refusal}; {name}" if _NO_SUCH_NAME.search(code) else refusal


def split_uri(uri: str) -> tuple[str, str]:
    """The bucket of an S3 URI and the key in it, without slashes around that."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key.strip("/")


def one_line(text: object) -> str:
    """The text as one line, without the query of a signed URL."""
    return re.sub(r"(https?://[^\s'\"?]+)\?[^\s'\"]*", r"\1", " ".join(str(text).split()))


def read_key_file(path: Path) -> dict[str, str]:
    """The access key in a CSV of the AWS console, as arguments of a boto3 session.

    Raises `UsageError` without showing what is in the file if it is no such CSV.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            row = next(csv.DictReader(stream), {})
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: no key file: {type(error).__name__}") from error
    cells = {(name or "").strip().lower(): (value or "") for name, value in row.items() if name}
    key, secret = (cells.get(column.lower(), "").strip() for column in _KEY_COLUMNS)
    if not key or not secret:
        raise UsageError(
            f"{path}: the columns {' and '.join(map(repr, _KEY_COLUMNS))} are wanted: download the "
            "access key again from the AWS console"
        )
    return {"aws_access_key_id": key, "aws_secret_access_key": secret}
