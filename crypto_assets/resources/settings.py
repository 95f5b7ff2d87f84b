"""The product's settings: environment variables (`CRYPTO_ASSETS_…`) or `crypto_assets.toml`.

An environment (`CRYPTO_ASSETS_ENV`) has a file and a home of its own. Read when asked for, never at
import. Where each thing lives below the home folder is here too, so that no other module joins
paths on its own. How a value is checked is in `setting_values`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.setting_values import (
    Secret,
    Table,
    conf,
    connect,
    listed,
    master,
    number,
    one_of,
    optional,
    owners,
    path,
    setting,
    text,
)

_PREFIX = "CRYPTO_ASSETS"
_ENV = r"[a-z0-9][a-z0-9-]{0,12}"  # a stack's prefix is `crypto-` and this, 20 characters at most


@dataclass(frozen=True, init=False)
class AwsSettings(Table):
    """What is on AWS: `CRYPTO_ASSETS_AWS_…`, or the table `[aws]` of the TOML.

    Empty means not set: a missing setting is reported by what needs it.
    """

    within: ClassVar[str] = "aws."

    region: str | None = setting(optional(text), None, "AWS region.")
    profile: str | None = setting(optional(text), None, "Profile of the shared AWS files.")
    key_file: Path | None = setting(optional(path), None, "CSV of an access key.")
    endpoint_url: str | None = setting(optional(text), None, "Another address of all services.")
    inbox: str = setting(text, "", "S3 URI of the uploads, such as s3://bucket.")
    lake: str = setting(text, "", "S3 URI of the lake, such as s3://bucket/lake.")
    queue_url: str = setting(text, "", "SQS queue that gets the inbox's events.")
    topic_arn: str = setting(text, "", "SNS topic that gets the notices.")
    emr_application_id: str = setting(text, "", "EMR Serverless application.")
    emr_role_arn: str = setting(text, "", "Role that its job runs have.")
    emr_executors: int | None = setting(
        optional(number(int, 1)), None, "Executors of a job; not set: by its currencies, at most 3."
    )
    emr_executor_cores: int = setting(number(int, 1), 4, "vCPUs of an executor.")
    emr_executor_memory_gb: int = setting(number(int, 2), 16, "Memory of an executor, in GB.")
    emr_driver_cores: int = setting(number(int, 1), 2, "vCPUs of a job's driver.")
    emr_driver_memory_gb: int = setting(number(int, 2), 8, "Memory of a job's driver, in GB.")
    emr_time_limit_min: int = setting(number(int, 1), 120, "Minutes after which a job is ended.")
    emr_log_uri: str = setting(text, "", "S3 URI of the jobs' logs; not set: EMR keeps them.")
    emr_python: str = setting(
        text, "/usr/bin/python3.11", "Python of a job, where the application has it."
    )
    redshift_workgroup: str = setting(text, "", "Redshift Serverless workgroup.")
    redshift_database: str = setting(text, "dev", "Its database.")
    redshift_role_arn: str = setting(text, "", "Role with which COPY reads the lake.")
    account_table: str = setting(
        text, "CustomerAccount", "DynamoDB table of the customer accounts."
    )

    def wanted(self, name: str) -> str:
        """A setting that something cannot do without. Raises `UsageError` if it is not set."""
        if not (value := getattr(self, name)):
            raise UsageError(f"a setting is missing: set {variable('aws', name)}")
        return str(value)


def _by_profile(local: str, aws: str, description: str, needs: str = "") -> Any:
    """A setting whose default is the profile's; that of `aws` only if what it `needs` is set."""

    def default(chosen: Settings) -> str:
        on_aws = chosen.profile == "aws"
        return aws if on_aws and (not needs or getattr(chosen.aws, needs)) else local

    described = f"{description}. The profile's, if not set."
    return setting(text, None, described, from_above=default)


def _aws(given: Any) -> AwsSettings:
    if isinstance(given, AwsSettings):
        return given
    if not isinstance(given, dict):
        raise ValueError("Input should be a table")  # noqa: TRY004 - a user's mistake
    return AwsSettings(**given)


