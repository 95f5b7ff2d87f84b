"""The policies of who deploys: what CloudFormation asks in their name, and nothing of others.

Which permissions a resource type needs is in AWS's own schemas.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.iam import Call, allows, listed
from crypto_assets_tests.helpers.iam_calls import ACCOUNT, KEY
from crypto_assets_tests.helpers.roles import policy
from crypto_assets_tests.helpers.schemas import schema
from crypto_assets_tests.helpers.template import template

NAMES = ("deployer", "deployer-parts", "deployer-instance")
# What the schemas ask for properties that no resource of the template has, by service.
UNUSED = {
    **dict.fromkeys(("billing", "ecr", "elasticfilesystem", "firehose", "kinesis"), "*"),
    **dict.fromkeys(("kms", "lakeformation", "redshift", "s3files", "s3tables", "sso"), "*"),
    **dict.fromkeys(("secretsmanager", "elasticloadbalancing", "managed-fleets"), "*"),
    "vpc-lattice": "*",
    "autoscaling": "*LoadBalancer* *TrafficSources *InstanceRefresh *LifecycleHook "
    "*NotificationConfiguration *MetricsCollection",
    "dynamodb": "*Replica *Item ImportTable DescribeImport PutResourcePolicy DeleteResourcePolicy "
    "Query Scan UpdateContributorInsights [DEU]*KinesisStreamingDestination",
    "ec2": "*NetworkInterface* *SubnetCidrBlock *VpcEncryptionControl* ModifyVpcTenancy "
    "*VpnGateway* CopyVolumes CreateSnapshot Describe[*] Get[*]",
    "ssm": "Get[*]",
    "glue": "*Connection GetSchemaVersion",
    "iam": "*GroupPolicy *UserPolicy *RolePermissionsBoundary",
    "lambda": "*CodeSigningConfig *FunctionConcurrency GetLayerVersion PassCapacityProvider "
    "PublishVersion PutFunctionScalingConfig PutRuntimeManagementConfig AssociateRuntimeAlias",
    "logs": "*KmsKey *LogDelivery *LogStream* PutLogEvents *DataProtectionPolicy *IndexPolicy "
    "*ResourcePolic* PutBearerTokenAuthentication PutLogGroupDeletionProtection",
    "redshift-serverless": "*SnapshotCopyConfiguration* RestoreFrom*",
    "s3": "*Metadata* DeleteBucket[A-Z]* GetObjectVersion *Acl *ObjectLock* REST.PUT.OBJECT "
    "Put[!BEL]*Configuration",
    "sns": "PutDataProtectionPolicy",
}
# What `crypto-assets deploy` and `destroy` ask themselves, and the resource that no schema has.
OURS = {
    *("ec2:DescribeVolumes", "lambda:InvokeFunction", "redshift-serverless:GetCredentials"),
    *("s3:AbortMultipartUpload", "s3:DeleteObjectVersion", "s3:ListBucketVersions"),
}
ROLES, BUCKETS = f"arn:aws:iam::{ACCOUNT}:role", "arn:aws:s3:::"
AT = f"{REGION}:{ACCOUNT}"
GROUPS = f"arn:aws:autoscaling:{AT}:autoScalingGroup:0:autoScalingGroupName"
STACKS = f"arn:aws:cloudformation:{AT}:stack"
TO_LAMBDA = {"iam:PassedToService": "lambda.amazonaws.com"}
OF_OTHERS = {
    "aws:ResourceTag/crypto-assets": "payments",
    "aws:RequestTag/crypto-assets": "payments",
}
OF_US = {"aws:ResourceTag/crypto-assets": "crypto-prod"}
DENIED = [
    ("cloudformation:DeleteStack", f"{STACKS}/payments/0a1b"),
    ("cloudformation:ExecuteChangeSet", f"{STACKS}/payments/0a1b"),
    ("cloudformation:GetTemplate", f"{STACKS}/my-crypto-assets/0a1b"),
    ("cloudformation:SetStackPolicy", f"{STACKS}/crypto-assets/0a1b"),
    ("s3:GetObject", f"{BUCKETS}payments/file"),
    ("s3:DeleteBucket", f"{BUCKETS}payments"),
    ("s3:PutBucketPolicy", f"{BUCKETS}payments"),
    ("s3:PutBucketAcl", f"{BUCKETS}my-crypto-assets"),
    ("sqs:DeleteQueue", f"arn:aws:sqs:{AT}:payments"),
    ("sqs:ReceiveMessage", f"arn:aws:sqs:{AT}:crypto-assets-uploads"),
    ("sqs:DeleteQueue", f"arn:aws:sqs:us-east-1:{ACCOUNT}:crypto-assets-uploads"),
    ("sns:Publish", f"arn:aws:sns:{AT}:crypto-assets-notices"),
    ("sns:DeleteTopic", f"arn:aws:sns:{AT}:payments"),
    ("events:DeleteRule", f"arn:aws:events:{AT}:rule/payments"),
    ("cloudwatch:DeleteAlarms", f"arn:aws:cloudwatch:{AT}:alarm:payments"),
    ("logs:DeleteLogGroup", f"arn:aws:logs:{AT}:log-group:/aws/lambda/payments"),
    ("logs:GetLogEvents", f"arn:aws:logs:{AT}:log-group:/aws/lambda/crypto-assets-usage-limit"),
    ("iam:PutRolePolicy", f"{ROLES}/admin"),
    ("iam:AttachRolePolicy", f"{ROLES}/payments"),
    ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/crypto-ann"),
    ("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/ann"),
    ("iam:PassRole", f"{ROLES}/crypto-assets-job"),
    ("iam:PassRole", f"{ROLES}/admin", TO_LAMBDA),
    ("iam:PassRole", f"{ROLES}/crypto-assets-job", {"iam:PassedToService": "ecs.amazonaws.com"}),
    ("iam:DeletePolicy", f"arn:aws:iam::{ACCOUNT}:policy/payments"),
    ("iam:CreateServiceLinkedRole", f"{ROLES}/aws-service-role/ecs", {"iam:AWSServiceName": "ecs"}),
    ("budgets:ModifyBudget", f"arn:aws:budgets::{ACCOUNT}:budget/payments"),
    ("dynamodb:DeleteTable", f"arn:aws:dynamodb:{AT}:table/payments"),
    ("dynamodb:Scan", f"arn:aws:dynamodb:{AT}:table/crypto-assets-CustomerAccount"),
    ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{AT}:function:payments"),
    ("lambda:InvokeFunction", f"arn:aws:lambda:{AT}:function:payments"),
    ("emr-serverless:DeleteApplication", f"arn:aws:emr-serverless:{AT}:/applications/00f1"),
    ("emr-serverless:DeleteApplication", f"arn:aws:emr-serverless:{AT}:/applications/0", OF_OTHERS),
    ("emr-serverless:CreateApplication", "*", OF_OTHERS),
    ("redshift-serverless:DeleteNamespace", f"arn:aws:redshift-serverless:{AT}:namespace/0"),
    (
        "redshift-serverless:GetCredentials",
        f"arn:aws:redshift-serverless:{AT}:workgroup/0",
        OF_OTHERS,
    ),
    ("redshift-data:ExecuteStatement", f"arn:aws:redshift-serverless:{AT}:workgroup/0", OF_OTHERS),
    ("glue:DeleteDatabase", f"arn:aws:glue:{AT}:database/payments"),
    ("ec2:DeleteVolume", f"arn:aws:ec2:{AT}:volume/vol-0"),
    ("ec2:DeleteVolume", f"arn:aws:ec2:{AT}:volume/vol-0", OF_OTHERS),
    ("ec2:DeleteVpc", f"arn:aws:ec2:{AT}:vpc/vpc-0", OF_OTHERS),
    ("ec2:CreateSubnet", f"arn:aws:ec2:{AT}:vpc/vpc-0", OF_OTHERS),
    ("ec2:CreateVolume", f"arn:aws:ec2:{AT}:volume/*", OF_OTHERS),
    ("ec2:AuthorizeSecurityGroupIngress", f"arn:aws:ec2:{AT}:security-group/sg-0", OF_OTHERS),
    ("ec2:RunInstances", f"arn:aws:ec2:{AT}:instance/*"),
    ("ec2:TerminateInstances", f"arn:aws:ec2:{AT}:instance/i-0"),
    ("autoscaling:DeleteAutoScalingGroup", f"{GROUPS}/payments"),
    ("ssm:GetParameters", f"arn:aws:ssm:{AT}:parameter/payments"),
    ("dlm:DeleteLifecyclePolicy", f"arn:aws:dlm:{AT}:policy/policy-0", OF_OTHERS),
    ("kms:Decrypt", KEY),
]


def needed(kind: str) -> set[str]:
    """What CloudFormation asks to create, read, update and delete a resource of this type."""
    handlers = schema(kind).get("handlers", {})
    return {
        action
        for name, handler in handlers.items()
        if name != "list"
        for action in handler.get("permissions", ())
    }


def allowed() -> list[str]:
    """The actions that the policies allow on something, as patterns."""
    statements = [one for name in NAMES for one in policy(name)["Statement"]]
    return [action for one in statements for action in listed(one["Action"])]


def fits(action: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(action, pattern) for pattern in patterns)


def kinds() -> set[str]:
    return {one["Type"] for one in template()["Resources"].values()}


def test_they_allow_what_each_type_of_resource_needs():
    unused = [f"{service}:{name}" for service, names in UNUSED.items() for name in names.split()]
    refused = {
        f"{kind}: {action}"
        for kind in kinds()
        for action in needed(kind)
        if not fits(action, allowed()) and not fits(action, unused)
    }
    assert refused == set()
    assert {"sqs:CreateQueue", "sqs:TagQueue"} <= needed("AWS::SQS::Queue")


def test_they_allow_nothing_that_neither_a_resource_nor_the_commands_need():
    asked = OURS | {action for kind in kinds() for action in needed(kind)}
    of_stacks = ("cloudformation:", "redshift-data:")
    idle = [one for one in allowed() if not one.startswith(of_stacks) and not fits_any(one, asked)]
    assert idle == []


def fits_any(pattern: str, actions: set[str]) -> bool:
    """Either may be a pattern: a schema says `ec2:Describe*` too."""
    return any(fnmatchcase(one, pattern) or fnmatchcase(pattern, one) for one in actions)


@pytest.mark.parametrize("call", DENIED, ids=lambda call: f"{call[0]} {call[1]}")
@pytest.mark.parametrize("name", NAMES)
def test_who_deploys_may_not_touch_what_is_not_of_a_stack_of_ours(name, call):
    assert not allows(policy(name), Call(*call))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("deployer", ("cloudformation:CreateChangeSet", f"{STACKS}/crypto-assets/0a1b")),
        ("deployer", ("cloudformation:DescribeEvents", f"{STACKS}/crypto-prod/0a1b")),
        ("deployer", ("s3:CreateBucket", f"{BUCKETS}crypto-prod-lake-{ACCOUNT}")),
        ("deployer", ("iam:PassRole", f"{ROLES}/crypto-prod-copy", TO_LAMBDA)),
        (
            "deployer-parts",
            (
                "emr-serverless:DeleteApplication",
                f"arn:aws:emr-serverless:{AT}:/applications/0",
                OF_US,
            ),
        ),
        ("deployer-instance", ("ec2:DeleteVolume", f"arn:aws:ec2:{AT}:volume/vol-0", OF_US)),
        ("deployer-instance", ("ec2:CreateSubnet", f"arn:aws:ec2:{AT}:vpc/vpc-0", OF_US)),
        (
            "deployer-instance",
            ("autoscaling:UpdateAutoScalingGroup", f"{GROUPS}/crypto-prod-Instance-0"),
        ),
    ],
)
def test_who_deploys_may_touch_what_is(name, call):
    assert allows(policy(name), Call(*call))
