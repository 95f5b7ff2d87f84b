"""The doctor: tries each part of the product here and says what to fix."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping

from crypto_assets.resources import wiring
from crypto_assets.resources.aws import Aws
from crypto_assets.resources.doctor.aws import examine_aws, uses_aws
from crypto_assets.resources.doctor.finding import Finding
from crypto_assets.resources.doctor.home import check_databases, check_writable
from crypto_assets.resources.doctor.keys import exposed_key_files
from crypto_assets.resources.engine.session import first_line
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.settings import Settings, variable


def examine(settings: Settings) -> Iterator[Finding]:
    """The effective settings, then a finding for each part."""
    yield from _listed(settings)
    yield Finding("python", sys.version_info >= (3, 11), sys.version.split()[0])
    yield _try("home", lambda: check_writable(settings.root))
    yield _try("dagster", lambda: check_databases(settings))
    for exposed in exposed_key_files(settings):
        yield Finding("key file", False, exposed)
    try:
        wiring.check(settings)
    except UsageError as error:
        yield Finding("settings", False, str(error))
        return
    found = list(examine_aws(Aws.of(settings), settings))
    yield from found
    if not all(finding.ok for finding in found):
        return  # what needs them would only fail more slowly
    yield _try(f"engine {settings.engine}", lambda: wiring.engine(settings).check())
    yield _try("lake", lambda: _lake(settings))
    yield _try("warehouse", lambda: wiring.warehouse(settings).check())
    yield _try("account store", lambda: wiring.account_store(settings).check())
    yield _try("metrics", lambda: wiring.metrics(settings).check())


def _listed(settings: Settings) -> Iterator[Finding]:
    """The settings and how each is set; those of AWS only where they count."""
    for name, value in settings:
        if name != "aws":
            yield _setting(value, name)
    if uses_aws(settings):
        for name, value in settings.aws:
            yield _setting(value, "aws", name)


def _setting(value: object, *names: str) -> Finding:
    listed = (
        ", ".join(value) if isinstance(value, (tuple, Mapping)) else value
    )  # of a table, the names
    shown = "not set" if listed in (None, "") else listed
    return Finding(f"setting {' '.join(names)}", True, f"{shown}  ({variable(*names)})")


def _try(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, check())
    except Exception as error:  # noqa: BLE001 - whatever is wrong is what the doctor is asked for
        return Finding(what, False, first_line(error))


def _lake(settings: Settings) -> str:
    currencies, _ = wiring.published(settings)
    registry = currencies.registry
    registered = registry.names()
    manifests = currencies.lake.manifests(registry.data_set, registered)
    published = sum("gold" in manifest.versions for manifest in manifests.values())
    return f"{published} of {len(registered)} registered currencies have a gold table"
