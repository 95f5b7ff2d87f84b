"""Reports what changed in the customer accounts: one message for each batch of the stream.

AWS Lambda gives it the records of the DynamoDB stream of table `CustomerAccount`; it publishes
counts and examples to the topic TOPIC_ARN. Standard library and boto3 only, as the runtime has
them. How the function is set up, and what it promises, is in ../README.md.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

LOGGER = logging.getLogger("account_changes")
SHOWN = 10
HAPPENED = ("inserted", "changed", "deleted", "restored")
KEPT_S = 2 * 24 * 3600  # the stream has its records for one day


@dataclass(frozen=True)
class Change:
    """What happened to an account; nothing if it is not to be reported."""

    sequence: str
    account: str
    happened: str | None


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Reports a batch, and which of its records cannot be read.

    Lambda gives the batch again from the lowest of those on. How far it has reported is kept under
    the two records that a batch can begin with when it comes again: its first and that lowest one.
    """
    changes, unreadable = read(event["Records"])
    arrived = sorted([*(change.sequence for change in changes), *unreadable], key=int)
    if not arrived:
        return {"batchItemFailures": []}
    until = _reported_until(arrived[0])
    news = [change for change in changes if change.happened and int(change.sequence) > until]
    if news:
        _publish(news, arrived[0])
        for start in {arrived[0], *sorted(unreadable, key=int)[:1]}:
            _remember(start, arrived[-1])
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in unreadable]}


def read(records: Iterable[Mapping[str, Any]]) -> tuple[list[Change], list[str]]:
    """The changes, and the sequence numbers of the records that cannot be read.

    A record without a sequence number cannot be asked for again: only the log has it.
    """
    changes, unreadable = [], []
    for record in records:
        try:
            sequence = str(record["dynamodb"]["SequenceNumber"])
            int(sequence)
        except (AttributeError, KeyError, TypeError, ValueError):
            LOGGER.exception("a record without a sequence number is left out")
            continue
        try:
            changes.append(Change(sequence, *_read(record)))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            LOGGER.error("record %s cannot be read: %r", sequence, error)  # noqa: TRY400 - no trace
            unreadable.append(sequence)
    return changes, unreadable


def _read(record: Mapping[str, Any]) -> tuple[str, str | None]:
    """The account number and what happened; raises what a record of another shape leads to."""
    event, change = record["eventName"], record["dynamodb"]
    account, year = change["Keys"]["AccountNumber"]["S"], change["Keys"]["CreatedAtYear"]["N"]
    int(year)
    if not isinstance(account, str):
        raise TypeError("AccountNumber")
    if event == "REMOVE":  # left behind by an account whose year changed, or erased
        return account, None
    if event not in {"INSERT", "MODIFY"}:
        raise ValueError(event)
    new = change["NewImage"]
    was_deleted = _is_deleted(change["OldImage"]) if event == "MODIFY" else False
    if _is_deleted(new) != was_deleted:
        return account, "restored" if was_deleted else "deleted"
    if event == "MODIFY" or "MovedFromYear" in new:
        return account, "changed"
    return account, "restored" if "RestoredFromYear" in new else "inserted"


def _is_deleted(image: Mapping[str, Any]) -> bool:
    return bool(image["DeletedAt"]["S"]) if "DeletedAt" in image else False


def digest(changes: Iterable[Change]) -> tuple[str, str]:
    """The subject and the text: how many accounts, and up to ten numbers, for what happened."""
    found: dict[str, list[str]] = {happened: [] for happened in HAPPENED}
    for change in changes:
        found[str(change.happened)].append(change.account)
    counts = [f"{len(numbers)} {happened}" for happened, numbers in found.items() if numbers]
    lines = [
        f"{len(numbers)} {happened}: {', '.join(numbers[:SHOWN])}"
        + (f", and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else "")
        for happened, numbers in found.items()
        if numbers
    ]
    return f"customer accounts: {', '.join(counts)}", "\n".join(lines)


def _publish(changes: Iterable[Change], start: str) -> None:
    """Reports the changes; raises what SNS raises, and Lambda gives the batch again."""
    subject, text = digest(changes)
    _client("sns").publish(
        TopicArn=os.environ["TOPIC_ARN"],
        Subject=subject,
        Message=text,
        MessageAttributes={"batch": {"DataType": "String", "StringValue": start}},
    )


def _reported_until(start: str) -> int:
    """The sequence number of the last record reported for a batch that began so; 0 if none did."""
    found = _client("dynamodb").get_item(
        TableName=_table(), Key={"Batch": {"S": start}}, ConsistentRead=True
    )
    return int(found["Item"]["ToldUntil"]["S"]) if "Item" in found else 0


def _remember(start: str, last: str) -> None:
    item = {
        "Batch": {"S": start},
        "ToldUntil": {"S": last},
        "ExpiresAt": {"N": str(int(time.time()) + KEPT_S)},
    }
    _client("dynamodb").put_item(TableName=_table(), Item=item)


def _table() -> str:
    return os.environ.get("DIGESTS_TABLE", "CustomerAccountDigests")


@cache
def _client(service: str) -> Any:
    retries = {"mode": "standard", "total_max_attempts": 5}
    return boto3.client(service, config=Config(retries=retries, connect_timeout=3, read_timeout=10))
