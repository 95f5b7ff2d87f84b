"""The policies of `deploy/iam`: valid, small, and of no use for what a role has no business with.

That they allow what the product asks is shown by every other test here: see `helpers/roles`.
"""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from crypto_assets_tests.helpers.iam import MANAGED_POLICY_CHARACTERS, Call, listed
from crypto_assets_tests.helpers.iam_calls import KEY
from crypto_assets_tests.helpers.pages import PAGES, ROOT
from crypto_assets_tests.helpers.parliament import findings
from crypto_assets_tests.helpers.roles import POLICIES, allows_in_file, policy
from crypto_assets_tests.helpers.template import allows_in_stack

IDENTITY = sorted(path.stem for path in POLICIES.glob("*.json"))
TRUST = sorted((POLICIES / "trust").glob("*.json"))
NAMED = re.compile(
    r"(?<![.\w])((?:s3|sqs|sns|dynamodb|kms|iam|events|ec2|emr-serverless|redshift-data|"
    r"redshift-serverless):(?!TestEvent\b)[A-Z]\w+)"  # S3's test event is no action
)

INBOX, LAKE = (
    "arn:aws:s3:::example-uploads/example-inbox",
    "arn:aws:s3:::example-lake/example-tables",
)
LOGS = "arn:aws:s3:::example-lake/example-logs"
AT = "eu-central-1:123456789012"
APPLICATIONS = f"arn:aws:emr-serverless:{AT}:/applications"
APPLICATION, OTHERS = f"{APPLICATIONS}/00f1abcdefgh0123", f"{APPLICATIONS}/00f1othersapp456"
ROLES = "arn:aws:iam::123456789012:role"
WORKGROUPS = f"arn:aws:redshift-serverless:{AT}:workgroup"
TABLES = f"arn:aws:dynamodb:{AT}:table"
TO_EMR = {"iam:PassedToService": "emr-serverless.amazonaws.com"}
VIA_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
VIA_RDS = {"kms:ViaService": "rds.eu-central-1.amazonaws.com"}
WHEELS = "arn:aws:s3:::example-lake/example-wheels"
VOLUME = f"arn:aws:ec2:{AT}:volume/vol-example"
SNAPSHOT = "arn:aws:ec2:eu-central-1::snapshot/snap-0a1b"
OF_STACK = {"aws:ResourceTag/crypto-assets-stack": "example-stack"}
OF_OTHERS = {"aws:ResourceTag/crypto-assets-stack": "others"}
OF_ANN = {"redshift-data:statement-owner-iam-userid": "AIDAANN", "aws:userid": "AIDABOB"}
DENIED = {
    "uploader": [
        ("s3:DeleteObject", f"{INBOX}/btc.csv"),
        ("s3:PutObject", f"{INBOX}/_registry/market_data/BTC.json"),
        ("s3:PutObject", f"{INBOX}/_contents/0a1b"),
        ("s3:PutObject", "arn:aws:s3:::example-uploads/btc.csv"),
        ("s3:PutObject", f"{INBOX}-evil/btc.csv"),
        ("s3:PutObject", "arn:aws:s3:::example-uploads-evil/example-inbox/btc.csv"),
        ("s3:PutObjectAcl", f"{INBOX}/btc.csv"),
        ("s3:GetObject", f"{LAKE}/gold/ticker=BTC/data.parquet"),
        ("s3:ListBucket", "arn:aws:s3:::example-lake"),
        ("s3:GetBucketNotification", "arn:aws:s3:::example-uploads"),
        ("sqs:ReceiveMessage", f"arn:aws:sqs:{AT}:example-queue"),
        ("s3:AbortMultipartUpload", f"{LAKE}/_artifacts/0a1b.zip"),
        ("s3:ListMultipartUploadParts", f"{INBOX}/btc.csv"),
        ("kms:Decrypt", KEY, VIA_RDS),
        ("kms:Decrypt", KEY.replace("1111", "9999"), VIA_S3),
    ],
    "job": [
        ("s3:PutObject", f"{INBOX}/btc.csv"),
        ("s3:DeleteObject", f"{INBOX}/_contents/0a1b"),
        ("s3:GetObject", f"{INBOX}/btc.csv"),
        ("s3:GetObject", f"{INBOX}/_registry/market_data/BTC.json"),
        ("s3:PutObject", f"{LAKE}/gold/ticker=BTC/data.parquet"),
        ("s3:DeleteObject", f"{LAKE}/gold/ticker=BTC/data.parquet"),
        ("s3:PutObject", f"{LAKE}/_manifests/market_data/BTC.json"),
        ("s3:PutObject", f"{LAKE}/_artifacts/0a1b.py"),
        ("s3:PutObject", f"{LAKE}/_jobs/0a1b.json"),
        ("s3:DeleteObject", f"{LAKE}/_jobs/0a1b/2c3d/messages/1.json"),
        ("s3:PutObject", f"{LAKE}-evil/_staging/run/file"),
        ("s3:GetObject", "arn:aws:s3:::example-lake-evil/example-tables/_jobs/0a1b.json"),
        ("s3:ListBucket", "arn:aws:s3:::example-lake-evil"),
        ("emr-serverless:StartJobRun", APPLICATION),
        ("sns:Publish", f"arn:aws:sns:{AT}:example-topic"),
        ("s3:PutObject", "arn:aws:s3:::example-lake/others/file"),
        ("s3:GetObject", f"{LOGS}/applications/00f/jobs/00g/SPARK_DRIVER/stdout.gz"),
        ("s3:DeleteObject", f"{LOGS}/applications/00f/jobs/00g/SPARK_DRIVER/stdout.gz"),
        ("s3:AbortMultipartUpload", f"{LAKE}/gold/ticker=BTC/data.parquet"),
        ("s3:ListMultipartUploadParts", f"{LAKE}/gold/ticker=BTC/data.parquet"),
    ],
    "orchestrator": [
        ("emr-serverless:GetJobRun", APPLICATION),
        ("emr-serverless:GetJobRun", f"{OTHERS}/jobruns/00g"),
        ("emr-serverless:CancelJobRun", f"{OTHERS}/jobruns/00g"),
        ("emr-serverless:StartJobRun", OTHERS),
        ("emr-serverless:StartJobRun", f"{APPLICATION}4"),
        ("emr-serverless:TagResource", APPLICATION),
        ("emr-serverless:DeleteApplication", APPLICATION),
        ("iam:PassRole", f"{ROLES}/crypto-assets-job"),
        (
            "iam:PassRole",
            f"{ROLES}/crypto-assets-job",
            {"iam:PassedToService": "ec2.amazonaws.com"},
        ),
        ("iam:PassRole", f"{ROLES}/crypto-assets-job-evil", TO_EMR),
        ("iam:PassRole", f"{ROLES}/admin", TO_EMR),
        ("iam:GetRole", f"{ROLES}/admin"),
        ("sqs:ReceiveMessage", f"arn:aws:sqs:{AT}:example-queue-evil"),
        ("sqs:ReceiveMessage", "arn:aws:sqs:eu-central-1:210987654321:example-queue"),
        ("sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:123456789012:example-queue"),
        ("sqs:PurgeQueue", f"arn:aws:sqs:{AT}:example-queue"),
        ("sns:Publish", f"arn:aws:sns:{AT}:payments"),
        ("sns:Subscribe", f"arn:aws:sns:{AT}:example-topic"),
        ("dynamodb:BatchWriteItem", f"{TABLES}/Payments"),
        ("dynamodb:Scan", f"{TABLES}/CustomerAccountDigests"),
        ("dynamodb:DeleteTable", f"{TABLES}/CustomerAccount"),
        ("redshift-data:ExecuteStatement", f"{WORKGROUPS}/other"),
        ("redshift-data:GetStatementResult", "*", OF_ANN),
        ("redshift-data:CancelStatement", "*", OF_ANN),
        ("redshift-data:ListStatements", "*"),
        ("redshift-serverless:GetCredentials", f"{WORKGROUPS}/other"),
        ("s3:GetObject", "arn:aws:s3:::example-lake-evil/example-tables/_jobs/0a1b.json"),
        ("s3:GetObject", "arn:aws:s3:::example-lake/others/file"),
        ("s3:DeleteObjectVersion", f"{LAKE}/gold/ticker=BTC/data.parquet"),
        ("s3:PutBucketNotification", "arn:aws:s3:::example-uploads"),
        ("s3:DeleteBucket", "arn:aws:s3:::example-lake"),
        ("kms:Decrypt", KEY),
        ("kms:ScheduleKeyDeletion", KEY, VIA_S3),
        ("s3:PutObject", f"{LOGS}/applications/00f/jobs/00g/SPARK_DRIVER/stdout.gz"),
        ("s3:ListMultipartUploadParts", f"{LAKE}/_artifacts/0a1b.zip"),
    ],
    "copy": [
        ("s3:PutObject", f"{LAKE}/load/ticker=BTC/data.parquet"),
        ("s3:GetObject", f"{LAKE}/_jobs/0a1b/2c3d/context.json"),
        ("s3:GetObject", f"{LAKE}/customer_account_store/stored/snapshot=a/data.parquet"),
        ("s3:GetObject", f"{INBOX}/btc.csv"),
        ("s3:ListBucket", "arn:aws:s3:::example-uploads"),
        ("kms:GenerateDataKey", KEY, VIA_S3),
        ("s3:AbortMultipartUpload", f"{LAKE}/load/ticker=BTC/data.parquet"),
        ("s3:ListMultipartUploadParts", f"{LAKE}/load/ticker=BTC/data.parquet"),
        ("s3:PutObject", f"{LAKE}/_staging/run/file"),
        ("s3:GetObject", f"{LAKE}/_staging/run/file"),
    ],
    "stream-function": [
        ("dynamodb:GetItem", f"{TABLES}/CustomerAccount"),
        ("dynamodb:DeleteItem", f"{TABLES}/CustomerAccountDigests"),
        ("dynamodb:GetRecords", f"{TABLES}/Payments/stream/2026"),
        ("sns:Publish", f"arn:aws:sns:{AT}:payments"),
        ("sqs:SendMessage", f"arn:aws:sqs:{AT}:example-queue"),
        ("logs:PutLogEvents", f"arn:aws:logs:{AT}:log-group:others:log-stream:a"),
        ("s3:AbortMultipartUpload", f"{INBOX}/btc.csv"),
    ],
    "usage-limit": [
        ("redshift-serverless:DeleteUsageLimit", "*"),
        ("redshift-serverless:UpdateWorkgroup", f"{WORKGROUPS}/other"),
        ("logs:PutLogEvents", f"arn:aws:logs:{AT}:log-group:others:log-stream:a"),
    ],
    "instance": [
        ("s3:GetObject", "arn:aws:s3:::example-lake/others/file"),
        ("s3:PutObject", f"{WHEELS}/0a1b/crypto_assets.whl"),
        ("s3:DeleteObject", f"{WHEELS}/0a1b/crypto_assets.whl"),
        ("s3:GetObject", "arn:aws:s3:::example-lake-evil/example-wheels/crypto_assets.whl"),
        ("ec2:AttachVolume", VOLUME),
        ("ec2:AttachVolume", VOLUME, OF_OTHERS),
        ("ec2:AttachVolume", f"arn:aws:ec2:{AT}:instance/i-0a1b", OF_OTHERS),
        ("ec2:DetachVolume", VOLUME, OF_STACK),
        ("ec2:DeleteVolume", VOLUME, OF_STACK),
        ("ec2:TerminateInstances", f"arn:aws:ec2:{AT}:instance/i-0a1b", OF_STACK),
        ("ssm:GetParameter", f"arn:aws:ssm:{AT}:parameter/secret"),
        ("ssm:StartSession", f"arn:aws:ec2:{AT}:instance/i-0a1b", OF_STACK),
        ("ssm:SendCommand", f"arn:aws:ec2:{AT}:instance/i-0a1b", OF_STACK),
        ("cloudformation:SignalResource", f"arn:aws:cloudformation:{AT}:stack/others/0a1b"),
        ("cloudformation:UpdateStack", f"arn:aws:cloudformation:{AT}:stack/example-stack/0a1b"),
    ],
    "snapshots": [
        ("ec2:CreateSnapshot", f"arn:aws:ec2:{AT}:volume/vol-others"),
        ("ec2:DeleteSnapshot", SNAPSHOT),
        ("ec2:DeleteSnapshot", SNAPSHOT, OF_OTHERS),
        ("ec2:DeleteVolume", VOLUME, OF_STACK),
        ("ec2:CreateTags", VOLUME),
        ("ec2:ModifySnapshotAttribute", SNAPSHOT, OF_STACK),
        ("ec2:CreateVolume", SNAPSHOT, OF_STACK),
    ],
}


