"""Access to AWS: credentials from a key file, clear words for what cannot be used."""

from __future__ import annotations

import pytest

from crypto_assets.resources.aws import Aws, read_key_file
from crypto_assets.resources.errors import UsageError


def test_an_object_goes_there_and_back(aws, bucket):
    client = aws.client("s3")
    client.put_object(Bucket=bucket, Key="a/b", Body=b"content")
    assert client.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"content"


def test_a_key_file_of_the_console_is_who_asks(ministack, credentials, write):
    path = write("key.csv", "\ufeffAccess key ID,Secret access key\r\nAKIAOTHER,hidden/+=\r\n")
    client = Aws(region="eu-central-1", endpoint_url=ministack, key_file=path).client("s3")
    assert client._request_signer._credentials.access_key == "AKIAOTHER"
    client.list_buckets()


def test_credentials_that_were_renewed_are_found_by_who_asks_next(credentials, write, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for key in ("AKIAOLD", "AKIANEW"):
        path = write("shared", f"[default]\naws_access_key_id = {key}\naws_secret_access_key = x\n")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
        client = Aws(region="eu-central-1").client("s3")
        assert client._request_signer._credentials.access_key == key


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "Access key ID,Secret access key\nAKIA,\n"])
def test_a_key_file_that_is_none_is_refused_without_showing_it(write, content):
    path = write("key.csv", content)
    with pytest.raises(UsageError, match="download the access key again") as refused:
        read_key_file(path)
    assert "AKIA" not in str(refused.value)


def test_an_unknown_profile_is_reported(credentials):
    with pytest.raises(UsageError, match="nobody"):
        Aws(profile="nobody").client("s3")
