"""Which of two kinds of drop a file is, or neither: a price history or a trend never is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_assets.spark.accounts.reading import kind_of
from crypto_assets_tests.helpers.exports_text import history_csv, trend_csv

SAMPLES = Path(__file__).parents[3] / "sample_data"
EXPORTS = sorted(path for path in SAMPLES.rglob("*.csv") if path.parent.name != "accounts")


@pytest.mark.parametrize("name", ["customers.csv", "accounts.csv", "anything.csv"])
@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("customer_id,first_name,last_name,gender,state", "customers"),
        ("\ufeffCUSTOMER_ID;FirstName;LastName;Gender;State", "customers"),
        ("\n\nstate\tcustomer id\tbalance", "customers"),
        ("customer_id,account_number,type_of_account,created_at", "accounts"),
        ('"account_number","balance"', "accounts"),
        ("customer_id|created_at", "accounts"),
        ("created_at,type_of_account,customer_id,state", "accounts"),
        ("customer_id,gender,state,created_at", "customers"),
        ("customer_id,state,created_at", None),
        ("customer_id,balance", None),
        ("created_at,price", None),
        ("state,gender", None),
    ],
)
def test_the_header_tells_whatever_the_name(header, kind, name):
    assert kind_of(f"{header}\n1,2,3,4,5\n".encode(), name) == kind


def test_a_file_in_utf_16_is_recognised_so_that_its_encoding_is_what_is_refused():
    header = "customer_id,account_number,type_of_account,created_at\r\n"
    assert kind_of(header.encode("utf-16"), "x.csv") == "accounts"


@pytest.mark.parametrize(
    ("line", "name", "kind"),
    [
        ("Nummer,Vorname,Nachname,Geschlecht,Land", "customers.csv", "customers"),
        ("Nummer,Vorname,Nachname,Geschlecht,Land", "2024-11 bank_customers (1).csv", "customers"),
        ("Nummer,Konto,Art,Anlage", "BankAccounts.csv", "accounts"),
        ("Nummer,Konto,Art,Anlage", "customers.csv", None),
        ("Nummer,Vorname,Nachname,Geschlecht,Land", "accounts.csv", None),
        ("Nummer,Vorname,Nachname,Geschlecht,Land", "data.csv", None),
        ("Nummer,Konto,Art,Anlage", "accountsoverview.csv", None),
        ("1,Ann,Lee,f,Utah", "customers.csv", "customers"),
        ("1;;legacy;2020-01-02T03:04:05.678Z", "accounts.csv", "accounts"),
        ("Date,Open,High,Low,Close", "customers.csv", None),
        ("Fecha;Apertura;Maximo;Minimo", "accounts.csv", None),
        ("1502942400,4261.48,4313.62,4261.32,4308.83", "customers.csv", None),
        ("2024-01-01,42280.1,42800.2,42000.3", "accounts.csv", None),
        ("", "customers.csv", None),
        ("\0\0,\0,\0,\0", "accounts.csv", None),
    ],
)
def test_without_a_known_header_the_name_and_the_number_of_columns_tell(line, name, kind):
    assert kind_of(line.encode(), name) == kind


@pytest.mark.parametrize("name", ["customers.csv", "accounts.csv", "my accounts and customers.csv"])
def test_no_price_history_or_trend_is_a_drop_even_if_it_is_called_one(name):
    heads = [path.read_bytes()[:65_536] for path in EXPORTS]
    heads += [history_csv().encode(), trend_csv("btc").encode()]
    assert len(heads) > 10
    assert {kind_of(head, name) for head in heads} == {None}


@pytest.mark.parametrize("kind", ["customers", "accounts"])
def test_the_samples_are_recognised(kind):
    assert kind_of((SAMPLES / "accounts" / f"{kind}.csv").read_bytes(), "drop.csv") == kind
