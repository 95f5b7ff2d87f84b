"""The policies of the template: those of `deploy/iam`, in the names of a stack, and no others."""

from __future__ import annotations

import json

import pytest

from crypto_assets_tests.helpers.iam import MANAGED_POLICY_CHARACTERS, listed
from crypto_assets_tests.helpers.parliament import findings
from crypto_assets_tests.helpers.roles import POLICIES
from crypto_assets_tests.helpers.template import EVERYTHING, Stack, everything

# A stack does not make who makes it.
OF_NO_STACK = {"deployer", "deployer-parts", "deployer-instance"}
IDENTITY = sorted({path.stem for path in POLICIES.glob("*.json")} - OF_NO_STACK)
TRUST = sorted(path.stem for path in (POLICIES / "trust").glob("*.json"))
ROLE_CHARACTERS = 10_240  # of all policies in a role, without white space: "IAM quotas"
LONGEST = {**EVERYTHING, "Prefix": "a-prefix-of-20-chars"}
# What a stack without these parts does not allow.
OF_KEY = {"UseKey", "DoctorReadsKey"}
OF_PARTS = {
    "KmsKeyArn": ("", OF_KEY),
    "WithEmr": ("no", {"StartJobs", "TagWatchAndCancelJobs", "PassJobRole"}),
    "WithRedshift": (
        "no",
        {
            "RunStatements",
            "ConnectToDatabase",
            "FollowOwnStatements",
            "DoctorReadsWorkgroup",
            "DoctorReadsNamespace",
        },
    ),
    "WithDynamoDb": ("no", {"KeepCustomerAccounts"}),
    "WithInstance": ("no", set()),
}


def of_files(stack: Stack, name: str) -> dict:
    """The policy of `deploy/iam` with a stack's names."""
    return json.loads(stack.named((POLICIES / f"{name}.json").read_text()))


def sids(document: dict) -> list[str]:
    return [statement["Sid"] for statement in document["Statement"]]


def test_the_template_has_each_policy_and_no_other():
    assert sorted(everything().policies) == IDENTITY
    assert sorted(everything().trusts) == TRUST


@pytest.mark.parametrize("role", IDENTITY)
def test_a_policy_of_the_template_is_that_of_its_file(role):
    assert everything().policies[role] == of_files(everything(), role)


@pytest.mark.parametrize("role", TRUST)
def test_a_trust_policy_of_the_template_is_that_of_its_file(role):
    assert everything().trusts[role] == of_files(everything(), f"trust/{role}")


@pytest.mark.parametrize("part", OF_PARTS)
def test_without_a_part_the_policies_lack_what_is_for_it_and_nothing_else(part):
    value, only_for_it = OF_PARTS[part]
    stack = Stack({**EVERYTHING, part: value})
    for role, document in stack.policies.items():
        wanted = sids(everything().policies[role])
        assert sids(document) == [sid for sid in wanted if sid not in only_for_it]


def test_parliament_finds_nothing_in_any_policy_of_the_template():
    documents = [json.loads(json.dumps(one)) for one in everything().documents()]
    assert len(documents) > len(IDENTITY) + len(TRUST)
    for statement in (one for document in documents for one in document["Statement"]):
        statement.setdefault("Resource", everything().outputs["EmrRoleArn"])  # of a trust policy
    assert findings(*map(json.dumps, documents)) == []


def test_a_service_is_let_in_on_behalf_of_this_account_alone():
    let_in = [
        (statement["Principal"]["Service"], statement.get("Condition", {}))
        for document in everything().documents()
        for statement in document["Statement"]
        if statement["Effect"] == "Allow" and "Principal" in statement
    ]
    without = [
        service
        for service, condition in let_in
        if condition.get("StringEquals", {}).get("aws:SourceAccount") != "123456789012"
    ]
    assert len(let_in) > len(TRUST)
    assert without == ["ec2.amazonaws.com"]  # which says neither: an instance is of its account


def test_the_job_role_is_the_only_one_that_can_be_passed_and_only_to_its_service():
    passing = [
        (statement["Resource"], statement["Condition"])
        for document in everything().documents()
        for statement in document["Statement"]
        if "iam:PassRole" in listed(statement["Action"])
    ]
    to_emr = {"StringEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}}
    assert passing == [(everything().outputs["EmrRoleArn"], to_emr)]


@pytest.mark.parametrize("role", IDENTITY)
def test_a_policy_fits_with_the_longest_prefix(role):
    text = "".join(json.dumps(Stack(LONGEST).policies[role]).split())
    managed = {"orchestrator", "uploader", "instance"}
    most = MANAGED_POLICY_CHARACTERS if role in managed else ROLE_CHARACTERS
    assert len(text) <= most
