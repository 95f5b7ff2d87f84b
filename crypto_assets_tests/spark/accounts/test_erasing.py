"""A drop without one customer: his rows go, all else stays byte for byte."""

from __future__ import annotations

import pytest

from crypto_assets.spark.accounts.erasing import without_customer

HEADER = "customer_id,first_name,last_name,gender,state\n"


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        (HEADER + "7,a,b,c,d\n70,a,b,c,d\n", HEADER + "70,a,b,c,d\n", 1),
        (HEADER + ' 007 ,a,b,c,d\n8,a,"x\ny",c,d\n+7,a,b,c,d', HEADER + '8,a,"x\ny",c,d\n', 2),
        (HEADER + '7,"two\r\nlines",b,c,d\r\n\r\n9,é,b,c,d\r\n', HEADER + "\r\n9,é,b,c,d\r\n", 1),
        (HEADER + "70,7,7,7,7\n", HEADER + "70,7,7,7,7\n", 0),
        ("\ufeff\n" + HEADER + "7,a,b,c,d\n", "\ufeff\n" + HEADER, 1),
        ("7,a,b,c,d\n8,a,b,c,d\n", "8,a,b,c,d\n", 1),
        ("state;customer_id;first_name;last_name;gender\nNJ;7;a;b;c\nNJ;1;a;b;c\n",
         "state;customer_id;first_name;last_name;gender\nNJ;1;a;b;c\n", 1),
    ],
)  # fmt: skip
def test_only_the_rows_of_the_customer_go(before, after, rows):
    assert without_customer(before.encode(), "customers", 7) == (after.encode(), rows)


def test_a_negative_id_is_another_one():
    content = (HEADER + "-7,a,b,c,d\n7,a,b,c,d\n").encode()
    assert without_customer(content, "customers", -7)[0] == (HEADER + "7,a,b,c,d\n").encode()


def test_of_a_file_that_is_no_table_nothing_stays_if_the_id_is_in_it():
    broken = (HEADER + '7,"never closed,b,c,d\n8,a,b,c,d\n').encode()
    assert without_customer(broken, "customers", 7) == (b"", 1)
    assert without_customer(broken, "customers", 77) == (broken, 0)
