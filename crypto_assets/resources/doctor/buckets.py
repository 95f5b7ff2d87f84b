"""The buckets of inbox, lake and logs: there, in the right region, encrypted by keys all may use.

Writes to them are tried (`s3_conditions`); nothing of that stays.
"""

from __future__ import annotations

from crypto_assets.resources.aws import error_code, split_uri
from crypto_assets.resources.doctor.piece import Account, Piece
from crypto_assets.resources.doctor.roles import denied_to, without_key
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.resources.storage.s3_conditions import check_conditions

_ENCRYPTION = (
    "s3:GetEncryptionConfiguration, kms:DescribeKey, kms:GetKeyPolicy and "
    "iam:SimulatePrincipalPolicy"
)
_UNENCRYPTED = ("ServerSideEncryptionConfigurationNotFoundError", "NotImplemented")
_LOG = ("s3:PutObject",)
_READ, _WRITE = ("kms:Decrypt",), ("kms:Decrypt", "kms:GenerateDataKey")


def bucket_of(uri: str) -> str:
    """The bucket of an S3 URI. Raises `UsageError` if it is none."""
    bucket, _ = split_uri(uri)
    if not uri.startswith("s3://") or not bucket:
        raise UsageError("an S3 URI such as s3://bucket or s3://bucket/folder is wanted")
    return bucket


def _bucket(account: Account, uri: str) -> str:
    region = account.client("s3").head_bucket(Bucket=bucket_of(uri)).get("BucketRegion", "")
    settings = account.settings
    if settings.engine == "emr-serverless" or settings.warehouse == "redshift":
        account.wants_region(region)
    return f"{uri} {region}".strip()


def _writes(account: Account, uri: str) -> str:
    account.client("s3").head_bucket(Bucket=bucket_of(uri))  # within seconds, unlike what follows
    objects = S3Objects(aws=account.aws, root=uri, locks=str(account.settings.locks))
    check_conditions(objects)
    return "conditions of writes and copies hold"


def _key(account: Account, uri: str) -> str:
    """Whether the key that encrypts the bucket can be used by the roles that read or write it."""
    default = _encryption(account, uri)
    algorithm, key_id = default["SSEAlgorithm"], default.get("KMSMasterKeyID")
    if not algorithm.startswith("aws:kms"):
        return f"{algorithm}: no key is needed"
    if not key_id:
        return f"{algorithm}, the key of S3 in this account"
    key = account.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    if key["KeyState"] != "Enabled":
        raise UsageError(f"its key {key['Arn']} is {key['KeyState']}: enable it or name another")
    settings = account.settings.aws
    written = (settings.lake, settings.emr_log_uri)
    roles = {settings.emr_role_arn: _WRITE if uri in written else _READ}
    if uri == settings.lake:
        roles[settings.redshift_role_arn] = _READ
    wanted = {role: actions for role, actions in roles.items() if role}
    if denied := list(without_key(account, key["Arn"], wanted)):
        raise UsageError(f"{'; '.join(denied)} with {key['Arn']}: allow it")
    return f"{algorithm}, {key['Arn']}"


def _encryption(account: Account, uri: str) -> dict[str, str]:
    """What the bucket encrypts objects by; AES256 where a store like S3 knows nothing of it."""
    from botocore.exceptions import ClientError

    try:
        answer = account.client("s3").get_bucket_encryption(Bucket=bucket_of(uri))
    except ClientError as error:
        if error_code(error) not in _UNENCRYPTED:
            raise
        return {"SSEAlgorithm": "AES256"}
    for rule in answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", ()):
        default: dict[str, str] = rule["ApplyServerSideEncryptionByDefault"]
        return default
    return {"SSEAlgorithm": "AES256"}


def _logs(account: Account, uri: str) -> str:
    """Whether EMR Serverless can write a job's logs, which it does with the role of the job."""
    settings = account.settings.aws
    place = f"{bucket_of(uri)}/{split_uri(uri)[1]}".rstrip("/")
    partition = settings.emr_role_arn.partition(":")[2].partition(":")[0]
    log = f"arn:{partition}:s3:::{place}/applications/{settings.emr_application_id}"
    if denied_to(account, settings.emr_role_arn, _LOG, log):
        raise UsageError(f"the policies of {settings.emr_role_arn} lack {_LOG[0]}: allow it there")
    return f"{uri}, written by {settings.emr_role_arn}"


def _notifications(account: Account, uri: str) -> str:
    if not account.settings.aws.queue_url:
        return "no queue is set: the bucket is listed at every look"
    s3 = account.client("s3")
    answer = s3.get_bucket_notification_configuration(Bucket=bucket_of(uri))
    if "EventBridgeConfiguration" not in answer:
        raise UsageError("it sends EventBridge nothing: turn on its EventBridge notifications")
    return "EventBridge gets the events of uploads"


INBOX = (
    Piece("inbox", "inbox", "s3:ListBucket", _bucket, needed=True),
    Piece("inbox events", "inbox", "s3:GetBucketNotification", _notifications),
    Piece("inbox writes", "inbox", "s3:PutObject", _writes, needed=True),
    Piece("inbox key", "inbox", _ENCRYPTION, _key),
)
LAKE = (
    Piece("lake bucket", "lake", "s3:ListBucket", _bucket, needed=True),
    Piece("lake writes", "lake", "s3:PutObject", _writes, needed=True),
    Piece("lake key", "lake", _ENCRYPTION, _key),
)
LOGS = (  # without a bucket of their own, EMR keeps them
    Piece("job logs", "emr_log_uri", "iam:SimulatePrincipalPolicy", _logs, optional=True),
    Piece("job logs key", "emr_log_uri", _ENCRYPTION, _key),
)
