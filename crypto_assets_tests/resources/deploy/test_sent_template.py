"""The template as CloudFormation is sent it: the file but for what people and checks read."""

from __future__ import annotations

import json

import pytest

from crypto_assets.resources.deploy.template import MOST_BYTES, Template, checked_prefix
from crypto_assets.resources.errors import RefusedError, UsageError
from crypto_assets_tests.helpers.schemas import schema
from crypto_assets_tests.helpers.template import TEMPLATE, Stack, template

ACCOUNT = "123456789012"
SMALL = """
Parameters:
  Prefix: {Type: String, Default: a, Description: Of all names}
  WithGlue: {Type: String, Default: "no"}
Resources:
  Lake: # where tables are
    Type: AWS::S3::Bucket
    DeletionPolicy: RetainExceptOnCreate
    Metadata: {checkov: {skip: []}}
    Properties:
      BucketName: !Sub ${Prefix}-lake-${AWS::AccountId}
      Tags: [{Key: a, Value: !GetAtt Other.Arn.Part}]
  Warehouse:
    Type: AWS::RedshiftServerless::Namespace
    DeletionPolicy: Retain
    Properties: {NamespaceName: !Ref Prefix}
  Home:
    Type: AWS::EC2::Volume
    DeletionPolicy: Snapshot
  Other:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "${Prefix}-other"}
"""


def test_it_is_json_with_long_forms_without_metadata_and_with_literal_names_of_what_is_kept():
    sent = json.loads(Template.read(SMALL).body("team", ACCOUNT))
    assert sent["Parameters"]["Prefix"] == {"Type": "String", "Default": "a"}
    assert sent["Resources"] == {
        "Lake": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "RetainExceptOnCreate",
            "Properties": {
                "BucketName": "team-lake-123456789012",
                "Tags": [{"Key": "a", "Value": {"Fn::GetAtt": ["Other", "Arn.Part"]}}],
            },
        },
        "Warehouse": {
            "Type": "AWS::RedshiftServerless::Namespace",
            "DeletionPolicy": "Retain",
            "Properties": {"NamespaceName": "team"},
        },
        "Home": {"Type": "AWS::EC2::Volume", "DeletionPolicy": "Snapshot"},
        "Other": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": {"Fn::Sub": "${Prefix}-other"}},
        },
    }
    assert Template.read(SMALL).kept.keys() == {"Lake", "Warehouse", "Home"}


def without(document: dict, *, names: set[str]) -> dict:
    """The template without what is for people, and without the names of these resources."""
    parameters = {
        name: {key: value for key, value in one.items() if key != "Description"}
        for name, one in document["Parameters"].items()
    }
    resources = {
        name: {key: value for key, value in one.items() if key != "Metadata"}
        for name, one in document["Resources"].items()
    }
    for name in names:
        kept = resources[name]["Properties"].items()
        properties = {key: value for key, value in kept if not key.endswith("Name")}
        resources[name] = {**resources[name], "Properties": properties}
    return {**document, "Parameters": parameters, "Resources": resources}


def test_all_else_of_our_template_is_sent_as_it_is_written():
    names = {"LakeBucket", "UploadBucket", "AccountTable", "Namespace"}
    body = json.loads(Template.ours().body("team", ACCOUNT))
    assert without(body, names=names) == without(template(), names=names)
    assert Template.ours().kept_names("team", ACCOUNT) == {
        "UploadBucket": "team-uploads-123456789012",
        "LakeBucket": "team-lake-123456789012",
        "Namespace": "team",
        "AccountTable": "team-CustomerAccount",
    }


def test_what_is_kept_is_known_to_cloudformation_by_the_name_that_is_literal():
    sent = json.loads(Template.ours().body("team", ACCOUNT))["Resources"]
    for resource, name in Template.ours().kept_names("team", ACCOUNT).items():
        (path,) = schema(sent[resource]["Type"])["primaryIdentifier"]
        assert sent[resource]["Properties"][path.removeprefix("/properties/")] == name


def test_our_template_fits_with_the_longest_prefix():
    assert len(Template.ours().body("a-prefix-of-20-chars", ACCOUNT).encode()) <= MOST_BYTES


def test_the_page_says_how_many_resources_are_made_deleted_and_kept():
    made, kept = Stack({"NoticesEmail": "ann@example.com"}).resources, Template.ours().kept
    stay = len(kept.keys() & made.keys())
    page = (TEMPLATE.parents[1] / "docs/aws.md").read_text()
    assert f"\nstack crypto-assets: {len(made)} create\n" in page
    assert f"\nstack crypto-assets: {len(made) - stay} delete, {stay} keep\n" in page


def test_a_template_that_cloudformation_does_not_take_is_refused_with_its_size():
    large = Template.read(SMALL + "Description: " + "x" * MOST_BYTES)
    with pytest.raises(RefusedError, match=r"has 5\d,\d{3} bytes as JSON .* accepts 51,200"):
        large.body("team", ACCOUNT)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("WithGleu=yes", "--set WithGleu: the template has no such parameter: did you mean Wi"),
        ("xyz=1", "--set xyz: the template has no such parameter: there are WithGlue"),
        ("WithGlue", "--set WithGlue: NAME=VALUE is wanted"),
        ("Prefix=team", "the prefix is given by --prefix"),
    ],
)
def test_a_parameter_that_is_none_is_named_with_the_one_that_was_meant(word, said):
    with pytest.raises(UsageError) as caught:
        Template.read(SMALL).given([word])
    assert str(caught.value).startswith(said)


def test_a_parameter_is_as_given_else_as_before_else_the_default():
    small = Template.read(SMALL)
    glue = {"ParameterKey": "WithGlue", "ParameterValue": "a=b"}
    assert small.given(["WithGlue=a=b"]) == {"WithGlue": "a=b"}
    assert small.parameters({"WithGlue": "a=b"}, []) == [glue]
    assert small.parameters({"WithGlue": "a=b"}, ["Prefix", "Gone"]) == [
        {"ParameterKey": "Prefix", "UsePreviousValue": True},
        glue,
    ]
    assert small.parameters({}, []) == []


@pytest.mark.parametrize("prefix", ["", "ab", "Team", "1team", "a-prefix-of-21-chars-", "a_b"])
def test_a_prefix_is_one_that_the_template_takes(prefix):
    pattern = Template.ours().document["Parameters"]["Prefix"]["AllowedPattern"]
    assert pattern == "[a-z][a-z0-9-]{2,19}"
    assert checked_prefix("a-prefix-of-20-chars") == "a-prefix-of-20-chars"
    with pytest.raises(UsageError, match="3 to 20 small letters"):
        checked_prefix(prefix)
