"""A warehouse in the double of Redshift, and files to load into it."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from crypto_assets.resources.aws import Aws
from crypto_assets.resources.storage.lake import LoadFile
from crypto_assets.resources.storage.s3 import S3Objects
from crypto_assets.resources.warehouse.redshift import RedshiftWarehouse
from crypto_assets_tests.aws.warehouse.rows import Load, table
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.redshift_double import ROLE, RedshiftDouble
from crypto_assets_tests.doubles.router import Router, routing
from crypto_assets_tests.helpers.roles import Admin
from crypto_assets_tests.helpers.waiting import HANG_S


@pytest.fixture
def double(redshift: RedshiftDouble) -> RedshiftDouble:
    """A double whose warehouse is empty."""
    redshift.reset()
    return redshift


@pytest.fixture
def router(ministack: str, credentials: None, double: RedshiftDouble) -> Iterator[Router]:
    with routing(ministack, {"redshift-data": double.url}) as router:
        yield router


@pytest.fixture
def make(router: Router, bucket: str, tmp_path: Path) -> Callable[..., RedshiftWarehouse]:
    def key_file(key: str) -> Path | None:
        path = tmp_path / f"{key}.csv"
        path.write_text(f"Access key ID,Secret access key\n{key},made-up-secret\n")
        return path if key else None

    def make_warehouse(*, lake: str = f"s3://{bucket}/lake", key: str = "", **settings: object):
        defaults = {
            "workgroup": "analytics",
            "role_arn": ROLE,
            "poll_seconds": 0.02,
            "time_limit_s": HANG_S,
        }
        aws = Aws(region=REGION, endpoint_url=router.url, key_file=key_file(key))
        objects = S3Objects(aws=aws, root=lake, locks=str(tmp_path / "locks"))
        return RedshiftWarehouse(aws=aws, objects=objects, **{**defaults, **settings})

    return make_warehouse


@pytest.fixture
def warehouse(make) -> RedshiftWarehouse:
    return make()


@pytest.fixture
def ready(warehouse: RedshiftWarehouse, double: RedshiftDouble) -> RedshiftWarehouse:
    """A warehouse that has its tables, and of whose making nothing is counted."""
    warehouse.fix((), lambda _: None)
    double.calls.clear()
    double.statements.clear()
    return warehouse


@pytest.fixture
def put(admin: Admin, bucket: str) -> Callable[[str, pa.Table | bytes], LoadFile]:
    """Puts one ticker's file into S3."""
    s3, numbers = admin.client("s3"), itertools.count()

    def put_file(ticker: str, rows: pa.Table | bytes) -> LoadFile:
        body, count = rows, 3
        if isinstance(rows, pa.Table):
            parquet.write_table(rows, stream := io.BytesIO())
            body, count = stream.getvalue(), len(rows)
        key = f"load/ticker={ticker}/{next(numbers)}.parquet"
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        return LoadFile(f"s3://{bucket}/{key}", len(body), count)

    return put_file


@pytest.fixture
def load(put) -> Load:
    """Puts files of so many days, each at one price, and returns them by ticker."""

    def put_files(*tickers: str, price: float = 1.0, days: int = 3) -> dict[str, LoadFile]:
        return {ticker: put(ticker, table(ticker, price, days)) for ticker in tickers}

    return put_files
