"""What keeps its data when a stack goes: whether it is there, and its deletion with all in it.

Buckets with every version, tables, warehouses (namespaces of Redshift Serverless) and volumes, by
name. What is gone already is no error: an interrupted deletion is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crypto_assets.resources.aws import Aws, aws_errors
from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.progress import waiting

_GONE = ("404", "NoSuchBucket", "ResourceNotFoundException", "InvalidVolume.NotFound")
_STACK_TAG = "crypto-assets-stack"  # of a volume, which has no name of its own


@dataclass(frozen=True)
class Data:
    """The account's resources that hold data."""

    aws: Aws

    def is_there(self, kind: str, name: str) -> bool:
        """Whether there is one of this type and name."""
        service, operation, argument = _LOOKS[kind]
        look = getattr(self.aws.client(service), operation)
        return _unless_gone(lambda: look(**{argument: name}))

    def volumes(self, stack: str) -> list[str]:
        """The volumes that a stack of this name made."""
        wanted = [{"Name": f"tag:{_STACK_TAG}", "Values": [stack]}]
        with aws_errors():
            found = self.aws.client("ec2").describe_volumes(Filters=wanted)["Volumes"]
        return [one["VolumeId"] for one in found]

    def delete(self, kind: str, name: str) -> None:
        """Deletes it for good."""
        waiting(f"deleting {name} with all that is in it")
        _unless_gone(lambda: _DELETIONS[kind](self.aws, name))


def _delete_bucket(aws: Aws, name: str) -> None:
    """A page of versions has as many as one request deletes."""
    s3, deleted = aws.client("s3"), 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        if objects:
            answer = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
            if errors := answer.get("Errors"):
                key, message = errors[0]["Key"], errors[0]["Message"]
                raise RefusedError(f"{name}/{key} cannot be deleted: {message}; run again")
            deleted += len(objects)
            waiting(f"{name}: {deleted:,} versions are deleted")
    s3.delete_bucket(Bucket=name)


def _delete_table(aws: Aws, name: str) -> None:
    aws.client("dynamodb").delete_table(TableName=name)


def _delete_namespace(aws: Aws, name: str) -> None:
    aws.client("redshift-serverless").delete_namespace(namespaceName=name)


def _delete_volume(aws: Aws, name: str) -> None:
    aws.client("ec2").delete_volume(VolumeId=name)


_LOOKS = {
    "AWS::S3::Bucket": ("s3", "head_bucket", "Bucket"),
    "AWS::DynamoDB::Table": ("dynamodb", "describe_table", "TableName"),
    "AWS::RedshiftServerless::Namespace": (
        "redshift-serverless",
        "get_namespace",
        "namespaceName",
    ),
}
_DELETIONS: Mapping[str, Callable[[Aws, str], None]] = {
    "AWS::S3::Bucket": _delete_bucket,
    "AWS::DynamoDB::Table": _delete_table,
    "AWS::RedshiftServerless::Namespace": _delete_namespace,
    "AWS::EC2::Volume": _delete_volume,
}


def _unless_gone(ask: Callable[[], Any]) -> bool:
    """Whether it was there to be asked."""
    from botocore.exceptions import ClientError

    try:
        with aws_errors(name="correct what it names and run again", but=_GONE):
            ask()
    except ClientError:
        return False
    return True
