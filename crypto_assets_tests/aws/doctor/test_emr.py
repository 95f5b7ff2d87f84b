"""The doctor sees an application on which no job of ours can run, before one is paid for."""

from __future__ import annotations

import uuid

import pytest

from crypto_assets_tests.doubles import REGION

ID = "00f1abcdefgh0123"
S3 = f"com.amazonaws.{REGION}.s3"
WAY = f"add a gateway endpoint of {S3} to its route table, or a route to a NAT"


@pytest.fixture
def ec2(admin):
    return admin.client("ec2")


@pytest.fixture
def subnet(ec2, account):
    """A subnet of a VPC of its own, with a route table of its own; the application is in it."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]
    account.application["networkConfiguration"] = {"subnetIds": [made["SubnetId"]]}
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=made["SubnetId"])
    return {"VpcId": vpc, "SubnetId": made["SubnetId"], "RouteTableId": table}


@pytest.mark.parametrize(
    ("settings", "cure"),
    [
        (
            {"architecture": "ARM64"},
            "it is ARM64, but the wheels of a job are for X86_64: create another",
        ),
        (
            {"maximumCapacity": {"cpu": "8 vCPU", "memory": "100 GB"}},
            "a job asks for 14 vCPU, it may have 8 vCPU: raise its maximum capacity",
        ),
        (
            {"maximumCapacity": {"cpu": "16 vCPU", "memory": "32 GB", "disk": "20 GB"}},
            "a job asks for 56 GB, it may have 32 GB, a job asks for 80 GB of disk, it may have 20",
        ),
        (
            {"autoStartConfiguration": {"enabled": False}},
            "it is not started, and jobs do not start it: turn on its auto-start",
        ),
    ],
)
def test_an_application_on_which_no_job_can_run_is_reported_with_the_cure(
    said, account, settings, cure
):
    account.application |= settings
    ok, text = said(emr_application_id=ID)["application"]
    assert not ok
    assert cure in text


def test_an_application_with_room_for_a_job_is_fit(said, account):
    account.application["maximumCapacity"] = {"cpu": "14 vCPU", "memory": "56GB", "disk": "80 GB"}
    account.application |= {"autoStartConfiguration": {"enabled": False}, "state": "STARTED"}
    del account.application["architecture"]  # X86_64 is what AWS takes then
    assert said(emr_application_id=ID)["application"][0]


def test_an_application_in_a_vpc_without_a_way_to_s3_is_reported(said, subnet, ec2):
    other = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    for service, vpc in ((f"com.amazonaws.{REGION}.dynamodb", subnet["VpcId"]), (S3, other)):
        ec2.create_vpc_endpoint(
            VpcId=vpc, ServiceName=service, RouteTableIds=[subnet["RouteTableId"]]
        )
    ok, text = said(emr_application_id=ID)["application network"]
    assert not ok
    assert f"{subnet['SubnetId']} of {subnet['VpcId']} has no way to S3: {WAY}" in text


def test_a_gateway_endpoint_of_s3_or_a_route_to_a_nat_gateway_is_a_way(said, subnet, ec2):
    network = said(emr_application_id=ID)["application network"]
    assert not network[0]
    nat = f"nat-{uuid.uuid4().hex[:17]}"
    ec2.create_route(
        RouteTableId=subnet["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat
    )
    found = said(emr_application_id=ID)["application network"]
    assert found == (True, f"{subnet['SubnetId']} by {nat}")
    ec2.delete_route(RouteTableId=subnet["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    endpoint = ec2.create_vpc_endpoint(
        VpcId=subnet["VpcId"], ServiceName=S3, RouteTableIds=[subnet["RouteTableId"]]
    )["VpcEndpoint"]["VpcEndpointId"]
    found = said(emr_application_id=ID)["application network"]
    assert found == (True, f"{subnet['SubnetId']} by {endpoint}")


def test_a_network_that_may_not_be_looked_at_is_not_checked(said, subnet, router):
    router.fail("ec2", 9, status=403, code="UnauthorizedOperation")
    ok, text = said(emr_application_id=ID)["application network"]
    assert ok
    assert "not checked, ec2:DescribeSubnets, ec2:DescribeRouteTables and ec2:Describe" in text
