"""The template `deploy/cloudformation.yaml`, read and filled in as CloudFormation does it.

The names of what a stack makes follow from its parameters; ids that AWS gives are the samples of
`deploy/iam`. Functions that the template does not use are not known here and raise `KeyError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from crypto_assets.resources.deploy.template import Template
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.iam import Call, allows
from crypto_assets_tests.helpers.iam_calls import ACCOUNT, KEY

TEMPLATE = Path(__file__).parents[2] / "deploy/cloudformation.yaml"
EVERYTHING = {
    "Prefix": "team-blue",
    "KmsKeyArn": KEY,
    "NoticesEmail": "ann@example.com",
    "WithGlue": "yes",
    "RedshiftSubnetIds": "subnet-11111111,subnet-22222222,subnet-33333333",
    "WithInstance": "yes",
    "WheelKey": f"wheels/{'0a' * 32}/crypto_assets-0.1.0-py3-none-any.whl",
    "HomeSnapshotId": "snap-0123456789abcdef0",
}
_AT = f"{REGION}:{ACCOUNT}"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::StackName": "team-blue-stack",
    "AWS::NoValue": None,
}
# By type: the property that names it, its ARN, and which of the two `Ref` gives.
_NAMED = {
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::{}"),
    "AWS::SQS::Queue": ("QueueName", f"arn:aws:sqs:{_AT}:{{}}"),
    "AWS::SNS::Topic": ("TopicName", f"arn:aws:sns:{_AT}:{{}}"),
    "AWS::Events::Rule": ("Name", f"arn:aws:events:{_AT}:rule/{{}}"),
    "AWS::DynamoDB::Table": ("TableName", f"arn:aws:dynamodb:{_AT}:table/{{}}"),
    "AWS::Lambda::Function": ("FunctionName", f"arn:aws:lambda:{_AT}:function:{{}}"),
    "AWS::Logs::LogGroup": ("LogGroupName", f"arn:aws:logs:{_AT}:log-group:{{}}:*"),
    "AWS::IAM::Role": ("RoleName", f"arn:aws:iam::{ACCOUNT}:role/{{}}"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", f"arn:aws:iam::{ACCOUNT}:policy/{{}}"),
    "AWS::IAM::InstanceProfile": ("InstanceProfileName", ""),
    "AWS::RedshiftServerless::Namespace": ("NamespaceName", ""),
    "AWS::RedshiftServerless::Workgroup": ("WorkgroupName", ""),
    "AWS::CloudWatch::Alarm": ("AlarmName", ""),
}
_REF_IS_ARN = {"AWS::SNS::Topic", "AWS::IAM::ManagedPolicy"}
_GIVEN = {
    "Application": "00f1abcdefgh0123",
    "Application.Arn": f"arn:aws:emr-serverless:{_AT}:/applications/00f1abcdefgh0123",
    "Workgroup.Workgroup.WorkgroupArn": (
        f"arn:aws:redshift-serverless:{_AT}:workgroup/66666666-7777-8888-9999-000000000000"
    ),
    "Namespace.Namespace.NamespaceArn": (
        f"arn:aws:redshift-serverless:{_AT}:namespace/33333333-4444-5555-6666-777777777777"
    ),
    "AccountTable.StreamArn": f"arn:aws:dynamodb:{_AT}:table/accounts/stream/2026",
    "GlueDatabase": "glue-database",
    "HomeVolume": "vol-0123456789abcdef0",
    "InstanceTemplate": "lt-0123456789abcdef0",
    "InstanceTemplate.LatestVersionNumber": "1",
    "InstanceSecurityGroup.GroupId": "sg-0123456789abcdef0",
    "Network": "vpc-0123456789abcdef0",
    "Subnet": "subnet-0123456789abcdef0",
    "Gateway": "igw-0123456789abcdef0",
    "Routes": "rtb-0123456789abcdef0",
}


@cache
def template() -> dict[str, Any]:
    """The template as it is written, with long forms."""
    return dict(Template.read(TEMPLATE.read_text()).document)


@dataclass(frozen=True)
class Stack:
    """What a stack with these parameters is made of; the others have their defaults."""

    parameters: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Type and properties of each resource that is made."""
        made = self._made("Resources").items()
        return {name: {"Properties": {}, **self._filled(one)} for name, one in made}

    @cached_property
    def outputs(self) -> dict[str, str]:
        return {name: self._filled(one["Value"]) for name, one in self._made("Outputs").items()}

    def properties(self, name: str) -> dict[str, Any]:
        return self.resources[name]["Properties"]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of a type."""
        made = self.resources.items()
        return {name: one["Properties"] for name, one in made if one["Type"] == kind}

    @cached_property
    def policies(self) -> dict[str, dict[str, Any]]:
        """The identity policies, by the name they have in `deploy/iam`."""
        attached = self.of_type("AWS::IAM::ManagedPolicy").values()
        found = {
            one["ManagedPolicyName"].removeprefix(f"{self.value('Prefix')}-"): one["PolicyDocument"]
            for one in attached
        }
        for role in self.of_type("AWS::IAM::Role").values():
            found |= {one["PolicyName"]: one["PolicyDocument"] for one in role.get("Policies", ())}
        return found

    @cached_property
    def trusts(self) -> dict[str, dict[str, Any]]:
        """The trust policies, by the name of the role's policy in `deploy/iam`."""
        roles = self.of_type("AWS::IAM::Role").values()
        return {
            next((one["PolicyName"] for one in role.get("Policies", ())), "orchestrator"): role[
                "AssumeRolePolicyDocument"
            ]
            for role in roles
        }

    def documents(self) -> Iterator[dict[str, Any]]:
        """All policies, also those of buckets, queues and topics."""
        yield from _with_statements(self.resources)

    def value(self, name: str) -> Any:
        """The value of a parameter."""
        declared = template()["Parameters"][name]
        value = self.parameters.get(name, declared["Default"])
        return value.split(",") if declared["Type"] == "CommaDelimitedList" else value

    def named(self, text: str) -> str:
        """A text of `deploy/iam` with this stack's names for its samples."""
        prefix = self.value("Prefix")
        samples = {
            "example-uploads": self._name("UploadBucket"),
            "example-inbox/": "inbox/",
            "example-lake": self._name("LakeBucket"),
            "example-tables/": "lake/",
            "example-logs/": "logs/",
            "example-queue": self._name("UploadQueue"),
            "example-topic": self._name("NoticesTopic"),
            "example-given-up": f"{prefix}-given-up",
            "example-jobs": prefix,
            "crypto-assets-job": f"{prefix}-job",
            "crypto-assets-copy": f"{prefix}-copy",
            "table/CustomerAccount": f"table/{prefix}-CustomerAccount",
            "/account-changes": f"/{prefix}-account-changes",
            "/usage-limit": f"/{prefix}-usage-limit",
            "example-stack": _PSEUDO["AWS::StackName"],
            "vol-example": _GIVEN["HomeVolume"],
            "example-wheels/": "wheels/",
        }
        pattern = "|".join(map(re.escape, samples))
        return re.sub(pattern, lambda found: samples[found[0]], text)

    def _made(self, section: str) -> dict[str, dict[str, Any]]:
        parts = template()[section].items()
        return {
            name: one
            for name, one in parts
            if "Condition" not in one or self._holds(one["Condition"])
        }

    def _holds(self, condition: str) -> bool:
        return self._filled(template()["Conditions"][condition])

    def _filled(self, value: Any) -> Any:
        """The value with its functions computed; what is `AWS::NoValue` is left out."""
        if isinstance(value, list):
            return [one for each in value if (one := self._filled(each)) is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and (function := _FUNCTIONS.get(next(iter(value)))):
            return function(self, next(iter(value.values())))
        if unknown := [name for name in value if name.startswith("Fn::")]:
            raise KeyError(*unknown)
        filled = {name: self._filled(each) for name, each in value.items()}
        return {name: each for name, each in filled.items() if each is not None}

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in template()["Parameters"]:
            return self.value(name)
        kind = self._made("Resources")[name]["Type"]
        if name in _GIVEN:
            return _GIVEN[name]
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self._name(name)}"
        return _NAMED[kind][1].format(self._name(name)) if kind in _REF_IS_ARN else self._name(name)

    def _attribute(self, path: str) -> str:
        name, _, attribute = path.partition(".")
        kind = self._made("Resources")[name]["Type"]
        if path in _GIVEN:
            return _GIVEN[path]
        naming, arn = _NAMED[kind]
        return {"Arn": arn.format(self._name(name)), naming: self._name(name)}[attribute]

    def _name(self, resource: str) -> str:
        one = template()["Resources"][resource]
        return self._filled(one["Properties"][_NAMED[one["Type"]][0]])

    def _sub(self, text: str) -> str:
        def put(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            in_dots = "." in name
            return str(self._attribute(name) if in_dots else self._ref(name))

        return re.sub(r"\$\{(.+?)\}", put, text)

    def _if(self, parts: list[Any]) -> Any:
        condition, then, otherwise = parts
        return self._filled(then if self._holds(condition) else otherwise)

    def _join(self, parts: list[Any]) -> str:
        separator, texts = parts
        return separator.join(self._filled(texts))

    def _split(self, parts: list[Any]) -> list[str]:
        separator, text = parts
        return self._filled(text).split(separator)

    def _equals(self, parts: list[Any]) -> bool:
        one, other = self._filled(parts)
        return str(one) == str(other)


_FUNCTIONS: Mapping[str, Callable[[Stack, Any], Any]] = {
    "Ref": Stack._ref,
    "Condition": Stack._holds,
    "Fn::GetAtt": lambda stack, parts: stack._attribute(".".join(parts)),
    "Fn::Sub": Stack._sub,
    "Fn::If": Stack._if,
    "Fn::Join": Stack._join,
    "Fn::Split": Stack._split,
    "Fn::Base64": Stack._filled,
    "Fn::Equals": Stack._equals,
    "Fn::Not": lambda stack, parts: not stack._filled(parts)[0],
    "Fn::Or": lambda stack, parts: any(stack._filled(parts)),
}


@cache
def everything() -> Stack:
    """A stack that leaves nothing out."""
    return Stack(EVERYTHING)


def allows_in_stack(role: str, call: Call) -> bool:
    """Whether the template's policy of a role allows a call that has the samples' names."""
    stack = everything()
    named = Call(call.action, stack.named(call.resource), call.context)
    return allows(stack.policies[role], named)


def _with_statements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "Statement" in value:
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _with_statements(each)
