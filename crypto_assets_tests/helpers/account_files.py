"""Two small files of customer accounts, with an oddity in nearly every row."""

from __future__ import annotations

NAME = "20261121T153627Z-3fa9c1d2"
"""A snapshot's name."""

ONE = "0b8e1b6a-0f5c-4b9e-8b0b-3d3c5b6e7f80"
TWO = "1b8e1b6a-0f5c-4b9e-8b0b-3d3c5b6e7f80"

CUSTOMERS = """\
customer_id,firstname,last_name,gender,state
3,José,"García, Jr.",Male,"Washington, D.C."
1,Seán,O'Brien,,wa
,,,,

1,Seán,O'Brien,,Washington
4,Ann,Lee,Female,New Jerse
,Bob,Low,Male,TX
"""
ACCOUNTS = f"""\
customer_id,account_number,type_of_account,created_at
3,{TWO.upper()},saving,2020-12-31T23:59:59.999Z
1,,legacy,2020-05-01T00:00:00.000Z
1,,legacy,2019-05-01T00:00:00.000Z
1,,,
9,{ONE},trading,2020-01-01T00:00:00.000Z
,,forex,2020-01-01T00:00:00.000Z
"""
