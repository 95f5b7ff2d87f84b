"""The double of Redshift: as strict as the service where the warehouse relies on it."""

from __future__ import annotations

import io
import json
import uuid

import boto3
import pyarrow as pa
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from pyarrow import parquet

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.redshift_double import ENDED, ROLE, serving_redshift
from crypto_assets_tests.helpers.waiting import HANG_S, until

PLACE = {"WorkgroupName": "analytics", "Database": "dev"}
TABLE = "CREATE TABLE market_data.t (a VARCHAR(3), b DOUBLE PRECISION) DISTKEY (a) SORTKEY (a, b)"


@pytest.fixture(scope="module")
def started(ministack):
    with serving_redshift(ministack) as double:
        yield double


@pytest.fixture
def double(started):
    started.reset()
    started.delay_s = 0.01
    return started


@pytest.fixture
def client(double, credentials):
    """A client that tries once."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 1})
    place = {"region_name": REGION, "endpoint_url": double.url}
    return boto3.client("redshift-data", config=config, **place)


def ended(client, statement):
    def described():
        found = client.describe_statement(Id=statement)
        return found if found["Status"] in ENDED else None

    return until("its end", described)


def batch(client, *sqls):
    return ended(client, client.batch_execute_statement(Sqls=list(sqls), **PLACE)["Id"])


def single(client, sql):
    return ended(client, client.execute_statement(Sql=sql, **PLACE)["Id"])


def refusal(call, **request):
    with pytest.raises(ClientError) as refused:
        call(**request)
    return refused.value.response["Error"]["Code"]


def test_statements_walk_through_their_states(client, double):
    double.delay_s = 0.1
    states = ["SUBMITTED", "PICKED", "STARTED", "FINISHED"]
    seen: set[str] = set()

    def walked():
        """Whether each state has been seen by now: a look may come too late for one."""
        statement, walk = client.execute_statement(Sql="SELECT 1", **PLACE)["Id"], []
        while walk[-1:] != ["FINISHED"]:
            state = client.describe_statement(Id=statement)["Status"]
            walk += [state] if state not in walk else []
        assert walk == [state for state in states if state in walk]
        seen.update(walk)
        return seen == set(states)

    until("every state", walked)
    assert double.calls["ExecuteStatement"] == len(double.statements)


def test_a_batch_is_one_transaction_with_numbered_statements(client):
    described = batch(client, "CREATE SCHEMA market_data", TABLE, "SELECT nothing", "SELECT 1")
    assert described["Status"] == "FAILED"
    assert described["Error"] == 'Query #3 failed with ERROR: column "nothing" does not exist'
    parts = described["SubStatements"]
    assert [part["Status"] for part in parts] == ["FINISHED", "FINISHED", "FAILED", "ABORTED"]
    assert [part["Id"] for part in parts] == [f"{described['Id']}:{n}" for n in (1, 2, 3, 4)]
    assert single(client, "SELECT * FROM market_data.t")["Status"] == "FAILED"


def test_results_come_typed_and_in_pages(client, double):
    sql = "SELECT 'a' AS t, CAST(NULL AS DATE) AS d, 1.5::float8 AS f, TRUE AS b, 3 AS i"
    described = batch(client, "SELECT 1", sql)
    page = client.get_statement_result(Id=f"{described['Id']}:2")
    assert [column["typeName"] for column in page["ColumnMetadata"]] == [
        *("varchar", "date", "float8", "bool", "int4")
    ]
    assert page["Records"] == [
        [
            {"stringValue": "a"},
            {"isNull": True},
            {"doubleValue": 1.5},
            {"booleanValue": True},
            {"longValue": 3},
        ]
    ]
    rows = " UNION ALL ".join(f"SELECT {number}" for number in range(250))
    many = single(client, rows)["Id"]
    pages = list(client.get_paginator("get_statement_result").paginate(Id=many))
    assert [len(page["Records"]) for page in pages] == [100, 100, 50]
    assert refusal(client.get_statement_result, Id=many, NextToken="x") == "ValidationException"


def test_there_is_no_result_before_the_end_nor_of_a_batch_as_a_whole(client, double):
    none = "ResourceNotFoundException"
    described = batch(client, "SELECT 1", "CREATE SCHEMA market_data")
    for statement in (described["Id"], f"{described['Id']}:2", f"{described['Id']}:3"):
        assert refusal(client.get_statement_result, Id=statement) == none
    double.fail_next("hang")
    waiting = client.execute_statement(Sql="SELECT 1", **PLACE)["Id"]
    assert refusal(client.get_statement_result, Id=waiting) == none
    assert client.cancel_statement(Id=waiting)["Status"]
    assert ended(client, waiting)["Status"] == "ABORTED"
    assert refusal(client.cancel_statement, Id=waiting) == "ValidationException"
    for call in (client.describe_statement, client.cancel_statement, client.get_statement_result):
        assert refusal(call, Id=str(uuid.uuid4())) == none


def test_a_running_statement_is_cancelled_and_leaves_nothing(client):
    statement = client.batch_execute_statement(
        Sqls=["CREATE SCHEMA market_data", f"SELECT pg_sleep({HANG_S})"], **PLACE
    )["Id"]

    def begun():
        return client.describe_statement(Id=statement)["SubStatements"][1]["Status"] == "STARTED"

    until("its second part", begun)
    client.cancel_statement(Id=statement)
    assert ended(client, statement)["Status"] == "ABORTED"
    assert single(client, "CREATE SCHEMA market_data")["Status"] == "FINISHED"


def test_a_token_stands_for_one_statement(client, double):
    start = client.execute_statement
    first = start(Sql="SELECT 1", ClientToken="one", **PLACE)["Id"]
    assert start(Sql="SELECT 1", ClientToken="one", **PLACE)["Id"] == first
    assert refusal(start, Sql="SELECT 2", ClientToken="one", **PLACE) == "ValidationException"
    assert start(Sql="SELECT 1", ClientToken="two", **PLACE)["Id"] != first
    assert len(double.statements) == 2


@pytest.mark.parametrize(
    "request_",
    [
        {"Sqls": ["SELECT 1"] * 41, **PLACE},
        {"Sqls": [f"SELECT '{'x' * 100_000}'"], **PLACE},
        {"Sqls": ["SELECT 1"], **PLACE, "WorkgroupName": "elsewhere"},
        {"Sqls": ["SELECT 1"], **PLACE, "WorkgroupName": "No_Name"},
        {"Sqls": ["SELECT 1"], "WorkgroupName": "analytics"},
        {"Sqls": ["SELECT 1"], **PLACE, "ClientToken": "x" * 65},
        {"Sqls": ["SELECT 1"], **PLACE, "ExecutionMode": "SOMEHOW"},
    ],
)
def test_a_request_that_the_service_would_refuse_is_refused(client, request_):
    call = client.batch_execute_statement
    assert refusal(call, **request_) == "ValidationException"


@pytest.mark.parametrize("code", ["ThrottlingException", "ActiveStatementsExceededException"])
def test_requests_are_refused_where_a_test_wants_it(client, double, code):
    double.fail_next(code)
    assert refusal(client.execute_statement, Sql="SELECT 1", **PLACE) == code
    assert double.statements == {}


_PROCEDURE = "CREATE PROCEDURE market_data.p() AS $$ BEGIN {} END; $$ LANGUAGE plpgsql"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM (VALUES (1), (2)) AS v", "VALUES lists"),
        ("SELECT unnest('{1,2}'::int[])", "arrays"),
        ("SELECT ARRAY[1, 2]", "arrays"),
        ("INSERT INTO market_data.t VALUES ('a', 1) ON CONFLICT DO NOTHING", "ON CONFLICT"),
        ("INSERT INTO market_data.t VALUES ('a', 1) RETURNING a", "RETURNING"),
        ("CREATE INDEX i ON market_data.t (a)", "indexes"),
        ("CREATE VIEW IF NOT EXISTS market_data.v AS SELECT 1", "IF NOT EXISTS"),
        (_PROCEDURE.format("PERFORM 1;"), "PERFORM"),
        (_PROCEDURE.format("EXECUTE 'SELECT 1' USING 1;"), "USING"),
        ("DO $$ BEGIN END $$", "DO"),
        ("SELECT string_agg(a, ',') FROM market_data.t", "this function"),
        ("SELECT count(*) FILTER (WHERE b > 0) FROM market_data.t", "FILTER"),
        (
            "SELECT viewname FROM pg_views JOIN market_data.prices ON ticker = viewname",
            "Specified types or functions",
        ),
        ("SELECT 1; SELECT 2", "multiple commands"),
        ("TRUNCATE market_data.t", "ends the transaction"),
        ("COMMIT", "ends the transaction"),
        ("ALTER TABLE market_data.t APPEND FROM market_data.u", "cannot run inside"),
        ("COPY market_data.t FROM STDIN", "syntax error in COPY"),
        ("COPY market_data.t FROM 's3://b/m' FORMAT AS PARQUET MANIFEST", "syntax error in COPY"),
        (
            "COPY market_data.t FROM 's3://b/m' IAM_ROLE default FORMAT AS CSV MANIFEST",
            "syntax error in COPY",
        ),
    ],
)
def test_sql_that_redshift_lacks_or_that_breaks_a_batch_is_refused(client, sql, words):
    batch(client, "CREATE SCHEMA market_data", TABLE, "CREATE TABLE market_data.u (a INT)")
    assert words in batch(client, "SELECT 1", sql)["Error"]


@pytest.fixture
def copy(client, admin, bucket):
    """Copies one file by a manifest; returns what became of it and the rows that are there."""
    s3 = admin.client("s3")

    def put(key, body):
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}/{key}"

    def copy_file(rows, *, role=ROLE, entry=lambda entry: entry, manifest=None):
        parquet.write_table(rows, stream := io.BytesIO())
        body = stream.getvalue()
        listed = {
            "url": put("f", body),
            "mandatory": True,
            "meta": {"content_length": len(body)},
        }
        text = json.dumps({"entries": [entry(listed)]}) if manifest is None else manifest
        described = batch(
            client,
            "CREATE SCHEMA IF NOT EXISTS market_data",
            TABLE,
            f"COPY market_data.t FROM '{put('m', text.encode())}' IAM_ROLE '{role}' "
            "FORMAT AS PARQUET MANIFEST",
            "SELECT a, b FROM market_data.t",
        )
        if described["Status"] == "FAILED":
            return described["Error"]
        return client.get_statement_result(Id=f"{described['Id']}:4")["Records"]

    return copy_file


def rows(**columns):
    return pa.table({"x": ["abc", None], "y": pa.array([1.5, None]), **columns})


def test_copy_takes_columns_by_position(copy):
    assert copy(rows()) == [
        [{"stringValue": "abc"}, {"doubleValue": 1.5}],
        [{"isNull": True}, {"isNull": True}],
    ]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (rows(y=pa.array([1.5, 2.5], pa.float32())), "incompatible Parquet schema"),
        (rows(y=pa.array([1, 2])), "incompatible Parquet schema"),
        (rows(x=pa.array([b"a", b"b"])), "incompatible Parquet schema"),
        (rows().select(["y", "x"]), "incompatible Parquet schema"),
        (rows(z=[1, 2]), "has 3 columns, the table to load has 2"),
        (rows().select(["x"]), "has 1 columns"),
        (rows(x=["abcd", "a"]), "longer than the column"),
    ],
)
def test_copy_is_strict_about_types_and_columns(copy, table, words):
    assert "Spectrum Scan Error" in (error := copy(table))
    assert words in error


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"role": "arn:aws:iam::123456789012:role/x"}, "not authorized to assume IAM Role"),
        ({"entry": lambda entry: {"url": entry["url"]}}, "without meta.content_length"),
        (
            {"entry": lambda entry: {**entry, "meta": {"content_length": 1}}},
            "content_length is 1",
        ),
        ({"entry": lambda entry: {**entry, "url": entry["url"] + "gone"}}, "NoSuchKey"),
        ({"manifest": "{"}, "Problem reading manifest file"),
        ({"manifest": '{"files": []}'}, "Problem reading manifest file"),
    ],
)
def test_copy_is_strict_about_its_manifest_and_role(copy, settings, words):
    assert words in copy(rows(), **settings)
