"""One environment on AWS: its stack is planned, applied and deleted here.

The default environment's stack is `crypto-assets`, that of another `crypto-NAME`; names of what it
makes begin with the same words. What is done with the outputs is in `outputs`, how data that stayed
is deleted in `data`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from crypto_assets.resources.aws import Aws, aws_errors, split_uri
from crypto_assets.resources.deploy.changes import Change, deletions
from crypto_assets.resources.deploy.data import Data
from crypto_assets.resources.deploy.stack import PLANNED, Plan, Stack, parameters_of, stack_name
from crypto_assets.resources.deploy.template import PREFIX, Template, checked_prefix
from crypto_assets.resources.errors import RefusedError, UsageError
from crypto_assets.resources.progress import waiting
from crypto_assets.resources.settings import Settings


@dataclass(frozen=True)
class Environment:
    """The stack of an environment, and the template that it is made of."""

    aws: Aws
    stack: Stack
    template: Template

    @classmethod
    def of(cls, settings: Settings) -> Self:
        aws = Aws.of(settings)
        stack = Stack(stack_name(settings.env), aws.client("cloudformation"))
        return cls(aws, stack, Template.ours())

    @contextmanager
    def planned(
        self, words: Collection[str], prefix: str | None, wheel: Path | None = None
    ) -> Iterator[Plan]:
        """What a deployment would change; nothing of it stays after the block, but if applied.

        `words` are parameters such as `WithGlue=yes`; the others stay as they are.
        """
        given = self.template.given([*words, *([f"WheelKey={_key_of(wheel)}"] if wheel else [])])
        found = self.stack.ready()
        if not found and given.get("WithInstance") == "yes":
            raise UsageError(
                "an instance installs its wheel from the lake's bucket, which is not there yet: "
                "deploy without WithInstance first, then again with it"
            )
        before = parameters_of(found) if found else {}
        named = before.get(PREFIX) or checked_prefix(prefix or self.stack.name)
        if prefix not in {None, named}:
            raise UsageError(
                f"the names of stack {self.stack.name} begin with {named}, which stays: deploy "
                "--env NAME for others"
            )
        with self.stack.planned(
            self.template.body(named, self.account),
            self.template.parameters({**given, PREFIX: named}, before),
            named,
            new=found is None,
        ) as plan:
            yield plan

    def apply(self, plan: Plan, wheel: Path | None = None) -> dict[str, str]:
        """Does what was planned and returns the outputs. Raises `RefusedError` if it failed."""
        if wheel and not plan.new:  # an instance that the plan makes fetches it at once
            self._send(wheel)
        if plan.changes:
            self.stack.apply(plan)
        if wheel and plan.new:
            self._send(wheel)
        return self.stack.outputs()

    def deletions(self, prefix: str | None) -> list[Change]:
        """What a deletion of the stack deletes and keeps.

        Without a stack, what an earlier one with this prefix, or with its own name for it, kept.
        """
        found = self.stack.settled()
        if found and found["StackStatus"] != PLANNED:
            body = self.stack.template_body()
            kept = (Template.read(body) if isinstance(body, str) else Template(body)).kept
            return [*deletions(self.stack.resources(), kept)]
        names = self.template.kept_names(prefix or self.stack.name, self.account)
        named = [
            Change("keep", resource, self.template.kept[resource], name)
            for resource, name in names.items()
        ]
        left = [one for one in named if self.data.is_there(one.kind, one.name)]
        volumes = self.data.volumes(self.stack.name)
        left += [Change("keep", "Volume", "AWS::EC2::Volume", one) for one in volumes]
        if found:
            left.append(Change("delete", self.stack.name, "AWS::CloudFormation::Stack"))
        return left

    def destroy(self, data: Collection[Change]) -> None:
        """Deletes the stack, if there is one, then these of what it keeps, with all in them."""
        if found := self.stack.described():
            self.stack.delete(found)
        for one in data:
            self.data.delete(one.kind, one.name)

    def _send(self, wheel: Path) -> None:
        """Uploads the wheel to the lake's bucket, below its hash."""
        bucket, _ = split_uri(self.stack.outputs()["Lake"])
        waiting(f"uploading {wheel.name}")
        with aws_errors():
            self.aws.client("s3").upload_file(str(wheel), bucket, _key_of(wheel))

    @cached_property
    def account(self) -> str:
        """The account that is asked."""
        with aws_errors():
            return str(self.aws.client("sts").get_caller_identity()["Account"])

    @cached_property
    def data(self) -> Data:
        """The resources that hold data, by themselves."""
        return Data(self.aws)


def check_data(changes: Collection[Change]) -> None:
    """Raises `RefusedError` if what holds data would be replaced or deleted."""
    if risky := [change.name or change.resource for change in changes if change.risky]:
        raise RefusedError(
            f"{', '.join(risky)} would be replaced or deleted: nothing was changed; back up what "
            "is in there, then repeat it with --allow-replace"
        )


def _key_of(wheel: Path) -> str:
    """Where a wheel is in the lake's bucket: an instance holds it against the hash in its key."""
    return f"wheels/{hashlib.sha256(wheel.read_bytes()).hexdigest()}/{wheel.name}"


def named(changes: Collection[Change], names: Collection[str]) -> list[Change]:
    """What is kept and named. Raises `UsageError` if a name is none of those."""
    kept: dict[str, Any] = {one.name: one for one in changes if one.action == "keep"}
    if unknown := [name for name in names if name not in kept]:
        there = ", ".join(kept) or "nothing"
        raise UsageError(f"--delete-data {unknown[0]}: what holds data is {there}")
    return [kept[name] for name in names]
