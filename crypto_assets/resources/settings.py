"""The product's settings: environment variables (`CRYPTO_ASSETS_…`) or `crypto_assets.toml`.

Read when asked for, never at import. Where each thing lives below the home folder is here too, so
that no other module joins paths on its own.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from crypto_assets.resources.errors import UsageError

_PREFIX = "CRYPTO_ASSETS"
_TOML = "crypto_assets.toml"
_SECRET = ("spark_remote", "spark_conf")  # may hold a token or a key


class AwsSettings(BaseModel):
    """What is on AWS: `CRYPTO_ASSETS_AWS_…`, or the table `[aws]` of the TOML.

    Empty means not set: a missing setting is reported by what needs it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    def wanted(self, name: str) -> str:
        """A setting that something cannot do without. Raises `UsageError` if it is not set."""
        if not (value := getattr(self, name)):
            raise UsageError(f"a setting is missing: set {variable('aws', name)}")
        return str(value)

    region: str | None = Field(default=None, description="AWS region.")
    profile: str | None = Field(default=None, description="Profile of the shared AWS files.")
    key_file: Path | None = Field(default=None, description="CSV of an access key.")
    endpoint_url: str | None = Field(default=None, description="Another address of all services.")
    inbox: str = Field(default="", description="S3 URI of the uploads, such as s3://bucket.")
    lake: str = Field(default="", description="S3 URI of the lake, such as s3://bucket/lake.")
    queue_url: str = Field(default="", description="SQS queue that gets the inbox's events.")
    topic_arn: str = Field(default="", description="SNS topic that gets the notices.")
    emr_application_id: str = Field(default="", description="EMR Serverless application.")
    emr_role_arn: str = Field(default="", description="Role that its job runs have.")
    redshift_workgroup: str = Field(default="", description="Redshift Serverless workgroup.")
    redshift_database: str = Field(default="dev", description="Its database.")
    redshift_role_arn: str = Field(default="", description="Role with which COPY reads the lake.")
    account_table: str = Field(
        default="CustomerAccount", description="DynamoDB table of the customer accounts."
    )


def _by_profile(local: str, aws: str, description: str, needs: str = "") -> Any:
    """A setting whose default the profile gives; that of `aws` only if its setting `needs` is set.

    pydantic hands the fields above to the factory.
    """

    def default(chosen: dict[str, Any]) -> str:
        on_aws = chosen.get("profile") == "aws"
        return aws if on_aws and (not needs or getattr(chosen["aws"], needs)) else local

    return Field(default_factory=default, description=f"{description}. The profile's, if not set.")


