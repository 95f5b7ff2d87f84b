"""Whether what runs in subnets of a VPC has a way to S3: an endpoint, or a route to the outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crypto_assets.resources.doctor.piece import Account
from crypto_assets.resources.errors import UsageError

LOOKS = "ec2:DescribeSubnets, ec2:DescribeRouteTables and ec2:DescribeVpcEndpoints"
_ANYWHERE = "0.0.0.0/0"


def way_to_s3(account: Account, subnet_ids: Sequence[str]) -> str:
    """Says how these subnets reach S3. Raises `UsageError` naming those that do not."""
    if not subnet_ids:
        return "in no VPC: S3 is reached directly"
    ec2, service = account.client("ec2"), f"com.amazonaws.{account.region}.s3"
    subnets = ec2.describe_subnets(SubnetIds=list(subnet_ids))["Subnets"]
    (vpc,) = {subnet["VpcId"] for subnet in subnets}
    tables = _of_vpc(ec2, "describe_route_tables", vpc)
    endpoints = [
        endpoint
        for endpoint in _of_vpc(ec2, "describe_vpc_endpoints", vpc)
        if endpoint["ServiceName"] == service and endpoint["State"].lower() == "available"
    ]
    ways = {subnet: _way(_table_of(subnet, tables), endpoints) for subnet in subnet_ids}
    if without := [subnet for subnet, way in ways.items() if not way]:
        raise UsageError(
            f"{', '.join(without)} of {vpc} has no way to S3: add a gateway endpoint of {service} "
            "to its route table, or a route to a NAT gateway"
        )
    return ", ".join(f"{subnet} by {way}" for subnet, way in ways.items())


def _of_vpc(ec2: Any, operation: str, vpc: str) -> list[dict[str, Any]]:
    pages = ec2.get_paginator(operation).paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    (name,) = pages.result_keys
    return [found for page in pages for found in page[name.expression] if found["VpcId"] == vpc]


def _table_of(subnet: str, tables: list[dict[str, Any]]) -> Mapping[str, Any]:
    """The route table of a subnet; one that has none of its own has the VPC's main one."""

    def held(table: Mapping[str, Any]) -> Iterator[int]:
        for association in table.get("Associations", ()):
            if association.get("SubnetId") == subnet:
                yield 2
            yield int(association.get("Main", False))

    return max(tables, key=lambda table: max(held(table), default=0))


def _way(table: Mapping[str, Any], endpoints: list[dict[str, Any]]) -> str:
    for endpoint in endpoints:
        interface = endpoint["VpcEndpointType"] == "Interface" and endpoint.get("PrivateDnsEnabled")
        if interface or table["RouteTableId"] in endpoint.get("RouteTableIds", ()):
            return str(endpoint["VpcEndpointId"])
    for route in table.get("Routes", ()):
        if route.get("DestinationCidrBlock") == _ANYWHERE and route.get("State") != "blackhole":
            gateways = ("NatGatewayId", "GatewayId", "TransitGatewayId", "NetworkInterfaceId")
            return next((str(route[name]) for name in gateways if route.get(name)), _ANYWHERE)
    return ""
