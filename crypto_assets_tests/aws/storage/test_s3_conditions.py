"""A store that ignores the conditions of writes and copies is refused, before anything is lost."""

from __future__ import annotations

import re

import pytest

from crypto_assets.resources import wiring
from crypto_assets.resources.aws import Aws
from crypto_assets.resources.errors import RefusedError
from crypto_assets.resources.settings import AwsSettings, Settings
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.resources.storage.s3_conditions import check_conditions
from crypto_assets_tests.doubles import REGION


def lake(url, bucket, tmp_path):
    aws = Aws(region=REGION, endpoint_url=url)
    return S3Objects(aws=aws, root=f"s3://{bucket}/lake", locks=str(tmp_path / "locks"))


def test_a_store_that_keeps_conditions_passes_and_keeps_nothing_of_the_probe(
    router, bucket, tmp_path
):
    objects = lake(router.url, bucket, tmp_path)
    check_conditions(objects)
    assert router.count("s3", "PUT") == 9
    assert list(objects.below("")) == []


def test_a_store_that_ignores_conditions_of_copies_is_refused(
    ministack, credentials, bucket, tmp_path
):
    objects = lake(ministack, bucket, tmp_path)
    with pytest.raises(RefusedError) as refused:
        check_conditions(objects)
    assert str(refused.value) == (
        f"s3://{bucket}/lake: the store ignores If-None-Match of CopyObject, "
        "If-Match of CopyObject: it would lose newer data silently: use AWS S3 or a store that "
        "honours these conditions"
    )
    assert list(objects.below("")) == []


def test_a_bucket_whose_policy_makes_copies_fail_is_refused_with_the_cure(router, bucket, tmp_path):
    router.fail("s3", 9, status=501, code="NotImplemented", method="PUT", path=".*/target")
    with pytest.raises(RefusedError, match="take that out"):
        check_conditions(lake(router.url, bucket, tmp_path))


@pytest.mark.parametrize(
    ("path", "condition"),
    [(".*/target", "If-None-Match of PutObject"), (".*/other", "If-None-Match of CopyObject")],
)
def test_a_store_that_refuses_a_condition_that_holds_is_refused(
    router, bucket, tmp_path, path, condition
):
    router.fail("s3", 9, status=412, code="PreconditionFailed", method="PUT", path=path)
    objects = lake(router.url, bucket, tmp_path)
    with pytest.raises(RefusedError, match=f"the store refuses {condition} where it holds"):
        check_conditions(objects)
    assert list(objects.below("")) == []


def test_what_writes_a_lake_on_another_store_than_that_of_aws_tries_it_once(
    ministack, router, bucket, home
):
    def settings(url):
        aws = AwsSettings(lake=f"s3://{bucket}/lake", region=REGION, endpoint_url=url)
        return Settings(home=home, lake="s3", warehouse="redshift", aws=aws)

    with pytest.raises(RefusedError, match=re.escape("it would lose newer data silently")):
        wiring.lake(settings(ministack), writes=True)
    wiring.lake(settings(ministack))
    for _ in range(2):
        wiring.lake(settings(router.url), writes=True)
    assert router.count("s3", "PUT", ".*/_probe/.*") == 9
