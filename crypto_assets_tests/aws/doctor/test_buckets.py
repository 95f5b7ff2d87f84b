"""The doctor sees buckets in which the product cannot keep data, or not keep them safe."""

from __future__ import annotations

import json

import pytest

from crypto_assets.resources.aws import Aws
from crypto_assets_tests.aws.doctor.account import allow, found
from crypto_assets_tests.doubles import REGION

ID = "00f1abcdefgh0123"
OF_KEYS = ("kms:Decrypt", "kms:GenerateDataKey")
EMR = allow({"Service": "emr-serverless.amazonaws.com"})


@pytest.fixture
def key(admin, bucket):
    """The key by which the bucket encrypts."""
    made = admin.client("kms").create_key()["KeyMetadata"]["Arn"]
    rule = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": made}
    admin.client("s3").put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]},
    )
    return made


@pytest.fixture
def lake(said, bucket):
    return lambda **more: said(lake=f"s3://{bucket}/lake", **more)


def test_a_lake_in_another_region_than_application_and_workgroup_is_reported(said, bucket):
    ok, text = said("us-west-2", lake=f"s3://{bucket}/lake")["lake bucket"]
    assert not ok
    assert f"it is in {REGION}, but us-west-2 is set, where application, workgroup" in text


def test_a_store_that_ignores_conditions_is_refused(ministack, credentials, bucket):
    said = found(Aws(region=REGION, endpoint_url=ministack), lake=f"s3://{bucket}/lake")
    ok, text = said["lake writes"]
    assert not ok
    assert "it would lose newer data silently" in text


def test_a_bucket_policy_under_which_s3_makes_no_copies_is_reported(lake, router):
    copies = {"method": "PUT", "path": ".*/lake/_probe/.*"}
    router.fail("s3", 9, status=501, code="NotImplemented", **copies)
    ok, text = lake()["lake writes"]
    assert not ok
    assert "if the bucket's policy demands s3:if-match or s3:if-none-match, take that out" in text


def test_a_key_that_who_runs_dagster_may_not_use_is_reported(lake, router):
    denied = b"<Error><Code>AccessDenied</Code><Message>ann is not authorized to perform: "
    denied += b"kms:GenerateDataKey on resource: arn:aws:kms:x:y:key/z</Message></Error>"
    router.fail("s3", 9, status=403, body=denied, method="PUT")
    ok, text = lake()["lake writes"]
    assert not ok
    assert "allow kms:GenerateDataKey and kms:Decrypt on the key that encrypts the bucket" in text


def test_a_key_that_is_disabled_is_reported(lake, admin, key):
    assert lake()["lake key"] == (True, f"aws:kms, {key}")
    admin.client("kms").disable_key(KeyId=key)
    ok, text = lake()["lake key"]
    assert not ok
    assert f"its key {key} is Disabled: enable it or name another" in text


def simulated(decision, *actions):
    """What IAM answers of a role's own policies, which ministack does not look at."""
    results = "".join(
        f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision>"
        "</member>"
        for action in actions
    )
    return (
        "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>"
        f"{results}</EvaluationResults></SimulatePrincipalPolicyResult>"
        "</SimulatePrincipalPolicyResponse>"
    ).encode()


@pytest.fixture
def simulate(router):
    """Lets IAM answer with this decision for the next role that it is asked about."""
    asked = {"operation": "SimulatePrincipalPolicy", "status": 200}

    def answer(decision, *actions):
        return router.fail("iam", **asked, body=simulated(decision, *actions or OF_KEYS))

    return answer


def test_a_role_without_rights_on_the_key_is_reported_with_those(lake, key, role, simulate):
    job = role(EMR)
    simulate("implicitDeny")
    ok, text = lake(emr_role_arn=job)["lake key"]
    assert not ok
    assert f"{job} may not kms:Decrypt and kms:GenerateDataKey with {key}: allow it" in text
    simulate("allowed")
    assert lake(emr_role_arn=job)["lake key"] == (True, f"aws:kms, {key}")


def test_a_role_that_the_key_itself_allows_is_fit(lake, admin, key, role, simulate):
    job = role(EMR)
    allowed = {"Effect": "Allow", "Principal": {"AWS": job}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    admin.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    simulate("implicitDeny")
    assert lake(emr_role_arn=job)["lake key"] == (True, f"aws:kms, {key}")


@pytest.fixture
def logs(said, account, bucket, role):
    """What is said of a job role and the place of its logs in the bucket."""
    place, job = f"s3://{bucket}/job-logs", role(EMR)
    settings = {"emr_application_id": ID, "emr_role_arn": job, "emr_log_uri": place}
    return place, job, lambda: said(**settings)


def test_a_job_role_that_may_not_write_logs_is_reported(logs, simulate):
    place, job, said = logs
    simulate("implicitDeny", "s3:PutObject")
    ok, text = said()["job logs"]
    assert not ok
    assert f"{place}: the policies of {job} lack s3:PutObject: allow it there" in text
    simulate("allowed", "s3:PutObject")
    found = said()
    assert found["job logs"] == (True, f"{place}, written by {job}")
    assert found["job logs key"] == (True, "AES256: no key is needed")


def test_a_job_role_without_rights_on_the_key_of_the_logs_is_reported(logs, key, simulate):
    _, job, said = logs
    simulate("allowed", "s3:PutObject")
    simulate("implicitDeny")
    ok, text = said()["job logs key"]
    assert not ok
    assert f"{job} may not kms:Decrypt and kms:GenerateDataKey with {key}: allow it" in text


def test_a_bucket_of_logs_that_is_not_there_is_reported(said, account, role, simulate):
    simulate("allowed", "s3:PutObject")
    place = "s3://test-no-such-bucket"
    ok, text = said(emr_application_id=ID, emr_role_arn=role(EMR), emr_log_uri=place)[
        "job logs key"
    ]
    assert not ok
    assert "it is not there: create it or correct CRYPTO_ASSETS_AWS_EMR_LOG_URI" in text


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ("s3", {"method": "GET", "status": 403, "code": "AccessDenied"}),
        ("kms", {"status": 400, "code": "AccessDeniedException"}),
        ("iam", {"status": 403, "code": "AccessDenied", "operation": "SimulatePrincipalPolicy"}),
    ],
)
def test_a_key_that_may_not_be_looked_at_is_not_checked(lake, key, role, router, service, kind):
    job = role(EMR)
    path = {"path": "/[^/]*"} if service == "s3" else {}
    router.fail(service, 9, **kind, **path)
    ok, text = lake(emr_role_arn=job)["lake key"]
    assert ok
    assert "not checked, s3:GetEncryptionConfiguration, kms:DescribeKey, kms:Get" in text


def test_a_bucket_whose_events_may_not_be_looked_at_is_not_checked(said, bucket, router):
    router.fail("s3", method="GET", path="/[^/]*", status=403, code="AccessDenied")
    ok, text = said(inbox=f"s3://{bucket}", queue_url="https://none")["inbox events"]
    assert ok
    assert text.endswith("not checked, s3:GetBucketNotification is not permitted: allow it")


def test_a_bucket_needs_to_report_no_events_where_there_is_no_queue(said, bucket):
    ok, text = said(inbox=f"s3://{bucket}")["inbox events"]
    assert ok
    assert text == "no queue is set: the bucket is listed at every look"
