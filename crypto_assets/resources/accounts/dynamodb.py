"""The store of the customer accounts on AWS: a table of DynamoDB, written 25 items at a time.

Here is what a change becomes there and how requests are sent; in which order a store writes, and
what it promises, is in `store`. What reads the table's stream is in `deploy/lambda`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from crypto_assets.resources.accounts.store import STEP, AccountStore, Item, uniform
from crypto_assets.resources.aws import THROTTLED, Aws, aws_errors, error_code
from crypto_assets.resources.errors import ConflictError, UsageError
from crypto_assets.resources.progress import progress
from crypto_assets.resources.settings import Settings
from crypto_assets.spark.accounts.tables import ITEM

if TYPE_CHECKING:
    import pyarrow as pa

WRITTEN_AT_ONCE = 25
WORKERS = 16
TRIES = 10  # for what DynamoDB leaves unwritten: up to a minute in all
_LONGEST_WAIT_S = 20
_PART_ROWS = 10_000  # this many items are in memory at a time
_SEGMENTS = 8
_HASH, _RANGE = "AccountNumber", "CreatedAtYear"
_KEY = {(_HASH, "HASH", "S"), (_RANGE, "RANGE", "N")}
# The attributes of an item, their type and the column of the changes they come from.
_ATTRIBUTES = tuple(
    (
        "".join(word.title() for word in column.name.split("_")),
        "N" if column.type == "int" else "S",
        column.name,
    )
    for column in ITEM
)
_PARSERS: dict[str, Callable[[str], Any]] = {"int": int, "timestamp": datetime.fromisoformat}
_FROM_TEXT = {column.name: _PARSERS.get(column.type, str) for column in ITEM}
_MISSING = "ResourceNotFoundException"
_DENIED = "AccessDeniedException"


@dataclass(frozen=True, kw_only=True)
class DynamoDBAccountStore(AccountStore):
    """A store in a table of DynamoDB."""

    kind = "dynamodb"

    aws: Aws
    table: str = "CustomerAccount"

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(aws=Aws.of(settings), table=settings.aws.account_table)

    def apply(self, changes: Iterator[pa.RecordBatch], total: int) -> None:
        """As `AccountStore.apply`; readers see the accounts change one by one."""
        with ThreadPoolExecutor(WORKERS) as pool:
            for batch in uniform(changes):
                for start in range(0, batch.num_rows, _PART_ROWS):
                    part = batch.slice(start, _PART_ROWS)
                    self._write(pool, [{"PutRequest": {"Item": item}} for item in items(part)])
                    self._write(pool, [_deletion(key) for key in left_behind(part)])
                    progress(STEP, part.num_rows, total)

    def get(self, account_number: str) -> list[Item]:
        with self._asking("dynamodb:Query"):
            found = self._client.query(
                TableName=self.table,
                KeyConditionExpression=f"{_HASH} = :number",
                ExpressionAttributeValues={":number": {"S": account_number}},
                ConsistentRead=True,
            )
        return [_item(attributes) for attributes in found["Items"]]

    def forget(self, customer_id: int) -> int:
        """As `AccountStore.forget`; reads the whole table, since its key knows no customers."""
        with ThreadPoolExecutor(WORKERS) as pool:
            search = partial(self._keys_of, self._client, customer_id)
            found = pool.map(search, range(_SEGMENTS))
            keys = list(chain.from_iterable(found))
            self._write(pool, [_deletion(key) for key in keys])
        return len(keys)

    def check(self) -> str:
        """Says what the table is like; one that is not there, only customer accounts need.

        Raises `UsageError` if it is another kind of table.
        """
        from botocore.exceptions import ClientError

        try:
            with self._asking("dynamodb:DescribeTable", but=(_MISSING, _DENIED)):
                table = self._client.describe_table(TableName=self.table)["Table"]
        except ClientError as error:
            if error_code(error) == _DENIED:
                return f"{self.table}: not checked: allow dynamodb:DescribeTable"
            return f"{self.table} is not there; customer accounts need it: {self._creation}"
        types = {
            one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]
        }
        key = {
            (one["AttributeName"], one["KeyType"], types[one["AttributeName"]])
            for one in table["KeySchema"]
        }
        if key != _KEY:
            shown = ", ".join(" ".join(part) for part in sorted(key))
            raise UsageError(
                f"{self.table} has another key ({shown}): name another table by "
                f"CRYPTO_ASSETS_AWS_ACCOUNT_TABLE, or delete this one and make it anew: "
                f"{self._creation}"
            )
        stream = table.get("StreamSpecification", {}).get("StreamViewType", "none")
        status = table["TableStatus"].lower()
        return f"{self.table}, {status}, about {table['ItemCount']:,} items, stream: {stream}"

    def _write(self, pool: ThreadPoolExecutor, requests: list[dict[str, Any]]) -> None:
        """Sends the requests, no two of which are for the same key."""
        starts = range(0, len(requests), WRITTEN_AT_ONCE)
        send = partial(self._send, self._client)  # made here: clients are not made in threads
        for _ in pool.map(send, (requests[n : n + WRITTEN_AT_ONCE] for n in starts)):
            pass  # raises what a batch raised; those that were not begun are dropped then

    def _send(self, client: Any, requests: list[dict[str, Any]]) -> None:
        left = requests
        for attempt in Retrying(
            retry=retry_if_exception(_gets_too_much),
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=0.1, max=_LONGEST_WAIT_S),
            reraise=True,
        ):
            with attempt:
                left = self._sent(client, left)
                if left:
                    raise ConflictError(
                        f"DynamoDB left {len(left)} of {len(requests)} items unwritten, {TRIES} "
                        f"times in a row: {self.table} gets more than it takes: run again later"
                    )

    def _sent(self, client: Any, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What DynamoDB left undone of these requests."""
        with self._asking("dynamodb:BatchWriteItem"):
            answer = client.batch_write_item(RequestItems={self.table: requests})
        return list(answer.get("UnprocessedItems", {}).get(self.table, ()))

    def _keys_of(self, client: Any, customer_id: int, segment: int) -> list[dict[str, Any]]:
        """The keys of the customer's items in one of the table's segments."""
        pages = client.get_paginator("scan").paginate(
            TableName=self.table,
            Segment=segment,
            TotalSegments=_SEGMENTS,
            FilterExpression="CustomerId = :customer",
            ExpressionAttributeValues={":customer": {"N": str(customer_id)}},
            ProjectionExpression=f"{_HASH}, {_RANGE}",
            ConsistentRead=True,
        )
        with self._asking("dynamodb:Scan"):
            return [key for page in pages for key in page["Items"]]

    def _asking(self, action: str, but: tuple[str, ...] = ()) -> AbstractContextManager[None]:
        return aws_errors(
            permission=f"allow {action} on table {self.table}",
            name=f"name a table that is there by CRYPTO_ASSETS_AWS_ACCOUNT_TABLE, or make it: "
            f"{self._creation}",
            but=but,
        )

    @property
    def _creation(self) -> str:
        """The command that makes the table."""
        return (
            f"`aws dynamodb create-table --table-name {self.table} --attribute-definitions "
            f"AttributeName={_HASH},AttributeType=S AttributeName={_RANGE},AttributeType=N "
            f"--key-schema AttributeName={_HASH},KeyType=HASH AttributeName={_RANGE},KeyType=RANGE "
            "--billing-mode PAY_PER_REQUEST --stream-specification "
            "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES "
            f"--region {self._client.meta.region_name}`"
        )

    @cached_property
    def _client(self) -> Any:
        return self.aws.client("dynamodb", checked=False)