def _env(given: Any) -> str:
    name = text(given)
    if name and not re.fullmatch(_ENV, name):
        raise ValueError("a name of up to 13 small letters, digits and hyphens is wanted")
    return name


def _home(given: Any) -> Path:
    """Spark takes some characters of a path for patterns, SQLite and hive readers others."""
    home = path(given)
    if wrong := sorted(set("*?[]{}#%=") & set(str(home.expanduser().absolute()))):
        raise ValueError(f"{home}: a path without {' '.join(wrong)} is wanted")
    return home


@dataclass(frozen=True, init=False)
class Settings(Table):
    """Effective settings; an environment variable wins over `crypto_assets.toml`.

    Which words a resource may be set to is in `wiring`.
    """

    profile: Literal["local", "aws"] = setting(
        one_of("local", "aws"),
        "local",
        "Gives the defaults of inbox, lake, engine, warehouse, store and notifier.",
    )

    env: str = setting(
        _env, "", "Environment: its settings are in `crypto_assets.NAME.toml`, its home is its own."
    )
    home: Path = setting(
        _home,
        None,
        "Folder of everything local: inbox, lake, warehouse and Dagster's storage.",
        from_above=lambda chosen: Path(
            f".crypto_assets.{chosen.env}" if chosen.env else ".crypto_assets"
        ),
    )
    aws: AwsSettings = setting(_aws, AwsSettings(), "Settings of what is on AWS.")
    inbox: str = _by_profile("folder", "s3", "Where uploads are: `folder` (in the home) or `s3`")
    lake: str = _by_profile("folder", "s3", "Where the lake is: `folder` (in the home) or `s3`")
    engine: str = _by_profile(
        "sail",
        "emr-serverless",
        "What computes: `sail` (no Java), `spark` (Apache Spark) or `emr-serverless`",
    )
    spark_master: str = setting(
        master,
        "local[*]",
        "Where engine `spark` runs: `local[*]`, `spark://host:7077`, `yarn` or `k8s://…`.",
    )
    spark_remote: Secret | None = setting(
        optional(connect),
        None,
        "Spark Connect server that engine `spark` asks instead: `sc://host:15002`.",
        secret=True,
    )
    spark_conf: Mapping[str, str] = setting(
        conf,
        MappingProxyType({}),
        "Table of what the Spark configuration has besides, for engine `spark`.",
        secret=True,
    )
    warehouse: str = _by_profile("duckdb", "redshift", "What SQL asks: `duckdb` or `redshift`")
    store: str = _by_profile(
        "duckdb", "dynamodb", "What applications read of the accounts: `duckdb` or `dynamodb`"
    )
    notifier: str = _by_profile(
        "log", "sns", "Where notices go: `log` (a file in the home) or `sns`", needs="topic_arn"
    )
    lock_wait_s: float = setting(
        number(float, 0), 60.0, "Seconds to wait for a warehouse or lake another process holds."
    )
    max_deleted_share: float = setting(
        number(float, 0, 1),
        0.2,
        "Share of the customer accounts that one snapshot may delete unconfirmed.",
    )

    keep_runs_days: int = setting(
        number(int, 1),
        90,
        "Days after which the events of a run go, if nothing needs them any more.",
    )
    keep_uploads_days: int = setting(
        number(int, 1),
        30,
        "Days after which a replaced content of an upload goes; the last 3 stay.",
    )
    keep_snapshots: int = setting(
        number(int, 1),
        10,
        "Last snapshots of customer accounts of which bronze and silver stay.",
    )
    checks: str = setting(
        one_of("on", "off"), "on", "Whether each currency's checks are evaluated, for the UI."
    )
    metrics: str = setting(
        text, "off", "Where metrics go: `off`, or `otlp` (OpenTelemetry's variables say where)."
    )
    owners: tuple[str, ...] = setting(
        owners, (), "Whom the UI names as owners of the tables: e-mail addresses, `team:NAME`."
    )
    ui_hosts: tuple[str, ...] = setting(
        listed, (), "Names besides the loopback ones under which a browser may ask for the UI."
    )

    def __init__(self, **given: Any) -> None:
        """Those given, else of the environment, else of the TOML file, else the defaults.

        Raises `UsageError` if one is wrong, or the file holds what is none.
        """
        variables = _in_the_environment()
        env = {"env": "", **variables, **given}["env"]
        chosen = _in_the_file(settings_file(self._checked("env", env, self.settings()["env"])))
        for source in (variables, given):
            for name, value in source.items():
                under = chosen.get(name)
                tables = isinstance(under, dict) and isinstance(value, dict)
                chosen[name] = under | value if tables else value
        super().__init__(**chosen)

    @property
    def root(self) -> Path:
        """The home folder as an absolute path."""
        return self.home.expanduser().absolute()

    @property
    def inbox_folder(self) -> Path:
        return self.root / "inbox"

    @property
    def lake_folder(self) -> Path:
        return self.root / "lake"

    @property
    def warehouse_file(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def store_file(self) -> Path:
        return self.root / "store.duckdb"

    @property
    def outcomes_file(self) -> Path:
        return self.root / "outcomes.sqlite"

    @property
    def locks(self) -> Path:
        """The locks of what is not local."""
        return self.root / "locks"

    @property
    def artifacts(self) -> Path:
        """What jobs on EMR Serverless are packed into, and the wheels for it."""
        return self.root / "artifacts"

    @property
    def notices(self) -> Path:
        return self.root / "notices.log"

    @property
    def dagster_home(self) -> Path:
        return self.root / "dagster"


def read_settings() -> Settings:
    """The settings in force here. Raises `UsageError` if one is wrong or there is none of its name.

    An unknown variable would otherwise be passed over, and what it was to set stay as it is; an
    unknown environment would begin with a home of its own.
    """
    known = {variable(*names) for names in _names()}
    for name in os.environ:
        if name.upper().startswith(f"{_PREFIX}_") and name.upper() not in known:
            raise UsageError(f"{name}: there is no such setting: {_meant(name.upper(), known)}")
    settings = Settings()
    if settings.env and not (file := settings_file(settings.env)).is_file():
        raise UsageError(
            f"there is no {file} here: unset {variable('env')} and run `crypto-assets deploy --env "
            f"{settings.env}`, or go to the folder that has it"
        )
    return settings


def settings_file(env: str) -> Path:
    """Where the settings of an environment are, or those of none, in the working directory."""
    return Path(f"crypto_assets.{env}.toml" if env else "crypto_assets.toml")


def _names() -> Iterator[tuple[str, ...]]:
    """The name of each setting, from the outermost table inwards."""
    for name in Settings.settings():
        if name != "aws":
            yield (name,)
    for name in AwsSettings.settings():
        yield "aws", name


def _in_the_environment() -> dict[str, Any]:
    """The settings that are variables, whose names may have small letters too."""
    variables = {name.upper(): value for name, value in os.environ.items()}
    chosen: dict[str, Any] = {}
    for *outer, name in _names():
        if (value := variables.get(variable(*outer, name))) is not None:
            within = chosen.setdefault("aws", {}) if outer else chosen
            within[name] = value
    return chosen


def _in_the_file(file: Path) -> dict[str, Any]:
    """What the TOML file holds, if there is one. Raises `UsageError` if that is no setting."""
    if not file.is_file():
        return {}
    import tomllib

    try:
        with file.open("rb") as stream:
            document = tomllib.load(stream)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{file}: it is nested too deeply") from error
    known = {".".join(names) for names in _names()} - {"env"}  # which file this is, says no file
    on_aws = document.get("aws")
    within = on_aws if isinstance(on_aws, dict) else {}
    for name in [
        *(each for each in document if each != "aws"),
        *(f"aws.{each}" for each in within),
    ]:
        if name not in known:
            raise UsageError(f"setting {name}: there is no such setting: {_meant(name, known)}")
    return document


def _meant(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), 1)
    return f"did you mean {near[0]}?" if near else "`crypto-assets doctor` lists them"


def variable(*names: str) -> str:
    """The environment variable of a setting, named from the outermost table inwards."""
    return "_".join([_PREFIX, *(name.upper() for name in names)])
