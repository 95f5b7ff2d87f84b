"""The template `deploy/cloudformation.yaml`: found, and made into what CloudFormation is sent.

A wheel has it as package data, a clone in `deploy`. It is sent as compact JSON without what only
checkers and people read. What a stack is made of is in the template itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

import yaml

from crypto_assets.resources.errors import RefusedError, UsageError

PREFIX = "Prefix"
PREFIX_CHARACTERS = 20
MOST_BYTES = 51_200  # of a template that is not in a bucket: "CloudFormation quotas"
_PACKAGED = Path(__file__).with_name("cloudformation.yaml")
_CLONED = Path(__file__).parents[3] / "deploy/cloudformation.yaml"
# By type: the property that names what keeps its data. CloudFormation imports what has that name.
_NAMES = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::RedshiftServerless::Namespace": "NamespaceName",
}


class _Loader(yaml.SafeLoader):
    """Reads `!Sub x` as {"Fn::Sub": "x"}: JSON has long forms alone."""


def _long_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)
    if tag == "GetAtt":
        return {"Fn::GetAtt": value.split(".", 1)}
    return {tag if tag in {"Ref", "Condition"} else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _long_form)


@dataclass(frozen=True)
class Template:
    """A template as a document with long forms."""

    document: Mapping[str, Any]

    @classmethod
    def ours(cls) -> Self:
        """The template of this version of the product."""
        return cls.read((_PACKAGED if _PACKAGED.is_file() else _CLONED).read_text("utf-8"))

    @classmethod
    def read(cls, text: str) -> Self:
        """A template in YAML or JSON."""
        return cls(yaml.load(text, _Loader))  # noqa: S506 - a safe loader

    @property
    def kept(self) -> dict[str, str]:
        """The type of each resource that stays with its data when its stack goes, by logical id."""
        return {
            name: one["Type"]
            for name, one in self.document["Resources"].items()
            if one.get("DeletionPolicy", "Delete") != "Delete"
        }

    def kept_names(self, prefix: str, account: str) -> dict[str, str]:
        """The name of each resource that stays and has one, by logical id."""
        return dict(self._names(prefix, account))

    def body(self, prefix: str, account: str) -> str:
        """What CloudFormation is sent: JSON, in which the names of what is kept are literal ones.

        It imports what is there already only where a name has no function in it: "Import AWS
        resources into a CloudFormation stack automatically". Raises `RefusedError` if it is larger
        than CloudFormation accepts.
        """
        names = self.kept_names(prefix, account)
        resources = {}
        for name, one in self.document["Resources"].items():
            resources[name] = {key: value for key, value in one.items() if key != "Metadata"}
            if name in names:
                named = {_NAMES[one["Type"]]: names[name]}
                resources[name]["Properties"] = one["Properties"] | named
        parameters = {
            name: {key: value for key, value in one.items() if key != "Description"}
            for name, one in self.document["Parameters"].items()
        }
        sent = {**self.document, "Parameters": parameters, "Resources": resources}
        body = json.dumps(sent, separators=(",", ":"))
        if len(body.encode()) > MOST_BYTES:
            raise RefusedError(
                f"the template has {len(body.encode()):,} bytes as JSON and CloudFormation accepts "
                f"{MOST_BYTES:,}: remove resources from it, or put it into a bucket and deploy it "
                "by `aws cloudformation deploy --s3-bucket`"
            )
        return body

    def given(self, words: Collection[str]) -> dict[str, str]:
        """Parameters from words such as `WithGlue=yes`. Raises `UsageError` if one is unknown."""
        known = [name for name in self.document["Parameters"] if name != PREFIX]
        given = {}
        for word in words:
            name, equals, value = word.partition("=")
            if not equals:
                raise UsageError(f"--set {word}: NAME=VALUE is wanted")
            if name == PREFIX:
                raise UsageError("the prefix is given by --prefix")
            if name not in known:
                near = get_close_matches(name, known, 1)
                meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
                raise UsageError(f"--set {name}: the template has no such parameter: {meant}")
            given[name] = value
        return given

    def parameters(
        self, given: Mapping[str, str], previous: Collection[str]
    ) -> list[dict[str, Any]]:
        """Each parameter as CloudFormation wants it: as given, else as before, else the default."""
        chosen: list[dict[str, Any]] = []
        for name in self.document["Parameters"]:
            if name in given:
                chosen.append({"ParameterKey": name, "ParameterValue": given[name]})
            elif name in previous:
                chosen.append({"ParameterKey": name, "UsePreviousValue": True})
        return chosen

    def _names(self, prefix: str, account: str) -> Iterator[tuple[str, str]]:
        values = {PREFIX: prefix, "AWS::AccountId": account}
        for name, kind in self.kept.items():
            if kind in _NAMES:
                value = self.document["Resources"][name]["Properties"][_NAMES[kind]]
                yield name, _literal(value, values)


def _literal(value: Any, values: Mapping[str, str]) -> str:
    """The text of a name, with values in the place of its functions."""
    if isinstance(value, str):
        return value
    ((function, text),) = value.items()
    if function == "Ref":
        return values[text]
    return re.sub(r"\$\{(.+?)\}", lambda found: values[found[1]], text)


def checked_prefix(prefix: str) -> str:
    """Raises `UsageError` if it is no prefix of names."""
    if not re.fullmatch(rf"[a-z][a-z0-9-]{{2,{PREFIX_CHARACTERS - 1}}}", prefix):
        raise UsageError(
            f"--prefix {prefix}: 3 to {PREFIX_CHARACTERS} small letters, digits and hyphens are "
            "wanted, a letter first"
        )
    return prefix
