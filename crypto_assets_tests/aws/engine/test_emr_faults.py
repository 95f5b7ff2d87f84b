"""What AWS refuses is reported in one line, as a fault that passes or as one that wants a cure."""

from __future__ import annotations

import pytest

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.engine.emr import EmrServerlessEngine
from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.emr_double import APPLICATION, ROLE, emr_double
from crypto_assets_tests.doubles.router import routing
from crypto_assets_tests.helpers.emr_scene import hurry
from crypto_assets_tests.helpers.loopback import free_port


@pytest.fixture
def router(workers, credentials):
    with (
        emr_double(workers, "http://127.0.0.1:9") as (_, url),
        routing("http://127.0.0.1:9", {"emr-serverless": url}) as router,
    ):
        yield router


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    hurry(monkeypatch)


def engine(url):
    aws = Aws(region=REGION, endpoint_url=url)
    return EmrServerlessEngine(
        aws=aws,
        application_id=APPLICATION,
        role_arn=ROLE,
        objects=S3Objects(aws=aws, root="s3://bucket/lake", locks="unused"),
        cache="unused",
    )


@pytest.mark.parametrize(
    ("status", "code", "kind", "cure"),
    [
        (403, "ExpiredTokenException", RefusedError, "aws sso login"),
        (403, "UnrecognizedClientException", RefusedError, "a new key file"),
        (403, "AccessDeniedException", RefusedError, "allow it in the policy"),
        (400, "ValidationException", RefusedError, "ValidationException: made by"),
        (402, "ServiceQuotaExceededException", BusyError, "ServiceQuotaExceeded"),
        (429, "ThrottlingException", BusyError, "ThrottlingException"),
        (500, "InternalServerException", BusyError, "InternalServerException"),
    ],
)
def test_a_refusal_is_reported_with_its_operation_and_its_cure(router, status, code, kind, cure):
    router.fail("emr-serverless", 20, status=status, code=code)
    with pytest.raises(kind, match=cure) as raised:
        engine(router.url).check()
    assert "GetApplication" in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_an_address_where_nobody_listens_is_a_fault_that_may_pass(credentials):
    with pytest.raises(BusyError, match="AWS cannot be reached"):
        engine(f"http://127.0.0.1:{free_port()}").check()


def test_no_credentials_at_all_are_reported_with_the_cure(router, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(RefusedError, match=r"knows no credentials.*aws sso login"):
        engine(router.url).check()
