"""Whether a request is as botocore's service model says: what only the service itself checks.

Botocore itself sees to required fields, types and least lengths, but only on the client's side;
patterns, greatest lengths, enumerations and unknown fields it leaves to the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from botocore.validate import ParamValidator


def problems(given: Any, shape: Any) -> list[str]:
    """What is wrong with these parameters of this shape of the model."""
    report = ParamValidator().validate(given, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found + list(_problems(given, shape, shape.name))


def _problems(value: Any, shape: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict) and shape.type_name == "structure":
        yield from _members(value, shape, name)
    elif isinstance(value, dict) and shape.type_name == "map":
        for key, inner in value.items():
            yield from _problems(key, shape.key, f"{name} key {key!r}")
            yield from _problems(inner, shape.value, f"{name}[{key!r}]")
    elif isinstance(value, list) and shape.type_name == "list":
        for place, inner in enumerate(value):
            yield from _problems(inner, shape.member, f"{name}[{place}]")
    elif isinstance(value, str):
        yield from _text(value, shape, name)
    size = len(value) if isinstance(value, (str, list, dict)) else value
    if isinstance(size, int) and size > shape.metadata.get("max", size):
        yield f"{name} is longer or larger than {shape.metadata['max']}"
    if isinstance(size, int) and size < shape.metadata.get("min", size):
        yield f"{name} is shorter or smaller than {shape.metadata['min']}"


def _members(value: dict[str, Any], shape: Any, name: str) -> Iterator[str]:
    for key, inner in value.items():
        if key in shape.members:
            yield from _problems(inner, shape.members[key], f"{name}.{key}")
        else:
            yield f"{name}.{key} is unknown"
    if shape.is_tagged_union and len(value) != 1:
        yield f"{name}: exactly one member is wanted"


def _text(value: str, shape: Any, name: str) -> Iterator[str]:
    pattern = shape.metadata.get("pattern", "")
    if pattern and not re.fullmatch(pattern.replace("\\u002F", "/"), value, re.DOTALL):
        yield f"{name} does not match {pattern}"
    if shape.enum and value not in shape.enum:
        yield f"{name} is none of {shape.enum}"