def items(changes: pa.RecordBatch) -> list[dict[str, Any]]:
    """The item of each change, as DynamoDB's own types; what is null is left out.

    One that leaves an item of another year behind says so: the table's stream shows it as new.
    """
    import pyarrow.compute as pc

    restored = pc.equal(changes.column("operation"), "restore")
    years = changes.column("previous_year")
    columns = [(name, kind, changes.column(column)) for name, kind, column in _ATTRIBUTES]
    columns.append(("RestoredFromYear", "N", pc.if_else(restored, years, None)))
    columns.append(("MovedFromYear", "N", pc.if_else(restored, None, years)))
    # Column by column: a question for each value of a column without nulls takes most of the time.
    whole = {name: _typed(column, kind) for name, kind, column in columns if not column.null_count}
    made = [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]
    for name, kind, column in columns:
        if 0 < column.null_count < len(column):
            for item, value in zip(made, _typed(column, kind), strict=True):
                if value:
                    item[name] = value
    return made


def _typed(column: pa.Array, kind: str) -> list[dict[str, str] | None]:
    """The values of a column as DynamoDB wants them: each as text, with its type.

    Equal ones share an object: most columns have few values, and making objects takes the time.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = column.cast(pa.string())
    if pa.types.is_timestamp(column.type):  # 2020-01-31 12:00:00.000
        joined = pc.utf8_replace_slice(texts, start=10, stop=11, replacement="T")
        texts = pc.binary_join_element_wise(joined, "Z", "")
    encoded = texts.dictionary_encode()
    values = [{kind: text} for text in encoded.dictionary.to_pylist()]
    return [None if n is None else values[n] for n in encoded.indices.to_pylist()]


def left_behind(changes: pa.RecordBatch) -> list[dict[str, Any]]:
    """The keys of the items that accounts leave behind because their year changed."""
    moved = changes.filter(changes.column("previous_year").is_valid())
    columns = [moved.column(name).to_pylist() for name in ("account_number", "previous_year")]
    return [
        {_HASH: {"S": number}, _RANGE: {"N": str(year)}}
        for number, year in zip(*columns, strict=True)
    ]


def _gets_too_much(error: BaseException) -> bool:
    """Whether the table lags behind: boto3 gives up when too many of its threads hear so."""
    return isinstance(error, ConflictError) or bool(THROTTLED.search(error_code(error.__cause__)))


def _deletion(key: Mapping[str, Any]) -> dict[str, Any]:
    return {"DeleteRequest": {"Key": key}}


def _item(attributes: Mapping[str, Mapping[str, str]]) -> Item:
    values: dict[str, Any] = {}
    for name, kind, column in _ATTRIBUTES:
        text = attributes.get(name, {}).get(kind)
        values[column] = text if text is None else _FROM_TEXT[column](text)
    return Item(**values)
