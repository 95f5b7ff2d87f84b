"""Requests against botocore's model of a service: the limits that botocore itself does not check.

Unknown members, patterns, enumerations, lengths and ranges; what a service does with a request is
the business of its double.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from botocore import loaders, model


class InvalidRequest(Exception):
    """A request is not as the service's model says; the text is the path to the place."""


def validate(service: str, operation: str, request: dict[str, Any]) -> None:
    """Raises `InvalidRequest` unless this is a request of this operation."""
    shape = _service(service).operation_model(operation).input_shape
    _validate(request, shape, operation)


@functools.cache
def _service(name: str) -> model.ServiceModel:
    return model.ServiceModel(loaders.Loader().load_service_model(name, "service-2"))


def _validate(value: Any, shape: model.Shape, where: str) -> None:
    """Raises `InvalidRequest` where a request is not as the service's model says."""
    limits = shape.metadata
    size = value if shape.type_name in {"integer", "long"} else None
    kinds = {"structure": dict, "list": list, "string": str, "boolean": bool, "integer": int}
    wrong = not isinstance(value, kinds[shape.type_name])
    if not wrong and shape.type_name == "structure":
        wrong = bool(set(shape.required_members) - set(value) or set(value) - set(shape.members))
        for name, member in value.items() if not wrong else ():
            _validate(member, shape.members[name], f"{where}.{name}")
    if not wrong and shape.type_name == "list":
        for member in value:
            _validate(member, shape.member, where)
    if not wrong and size is None and shape.type_name != "boolean":
        size = len(value)
    if size is not None:
        wrong = wrong or not limits.get("min", size) <= size <= limits.get("max", size)
    if not wrong and isinstance(value, str):
        wrong = not re.fullmatch(limits.get("pattern", ".*"), value, re.DOTALL)
        wrong = wrong or ("enum" in limits and value not in limits["enum"])
    if wrong:
        raise InvalidRequest(where)
