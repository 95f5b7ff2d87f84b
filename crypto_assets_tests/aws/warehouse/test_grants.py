"""Several identities load one warehouse: what each may do, and who grants it."""

from __future__ import annotations

import io
import re

import pytest
from pyarrow import parquet

from crypto_assets.resources.errors import BusyError, RefusedError
from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.warehouse.redshift_setup import MARKET_DATA
from crypto_assets.spark.accounts.tables import CUSTOMER_ACCOUNTS, WAREHOUSE_ACCOUNTS
from crypto_assets.spark.market_data.tables import PRICES
from crypto_assets.spark.tables import arrow_schema
from crypto_assets_tests.aws.warehouse.rows import prices
from crypto_assets_tests.helpers.roles import LAPTOP_KEY, SERVER_KEY

ANN, SERVER = "IAM:ann", "IAMR:server"
SEES = "SELECT count(*), max(price) FROM market_data."


@pytest.fixture
def ann(make, double):
    """A laptop's warehouse: its database user may create schemas."""
    double.add_user(ANN, LAPTOP_KEY)
    with double.connect() as connection:
        connection.execute(f'GRANT CREATE ON DATABASE postgres TO "{ANN}"')
    return make(key=LAPTOP_KEY)


@pytest.fixture
def server(make, double):
    """A server's warehouse: nobody granted its database user anything."""
    double.add_user(SERVER, SERVER_KEY)
    return make(key=SERVER_KEY)


def fixed(warehouse, *publishers):
    """The SQL that the fix of this warehouse runs."""
    shown = []
    warehouse.fix(publishers, shown.append)
    return shown


def sent(double, text):
    """How many statements with this text were sent."""
    parts = [part.sql for statement in double.statements.values() for part in statement.parts]
    return sum(text in sql for sql in parts)


def procedures(double):
    return sent(double, "CREATE OR REPLACE PROCEDURE")


def test_two_identities_publish_and_remove_in_turn(ann, server, load):
    assert ann.replace(load("BTC"))[1] == {}
    fixed(ann, SERVER)
    assert server.replace(load("BTC", "ETH", price=2.0))[1] == {}
    assert ann.replace(load("ETH", "XMR", price=3.0))[1] == {}
    for warehouse in (ann, server):
        seen = [warehouse.query(SEES + ticker)[1] for ticker in ("btc", "eth", "xmr")]
        assert seen == [[(3, 2.0)], [(3, 3.0)], [(3, 3.0)]]
        assert "9 rows of 3 currencies" in warehouse.check()
    server.remove("BTC")
    ann.remove("ETH")
    assert prices(server) == {"XMR": (3, 3.0, 3.0)}
    assert server.replace(load("BTC"))[1] == {}
    assert ann.query(SEES + "btc")[1] == [(3, 1.0)]


def test_two_identities_replace_the_accounts_in_turn(ann, server, admin, bucket):
    rows = arrow_schema(CUSTOMER_ACCOUNTS.file_columns).empty_table()
    parquet.write_table(rows, stream := io.BytesIO())
    admin.client("s3").put_object(
        Bucket=bucket, Key="lake/customer_accounts/a.parquet", Body=stream.getvalue()
    )
    file = LoadFile(f"s3://{bucket}/lake/customer_accounts/a.parquet", len(stream.getvalue()), 0)
    assert ann.load_accounts([file]) is None
    with pytest.raises(RefusedError, match="run `crypto-assets doctor`, which says who has to"):
        server.load_accounts([file])
    fixed(ann, SERVER)
    assert server.load_accounts([file]) is None
    assert (server.forget_customer(1), ann.load_accounts([file])) == (0, None)


def test_who_has_no_grants_is_refused_with_the_name_of_who_can_grant_them(ann, server, load):
    ann.replace(load("BTC"))
    cure = (
        f"database user {ANN} or a superuser runs `crypto-assets doctor --fix --publisher {SERVER}`"
    )
    with pytest.raises(RefusedError, match=f"permission denied for .*: {re.escape(cure)}"):
        server.check()
    with pytest.raises(RefusedError, match=r"permission denied for .*: run `crypto-assets doctor`"):
        server.replace(load("BTC", price=2.0))
    with pytest.raises(RefusedError, match=re.escape(cure)):
        fixed(server, SERVER)
    assert prices(ann) == {"BTC": (3, 1.0, 1.0)}


def test_who_lacks_grants_on_the_accounts_alone_is_refused(ann, server, load, double):
    ann.replace(load("BTC"))
    fixed(ann, SERVER)
    with double.connect() as connection:
        connection.execute(f'REVOKE DELETE ON accounts.customer_accounts FROM "{SERVER}"')
    with pytest.raises(RefusedError, match=f"permission denied for .*--publisher {SERVER}"):
        server.check()


def test_who_may_create_nothing_is_refused_with_the_grant_before_anything_is_there(server, load):
    cure = re.escape(f'a superuser runs GRANT CREATE ON DATABASE dev TO "{SERVER}", or')
    for refused in (server.check, lambda: server.replace(load("BTC"))):
        with pytest.raises(RefusedError, match=cure):
            refused()


