"""What a command says when AWS is set up wrong or away: one line with the cure, and exit code 1."""

from __future__ import annotations

import time

import dagster as dg
import pytest

from crypto_assets.defs.verdicts import retrying_passing_faults
from crypto_assets.resources import wiring
from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.resources.home.instance import open_instance
from crypto_assets.resources.inbox.inbox import SETTLED_SECONDS
from crypto_assets.resources.inbox.ledger import Ledger
from crypto_assets.resources.settings import Settings
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.emr_scene import hurry
from crypto_assets_tests.helpers.exports_text import history_csv
from crypto_assets_tests.helpers.loopback import free_port
from crypto_assets_tests.helpers.sensor_desk import SensorDesk


@pytest.fixture
def setting(router, bucket, home, monkeypatch):
    """Sets a setting of profile `aws`, of which inbox and lake in the test's bucket are set."""

    def set_setting(name, value):
        monkeypatch.setenv(f"CRYPTO_ASSETS_AWS_{name}", value)

    hurry(monkeypatch)
    monkeypatch.setenv("CRYPTO_ASSETS_PROFILE", "aws")
    set_setting("REGION", REGION)
    set_setting("ENDPOINT_URL", router.url)
    set_setting("INBOX", f"s3://{bucket}/inbox")
    set_setting("LAKE", f"s3://{bucket}/lake")
    return set_setting


def refusal(run):
    code, out, err = run("status")
    assert (code, out) == (1, "")
    (line,) = err.splitlines()
    assert "made-up-secret" not in line
    return line.removeprefix("crypto-assets: ")


def test_an_empty_bucket_is_fine(run, setting):
    code, _, err = run("status")
    assert code == 0, err


def test_a_bucket_that_is_not_there_is_reported(run, setting):
    setting("INBOX", "s3://test-no-such-bucket/inbox")
    assert refusal(run) == (
        "AWS refuses GetObject: NoSuchBucket: The specified bucket does not exist; make bucket "
        "test-no-such-bucket, or name one that is there by CRYPTO_ASSETS_AWS_INBOX and _LAKE"
    )


def test_what_the_policy_lacks_is_reported(run, setting, router, bucket):
    router.fail("s3", 9, status=403, code="AccessDenied")
    assert refusal(run) == (
        "AWS refuses GetObject: made by the router of the tests; allow s3:ListBucket on bucket "
        f"{bucket}, and s3:GetObject, s3:PutObject and s3:DeleteObject below s3://{bucket}/inbox"
    )


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"])
def test_credentials_that_are_not_taken_are_reported(run, setting, router, code):
    router.fail("s3", 9, status=403, code=code)
    assert refusal(run) == (
        f"AWS does not take the credentials ({code} at GetObject): renew them (such as `aws "
        "sso login`, or a new key file) and run again"
    )


def test_no_credentials_are_reported(run, setting, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert refusal(run) == (
        "AWS knows no credentials: Unable to locate credentials; renew them (such as `aws sso "
        "login`, or a new key file) and run again"
    )


def test_an_endpoint_that_does_not_answer_is_reported(run, setting):
    setting("ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    assert refusal(run).startswith("AWS cannot be reached: Could not connect to the endpoint URL")


def test_a_bucket_that_throttles_for_long_is_reported(run, setting, router):
    router.fail("s3", 99, status=503, code="SlowDown")
    assert refusal(run).endswith("; run again later")


def test_a_fault_that_passes_is_tried_again_by_a_run_and_a_refusal_is_not(setting, router):
    registry, _ = wiring.registries(Settings())
    for fault in ({"status": 500}, {"status": 503, "code": "SlowDown"}, {"drop": "before"}):
        router.fail("s3", 8, **fault)
        with pytest.raises(dg.RetryRequested) as raised, retrying_passing_faults():
            registry.names()
        assert type(raised.value.__cause__) is BusyError
    router.fail("s3", 1, status=403, code="AccessDenied")
    with pytest.raises(RefusedError), retrying_passing_faults():
        registry.names()


def test_a_tick_that_cannot_read_an_upload_fails_and_the_next_one_takes_it(setting, router, bucket):
    setting("LAKE", f"s3://{bucket}/lake")
    for name in ("EMR_APPLICATION_ID", "EMR_ROLE_ARN", "REDSHIFT_WORKGROUP"):
        setting(name, "unused")
    settings = Settings()
    inbox = wiring.inbox(settings)
    inbox.objects.write("bitcoin prices.csv", history_csv(100.0).encode())
    with open_instance(settings) as instance:
        desk = SensorDesk(settings, instance)
        time.sleep(SETTLED_SECONDS + 1)  # S3 tells times by the second
        router.fail("s3", 8, method="GET", path=r".*/bitcoin prices\.csv", status=503)
        with pytest.raises(BusyError):
            desk.tick()
        assert Ledger(inbox.objects).quarantined() == []
        desk.tick()
    assert list(wiring.market_data(settings).registry.waiting()) == ["BTC"]
