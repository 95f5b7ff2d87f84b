"""Settings as fields of a frozen class, each checked and made its type as the class is made.

Which settings there are, and where they are read from, is `settings`. In the standard library's
means: to import pydantic would take half of the time of a command that only looks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from crypto_assets.resources.errors import UsageError

Check = Callable[[Any], Any]
"""Makes the value of what was given; raises `ValueError` if that is wrong."""


def setting(
    check: Check,
    default: Any,
    description: str,
    *,
    from_above: Callable[[Any], Any] | None = None,
    secret: bool = False,
) -> Any:
    """A field of a `Table`; its default may be made `from_above`, from the fields before it.

    What is given for a `secret` one is never shown.
    """
    make = from_above or (lambda _: default)
    known = {"check": check, "default": make, "description": description, "secret": secret}
    return field(metadata=known, repr=not secret)


@dataclass(frozen=True)
class Secret:
    """A text that is not shown where the settings are."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "(not shown)"


class Table:
    """Settings that belong together: the base of dataclasses with `frozen=True, init=False`."""

    within: ClassVar[str] = ""  # what comes before the names of its settings

    def __init__(self, **given: Any) -> None:
        """Those given, else the defaults. Raises `UsageError` if one is wrong."""
        for name, known in self.settings().items():
            value = self._checked(name, given.pop(name), known) if name in given else ...
            object.__setattr__(self, name, known["default"](self) if value is ... else value)
        if given:
            raise TypeError(f"{type(self).__name__} has no {', '.join(given)}")

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """The name and the value of each."""
        return ((name, getattr(self, name)) for name in self.settings())

    @classmethod
    def settings(cls) -> dict[str, Any]:
        """What is known of each, by name."""
        return {each.name: each.metadata for each in fields(cls)}  # type: ignore[arg-type]

    def _checked(self, name: str, given: Any, known: Any) -> Any:
        try:
            return known["check"](given)
        except ValueError as error:
            shown = "" if known["secret"] else f", not {given!r}"
            raise UsageError(f"setting {self.within}{name}: {error}{shown}") from error


def text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("Input should be a valid string")  # noqa: TRY004 - a user's mistake
    return given


def path(given: Any) -> Path:
    if not isinstance(given, (str, Path)):
        raise ValueError("Input is not a valid path")  # noqa: TRY004 - a user's mistake
    return Path(given)


def optional(check: Check) -> Check:
    """As `check`, but None is a value too."""
    return lambda given: None if given is None else check(given)


def one_of(*words: str) -> Check:
    """One of these words."""

    def check(given: Any) -> str:
        if given not in words:
            raise ValueError(f"Input should be {' or '.join(map(repr, words))}")
        return str(given)

    return check


def number(kind: type[float], least: int, most: float = float("inf")) -> Check:
    """A number of this type from `least` to `most`; a variable of the environment is its text."""
    named = "number" if kind is float else "integer"

    def check(given: Any) -> float:
        if not isinstance(given, (int, float, str)):
            raise ValueError(f"Input should be a valid {named}")  # noqa: TRY004 - a user's mistake
        try:
            value = kind(given)
        except (ValueError, OverflowError) as error:
            unable = f"Input should be a valid {named}, unable to parse string as "
            raise ValueError(f"{unable}{'a' if kind is float else 'an'} {named}") from error
        if isinstance(given, float) and value != given:
            raise ValueError(
                f"Input should be a valid {named}, got a number with a fractional part"
            )
        if not value >= least:
            raise ValueError(f"Input should be greater than or equal to {least}")
        if value > most:
            raise ValueError(f"Input should be less than or equal to {most}")
        return value

    return check


def listed(given: Any) -> tuple[str, ...]:
    """Names without capitals: a list, or a text with commas between them."""
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, (list, tuple)) or not all(isinstance(each, str) for each in names):
        raise ValueError("Input should be a list of names")
    return tuple(name.strip().lower() for name in names if name.strip())


def master(given: Any) -> str:
    """Where Apache Spark runs."""
    master = text(given)
    if not re.fullmatch(r"local(\[[\w*,]+\])?|yarn|(spark|k8s)://\S+", master):
        raise ValueError("local[*], spark://host:7077, yarn or k8s://… is wanted")
    return master


def connect(given: Any) -> Secret:
    """The address of a Spark Connect server, which may hold a token."""
    remote = given.value if isinstance(given, Secret) else text(given)
    if not remote.startswith("sc://"):
        raise ValueError("an address that begins with sc:// is wanted")
    return Secret(remote)


def conf(given: Any) -> Mapping[str, str]:
    """TOML takes `spark.a.b = 1` for tables in tables; a variable has JSON."""
    table = json.loads(given) if isinstance(given, str) else given
    if not isinstance(table, Mapping):
        raise ValueError("a table is wanted; in a variable, as JSON")  # noqa: TRY004 - a user's mistake
    flat = dict(_leaves(table))
    if wrong := sorted(name for name in flat if not name.startswith("spark.")):
        raise ValueError(f"{wrong[0]}: a name that begins with `spark.` is wanted")
    return MappingProxyType(flat)


def _leaves(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The values of a nested table as Spark writes them, each with its dotted name."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield above + name, str(value).lower() if isinstance(value, bool) else str(value)


def owners(given: Any) -> tuple[str, ...]:
    """As `listed`: e-mail addresses, and teams as `team:NAME`, as Dagster knows owners."""
    names = listed(given)
    for name in names:
        if not re.fullmatch(r"team:\S+|[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,7}", name):
            raise ValueError(f"{name}: an e-mail address or team:NAME is wanted")
    return names