def test_a_superuser_makes_all_and_lets_others_publish(warehouse, ann, server, load):
    shown = fixed(warehouse, ANN, SERVER)
    assert shown[0] == "CREATE SCHEMA IF NOT EXISTS market_data"
    tables = "market_data.prices, market_data.last_verdicts"
    assert f'GRANT INSERT, DELETE ON {tables} TO "{SERVER}"' in shown
    assert {sql.split()[0] for sql in shown} == {"CREATE", "COMMENT", "GRANT", "ALTER"}
    assert fixed(warehouse) == []
    assert (ann.replace(load("BTC"))[1], server.replace(load("BTC"))[1]) == ({}, {})
    assert ann.query(SEES + "btc")[1] == [(3, 1.0)]
    assert "3 rows of 1 currencies" in server.check()


def test_a_superuser_grants_what_somebody_else_owns(warehouse, ann, server, load):
    ann.replace(load("BTC"))
    fixed(warehouse, SERVER)
    ann.replace(load("ETH"))
    assert server.query(SEES + "eth")[1] == [(3, 1.0)]


def test_procedures_are_replaced_only_when_they_changed_and_by_their_owner(
    ann, server, load, double
):
    ann.replace(load("BTC"))
    fixed(ann, SERVER)
    made = procedures(double)
    for warehouse in (ann, server):
        warehouse.replace(load("BTC", "ETH"))
    assert procedures(double) == made == len(MARKET_DATA.procedures)
    older = MARKET_DATA.procedures[0].sql.replace("-- version", "-- older version of")
    with double.connect() as connection:
        connection.execute(older)
    with pytest.raises(
        RefusedError, match=f"market_data.sp_finish_batch is missing.*user {ANN} or"
    ):
        server.check()
    with pytest.raises(RefusedError, match=f"database user {ANN} or a superuser runs"):
        server.replace(load("BTC"))
    assert "6 rows of 2 currencies" in ann.check()
    before = procedures(double)
    ann.replace(load("BTC"))
    assert procedures(double) == before + 1
    assert server.replace(load("BTC"))[1] == {}


def test_before_a_job_one_statement_shows_that_loads_are_possible(ann, server, load, double):
    ann.check_load(PRICES)  # which makes what is missing with the first load
    ann.replace(load("BTC"))
    fixed(ann, SERVER)
    for warehouse, looks in ((ann, 1), (server, 2)):
        double.calls.clear()
        for table in (PRICES, WAREHOUSE_ACCOUNTS, PRICES):
            warehouse.check_load(table)
        assert double.calls["BatchExecuteStatement"] == 0
        assert double.calls["ExecuteStatement"] == looks


@pytest.mark.parametrize(
    ("lost", "table", "reason"),
    [
        ("USAGE ON SCHEMA market_data", PRICES, "permission denied for schema market_data"),
        *(
            (f"{right} ON {table.path}", table, "permission denied for relation")
            for right in ("SELECT", "INSERT", "DELETE")
            for table in (PRICES, WAREHOUSE_ACCOUNTS)
        ),
    ],
)
def test_before_a_job_each_grant_that_is_missing_is_reported_with_who_can_give_it(
    ann, server, load, double, lost, table, reason
):
    ann.replace(load("BTC"))
    fixed(ann, SERVER)
    with double.connect() as connection:
        connection.execute(f'REVOKE {lost} FROM "{SERVER}"')
    for _ in range(2):
        with pytest.raises(RefusedError, match=f"{reason}.*: database user {ANN} or .*{SERVER}`"):
            server.check_load(table)
    fixed(ann, SERVER)
    server.check_load(table)


def test_before_a_job_a_schema_and_a_procedure_that_are_missing_are_reported(
    ann, server, load, double
):
    nothing = f'market_data, market_data.prices.* missing: .* GRANT CREATE .* TO "{SERVER}"'
    with pytest.raises(RefusedError, match=nothing):
        server.check_load(PRICES)
    ann.replace(load("BTC"))
    fixed(ann, SERVER)
    with double.connect() as connection:
        connection.execute("DROP PROCEDURE market_data.sp_drop_view(VARCHAR)")
    cure = f"database user {ANN} or a superuser runs `crypto-assets doctor --fix --publ"
    with pytest.raises(RefusedError, match=f"market_data.sp_drop_view is missing: {cure}"):
        server.check_load(PRICES)
    server.check_load(WAREHOUSE_ACCOUNTS)
    ann.check_load(PRICES)


def test_a_workgroup_that_does_not_answer_in_time_is_asked_again(make, double):
    warehouse = make(time_limit_s=0.3)
    double.fail_next("hang")
    with pytest.raises(BusyError, match="has not ended within"):
        warehouse.check_load(PRICES)
    make().check_load(PRICES)


def test_a_check_changes_nothing(ann, load, double):
    ann.replace(load("BTC"))
    ann.check()
    assert prices(ann) == {"BTC": (3, 1.0, 1.0)}
    with double.connect() as connection:
        assert connection.execute(
            "SELECT viewname FROM pg_views WHERE schemaname = 'market_data' ORDER BY viewname"
        ).fetchall() == [("btc",), ("currencies",), ("daily",)]


def test_a_publisher_whom_the_database_does_not_know_yet_is_reported(ann):
    with pytest.raises(RefusedError, match="once that identity has run `crypto-assets doctor`"):
        fixed(ann, "IAM:nobody")


@pytest.mark.parametrize("name", ['x"; DROP TABLE market_data.prices; --', "btc", "", "A" * 21])
def test_the_procedures_of_views_take_nothing_but_tickers(ann, load, double, name):
    ann.replace(load("BTC"))
    with double.connect() as connection, pytest.raises(Exception, match="is no ticker"):
        connection.execute("CALL market_data.sp_drop_view(%s)", (name,))
