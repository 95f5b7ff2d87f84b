"""Outputs of a stack as settings: what is written, and what in the file stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_assets.resources.deploy.outputs import settings_of, write_settings
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.settings import Settings, settings_file
from crypto_assets_tests.helpers.template import everything

OUTPUTS = {
    "Region": "eu-central-1",
    "Inbox": "s3://team-uploads/inbox",
    "Lake": "s3://team-lake/lake",
    "QueueUrl": "https://sqs/team-uploads",
    "TopicArn": "arn:aws:sns:eu-central-1:123456789012:team-notices",
    "EmrApplicationId": "00f1",
    "EmrRoleArn": "arn:aws:iam::123456789012:role/team-job",
    "RedshiftWorkgroup": "team",
    "RedshiftRoleArn": "arn:aws:iam::123456789012:role/team-copy",
    "AccountTable": "team-CustomerAccount",
    "UploaderPolicyArn": "arn:aws:iam::123456789012:policy/team-uploader",
}
PARTS = ("EmrApplicationId", "EmrRoleArn", "RedshiftWorkgroup", "RedshiftRoleArn", "AccountTable")
BARE = {name: value for name, value in OUTPUTS.items() if name not in PARTS}


def test_outputs_become_settings_that_hold(home):
    write_settings(settings_file(""), OUTPUTS)
    settings = Settings()
    assert (settings.profile, settings.engine, settings.warehouse, settings.store) == (
        *("aws", "emr-serverless", "redshift", "dynamodb"),
    )
    assert settings.aws.inbox == "s3://team-uploads/inbox"
    assert settings.aws.emr_application_id == "00f1"
    assert settings.aws.account_table == "team-CustomerAccount"


def test_the_outputs_of_the_template_that_are_settings_are_all_known(home):
    assert settings_of(everything().outputs).keys() == settings_of(OUTPUTS).keys()


def test_what_else_is_in_the_file_stays_with_its_comments(home):
    file = settings_file("")
    file.write_text(
        "# ours\nkeep_snapshots = 5  # few\n\n[aws]\nprofile = 'team'  # who asks\n"
        'inbox = "s3://old"\n\n[spark_conf]\n"spark.a" = "1"\n'
    )
    write_settings(file, BARE)
    assert file.read_text().splitlines() == [
        "# ours",
        "keep_snapshots = 5  # few",
        'profile = "aws"',
        'engine = "sail"',
        'warehouse = "duckdb"',
        'store = "duckdb"',
        "",
        "[aws]",
        "profile = 'team'  # who asks",
        'inbox = "s3://team-uploads/inbox"',
        'region = "eu-central-1"',
        'lake = "s3://team-lake/lake"',
        'queue_url = "https://sqs/team-uploads"',
        'topic_arn = "arn:aws:sns:eu-central-1:123456789012:team-notices"',
        "",
        "[spark_conf]",
        '"spark.a" = "1"',
    ]


def test_a_part_that_comes_is_used_and_one_that_goes_is_not_used_any_more(home):
    file = settings_file("")
    write_settings(file, BARE)
    assert (Settings().engine, Settings().warehouse, Settings().store) == (
        *("sail", "duckdb", "duckdb"),
    )
    write_settings(file, OUTPUTS)
    assert (Settings().engine, Settings().warehouse, Settings().store) == (
        *("emr-serverless", "redshift", "dynamodb"),
    )
    write_settings(file, BARE)
    assert (Settings().engine, Settings().aws.emr_application_id) == ("sail", "")


def test_an_engine_that_its_user_chose_stays(home):
    file = settings_file("")
    file.write_text('engine = "spark"\n')
    for outputs in (BARE, OUTPUTS):
        write_settings(file, outputs)
        assert Settings().engine == "spark"
    file.write_text(file.read_text().replace("spark", "sail"))
    write_settings(file, OUTPUTS)
    assert Settings().engine == "sail"


def test_the_same_outputs_once_more_change_nothing(home):
    file = settings_file("")
    write_settings(file, OUTPUTS)
    before = file.read_bytes()
    write_settings(file, OUTPUTS)
    assert file.read_bytes() == before


def test_a_file_that_is_no_toml_is_left_alone(home):
    Path("crypto_assets.toml").write_text("a = [")
    with pytest.raises(UsageError, match=r"^crypto_assets.toml: "):
        write_settings(Path("crypto_assets.toml"), OUTPUTS)
    assert Path("crypto_assets.toml").read_text() == "a = ["
