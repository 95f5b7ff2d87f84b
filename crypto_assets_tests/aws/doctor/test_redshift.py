"""The doctor sees a workgroup that cannot load the lake, on Redshift's side of things."""

from __future__ import annotations

import pytest

COPY = "arn:aws:iam::123456789012:role/copy"
SET = {"redshift_workgroup": "market"}


@pytest.mark.parametrize(
    "entry",
    [
        COPY,
        f"IamRole(applyStatus=in-sync, iamRoleArn={COPY})",
        f"IamRole(iamRoleArn={COPY}, applyStatus=in-sync)",
    ],
)
def test_a_copy_role_that_is_attached_is_found_however_redshift_writes_it(said, account, entry):
    account.namespace["iamRoles"] = [entry]
    found = said(**SET, redshift_role_arn=COPY)["namespace role"]
    assert found == (True, f"namespace market has {COPY}")


def test_a_copy_role_that_only_trusts_redshift_is_reported_with_the_cure(said, account):
    account.namespace["iamRoles"] = [f"IamRole(applyStatus=in-sync, iamRoleArn={COPY}-other)"]
    ok, text = said(**SET, redshift_role_arn=COPY)["namespace role"]
    assert not ok
    assert f"{COPY} is not attached to namespace market: attach it" in text


def test_a_namespace_without_a_default_role_is_reported_where_copy_has_none(said, account):
    ok, text = said(**SET)["namespace role"]
    assert not ok
    assert "namespace market has no default role: make one its default" in text
    account.namespace["defaultIamRoleArn"] = COPY
    assert said(**SET)["namespace role"] == (True, f"namespace market has {COPY}")


def test_a_namespace_that_may_not_be_looked_at_is_not_checked(said, router):
    router.fail(
        *("redshift-serverless", 9),
        status=400,
        code="AccessDeniedException",
        operation="GetNamespace",
    )
    ok, text = said(**SET)["namespace role"]
    assert ok
    assert "not checked, redshift-serverless:GetNamespace is not permitted" in text


def test_a_workgroup_that_reaches_s3_only_through_a_vpc_without_a_way_is_reported(
    said, account, admin
):
    ec2 = admin.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.2.1.0/24")["Subnet"]["SubnetId"]
    account.workgroup |= {"enhancedVpcRouting": True, "subnetIds": [subnet]}
    ok, text = said(**SET)["workgroup network"]
    assert not ok
    assert f"{subnet} of {vpc} has no way to S3" in text