class Settings(BaseSettings):
    """Effective settings; an environment variable wins over `crypto_assets.toml`.

    Which words a resource may be set to is in `wiring`.
    """

    model_config = SettingsConfigDict(
        env_prefix=f"{_PREFIX}_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        toml_file=_TOML,
        extra="forbid",
        frozen=True,
    )

    profile: Literal["local", "aws"] = Field(
        default="local",
        description="Gives the defaults of inbox, lake, engine, warehouse, store and notifier.",
    )

    home: Path = Field(
        default=Path(".crypto_assets"),
        description="Folder of everything local: inbox, lake, warehouse and Dagster's storage.",
    )
    aws: AwsSettings = Field(default=AwsSettings(), description="Settings of what is on AWS.")
    inbox: str = _by_profile("folder", "s3", "Where uploads are: `folder` (in the home) or `s3`")
    lake: str = _by_profile("folder", "s3", "Where the lake is: `folder` (in the home) or `s3`")
    engine: str = _by_profile(
        "sail",
        "emr-serverless",
        "What computes: `sail` (no Java), `spark` (Apache Spark) or `emr-serverless`",
    )
    spark_master: str = Field(
        default="local[*]",
        description="Where engine `spark` runs: `local[*]`, `spark://host:7077`, `yarn`, `k8s://…`.",
    )
    spark_remote: SecretStr | None = Field(
        default=None,
        description="Spark Connect server that engine `spark` asks instead: `sc://host:15002`.",
    )
    spark_conf: dict[str, str] = Field(
        default={},
        description="Table of what the Spark configuration has besides, for engine `spark`.",
    )
    warehouse: str = _by_profile("duckdb", "redshift", "What SQL asks: `duckdb` or `redshift`")
    store: str = _by_profile(
        "duckdb", "dynamodb", "What applications read of the accounts: `duckdb` or `dynamodb`"
    )
    notifier: str = _by_profile(
        "log", "sns", "Where notices go: `log` (a file in the home) or `sns`", needs="topic_arn"
    )
    lock_wait_s: float = Field(
        default=60,
        ge=0,
        description="Seconds to wait for a warehouse or lake another process holds.",
    )
    max_deleted_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Share of the customer accounts that one snapshot may delete unconfirmed.",
    )

    keep_runs_days: int = Field(
        default=90,
        ge=1,
        description="Days after which the events of a run go, if nothing needs them any more.",
    )
    keep_uploads_days: int = Field(
        default=30,
        ge=1,
        description="Days after which a replaced content of an upload goes; the last 3 stay.",
    )
    keep_snapshots: int = Field(
        default=10,
        ge=1,
        description="Last snapshots of customer accounts of which bronze and silver stay.",
    )
    ui_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Names besides the loopback ones under which a browser may ask for the UI.",
    )

    @field_validator("ui_hosts", mode="before")
    @classmethod
    def _listed(cls, hosts: Any) -> Any:
        """An environment variable is a list with commas; names have no capitals."""
        listed = hosts.split(",") if isinstance(hosts, str) else hosts
        return tuple(name.strip().lower() for name in listed if name.strip())

    @field_validator("spark_master")
    @classmethod
    def _of_spark(cls, master: str) -> str:
        if not re.fullmatch(r"local(\[[\w*,]+\])?|yarn|(spark|k8s)://\S+", master):
            raise ValueError("local[*], spark://host:7077, yarn or k8s://… is wanted")
        return master

    @field_validator("spark_remote")
    @classmethod
    def _of_spark_connect(cls, remote: SecretStr | None) -> SecretStr | None:
        if remote and not remote.get_secret_value().startswith("sc://"):
            raise ValueError("an address that begins with sc:// is wanted")
        return remote

    @field_validator("spark_conf", mode="before")
    @classmethod
    def _flat(cls, table: Any) -> Any:
        """TOML takes `spark.a.b = 1` for tables in tables."""
        flat = dict(_leaves(table)) if isinstance(table, dict) else table
        if wrong := sorted(name for name in flat if not name.startswith("spark.")):
            raise ValueError(f"{wrong[0]}: a name that begins with `spark.` is wanted")
        return flat

    @field_validator("home")
    @classmethod
    def _without_special_characters(cls, home: Path) -> Path:
        """Spark takes some characters of a path for patterns, SQLite and hive readers others."""
        if wrong := sorted(set("*?[]{}#%=") & set(str(home.expanduser().absolute()))):
            raise ValueError(f"{home}: a path without {' '.join(wrong)} is wanted")
        return home

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Adds the TOML file behind the environment."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

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

    An unknown variable would otherwise be passed over, and what it was to set stay as it is.
    """
    known = {variable(*names) for names in _names()}
    for name in os.environ:
        if name.upper().startswith(f"{_PREFIX}_") and name.upper() not in known:
            raise UsageError(f"{name}: there is no such setting: {_meant(name.upper(), known)}")
    try:
        return Settings()
    except ValidationError as error:
        raise UsageError(_said(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{_TOML}: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{_TOML}: it is nested too deeply") from error


def _leaves(table: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The values of a nested table as Spark writes them, each with its dotted name."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, str(value).lower() if isinstance(value, bool) else str(value)


def _names() -> Iterator[tuple[str, ...]]:
    """The name of each setting, from the outermost table inwards."""
    for name in Settings.model_fields:
        if name != "aws":
            yield (name,)
    for name in AwsSettings.model_fields:
        yield "aws", name


def _said(error: ValidationError) -> str:
    """What is wrong with the first wrong setting, in words."""
    fault = error.errors()[0]
    name = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        names = {".".join(names) for names in _names()}
        return f"setting {name}: there is no such setting: {_meant(name, names)}"
    if fault["loc"][0] in _SECRET:
        return f"setting {name}: {fault['msg']}"
    return f"setting {name}: {fault['msg']}, not {fault['input']!r}"


def _meant(name: str, known: set[str]) -> str:
    near = get_close_matches(name, sorted(known), 1)
    return f"did you mean {near[0]}?" if near else "`crypto-assets doctor` lists them"


def variable(*names: str) -> str:
    """The environment variable of a setting, named from the outermost table inwards."""
    return "_".join([_PREFIX, *(name.upper() for name in names)])