def shown_policies() -> dict[str, str]:
    """The policies that our own pages show, by page."""
    return {
        f"{page} {number}": block
        for page, text in PAGES.items()
        for number, block in enumerate(re.findall(r"```json\n(.*?)```", text, re.DOTALL))
        if '"Statement"' in block
    }


def test_parliament_finds_nothing_in_the_policies_and_in_those_that_pages_show():
    documents = [(POLICIES / f"{name}.json").read_text() for name in IDENTITY]
    documents += shown_policies().values()
    for path in TRUST:  # parliament knows no trust policies: theirs is the role itself
        document = json.loads(path.read_text())
        for statement in document["Statement"]:
            statement["Resource"] = f"{ROLES}/{path.stem}"
        documents.append(json.dumps(document))
    assert findings(*documents) == []


def test_parliament_finds_an_action_on_a_resource_it_does_not_have():
    statement = {
        "Effect": "Allow",
        "Action": ["emr-serverless:GetJobRun"],
        "Resource": APPLICATION,
    }
    (finding,) = findings(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert finding.startswith("RESOURCE_MISMATCH")


@pytest.mark.parametrize("allows", [allows_in_file, allows_in_stack])
@pytest.mark.parametrize(
    ("role", "call"),
    [(role, call) for role, calls in DENIED.items() for call in calls],
    ids=lambda part: part if isinstance(part, str) else " ".join(part[:2]),
)
def test_a_role_may_not_do_what_is_not_its_business(role, call, allows):
    assert not allows(role, Call(*call))


@pytest.mark.parametrize("role", IDENTITY)
def test_each_statement_has_a_name_of_its_own_and_the_whole_fits_a_managed_policy(role):
    statements = policy(role)["Statement"]
    assert len({statement["Sid"] for statement in statements}) == len(statements)
    text = (POLICIES / f"{role}.json").read_text()
    assert len("".join(text.split())) <= MANAGED_POLICY_CHARACTERS


def test_each_permission_that_the_product_names_is_in_a_policy():
    sources = [path.read_text() for path in (ROOT / "crypto_assets").rglob("*.py")]
    named = set(NAMED.findall("\n".join(sources)))
    assert {"iam:GetRole", "s3:GetBucketNotification", "sqs:ReceiveMessage"} <= named
    allowed = {
        action
        for role in IDENTITY
        for statement in policy(role)["Statement"]
        for action in listed(statement["Action"])
    }
    assert named <= allowed


def test_each_trust_policy_lets_in_the_service_the_role_is_for():
    services = {
        path.stem: {
            each["Principal"]["Service"] for each in json.loads(path.read_text())["Statement"]
        }
        for path in TRUST
    }
    assert services == {
        "copy": {"redshift-serverless.amazonaws.com", "redshift.amazonaws.com"},
        "job": {"emr-serverless.amazonaws.com"},
        "orchestrator": {"ec2.amazonaws.com"},
        "snapshots": {"dlm.amazonaws.com"},
        "stream-function": {"lambda.amazonaws.com"},
        "usage-limit": {"lambda.amazonaws.com"},
    }


def test_the_command_of_the_page_puts_own_values_in_the_place_of_all_samples(tmp_path):
    page = PAGES["deploy/iam/README.md"]
    command = re.search(r"```sh\n(mkdir.*?)```", page, re.DOTALL)[1]
    samples = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    for path in [*POLICIES.glob("*.json"), *TRUST]:
        target = tmp_path / path.relative_to(POLICIES)
        target.parent.mkdir(exist_ok=True)
        target.write_text(path.read_text())
    subprocess.run(["sh", "-eu", "-c", command], cwd=tmp_path, check=True)
    made = [path.read_text() for path in (tmp_path / "my-policies").rglob("*.json")]
    assert len(made) == len(IDENTITY) + len(TRUST)
    ours = "".join(path.read_text() for path in POLICIES.rglob("*.json"))
    assert [sample for sample in samples if sample not in ours] == []
    assert [sample for sample in samples if sample in "".join(made)] == []
    assert "example" not in "".join(made)
