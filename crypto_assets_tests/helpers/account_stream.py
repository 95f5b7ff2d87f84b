"""A table of customer accounts with its stream, the function of `deploy/lambda`, topic and queue.

ministack's mapping of a stream to a function knows the batch size, and gives a batch again when the
function fails. Unlike AWS it waits for no window and takes an answer with `batchItemFailures` for
success. What AWS does then is `deliver`, with the records that the stream's real API returns.
"""

from __future__ import annotations

import io
import json
import shlex
import time
import uuid
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto_assets.resources.accounts.dynamodb import DynamoDBAccountStore
from crypto_assets.resources.aws import Aws
from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.doubles.router import Router
from crypto_assets_tests.helpers.roles import Admin
from crypto_assets_tests.helpers.upload_queue import arn
from crypto_assets_tests.helpers.waiting import HANG_S

BATCH = 100
RETRIES = 3
_HANDLER = Path(__file__).parents[2] / "deploy/lambda/account_changes/handler.py"


@dataclass
class Stream:
    """What the tests look at and disturb; `name` is that of table, function and topic."""

    store: DynamoDBAccountStore
    router: Router
    queue_url: str

    def client(self, service: str) -> Any:
        return Admin(self.router.url).client(service)

    @property
    def name(self) -> str:
        return self.store.table

    def follow(self) -> None:
        """Maps the stream to the function as AWS does it, from the first record on."""
        self.client("lambda").create_event_source_mapping(
            EventSourceArn=self._stream_arn(),
            FunctionName=self.name,
            BatchSize=BATCH,
            MaximumBatchingWindowInSeconds=60,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            StartingPosition="TRIM_HORIZON",
        )

    def records(self) -> list[dict[str, Any]]:
        """All records of the stream, as a function is given them."""
        streams, found = self.client("dynamodbstreams"), []
        described = streams.describe_stream(StreamArn=self._stream_arn())
        for shard in described["StreamDescription"]["Shards"]:
            iterator = streams.get_shard_iterator(
                StreamArn=self._stream_arn(),
                ShardId=shard["ShardId"],
                ShardIteratorType="TRIM_HORIZON",
            )["ShardIterator"]
            while page := streams.get_records(ShardIterator=iterator):
                found += page["Records"]
                iterator = page["NextShardIterator"]
                if not page["Records"]:
                    break
        return json.loads(json.dumps(found, default=lambda created: created.timestamp()))

    def invoke(self, records: Sequence[Mapping[str, Any]]) -> list[str] | None:
        """The sequence numbers the function reports of these records; None if it fails."""
        answer = self.client("lambda").invoke(
            FunctionName=self.name, Payload=json.dumps({"Records": records}).encode()
        )
        found = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            return None
        return [failure["itemIdentifier"] for failure in found["batchItemFailures"]]

    def deliver(self, records: Sequence[Mapping[str, Any]]) -> list[list[str] | None]:
        """Gives records to the function as AWS does: what is reported again, from the lowest on.

        After `RETRIES` it goes on behind the batch. Returns what the function answered.
        """
        answers = []
        for start in range(0, len(records), BATCH):
            batch = records[start : start + BATCH]
            for _ in range(1 + RETRIES):
                answers.append(reported := self.invoke(batch))
                if reported == []:
                    break
                if reported:
                    lowest = min(map(int, reported))
                    batch = [record for record in batch if sequence(record) >= lowest]
        return answers

    def messages(self, wanted: int) -> list[dict[str, Any]]:
        """What the topic's subscriber got: as many messages as wanted, and any too many."""
        sqs, found, hangs = self.client("sqs"), [], time.monotonic() + HANG_S
        quiet = 0
        while time.monotonic() < hangs and (len(found) < wanted or quiet < 2):
            answer = sqs.receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in answer.get("Messages", []):
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
            quiet = 0 if answer.get("Messages") else quiet + 1
        return found

    def _stream_arn(self) -> str:
        return self.client("dynamodb").describe_table(TableName=self.name)["Table"][
            "LatestStreamArn"
        ]


def sequence(record: Mapping[str, Any]) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


def counts(messages: Sequence[Mapping[str, str]]) -> Counter[str]:
    """How often the subjects say that something happened, in all."""
    total: Counter[str] = Counter()
    for message in messages:
        for part in message["Subject"].removeprefix("customer accounts: ").split(", "):
            count, happened = part.split()
            total[happened] += int(count)
    return total


def new_store(router: Router) -> DynamoDBAccountStore:
    """A store behind the router whose table is not there yet."""
    aws = Aws(region=REGION, endpoint_url=router.url)
    return DynamoDBAccountStore(aws=aws, table=f"accounts-{uuid.uuid4().hex[:12]}")


def make_table(store: DynamoDBAccountStore) -> None:
    """Makes the table by the command in the doctor's words, with the parameters it has."""
    words = shlex.split(store.check().split("`")[1])
    assert words[:3] == ["aws", "dynamodb", "create-table"]
    options: dict[str, list[str]] = {}
    for word in words[3:]:
        if word.startswith("--"):
            values = options.setdefault(word, [])
        else:
            values.append(word)
    assert options.pop("--region") == [REGION]

    def structures(option: str) -> list[dict[str, str]]:
        return [dict(pair.split("=") for pair in text.split(",")) for text in options[option]]

    (stream,) = structures("--stream-specification")
    Admin(store.aws.endpoint_url).client("dynamodb").create_table(
        TableName=options["--table-name"][0],
        AttributeDefinitions=structures("--attribute-definitions"),
        KeySchema=structures("--key-schema"),
        BillingMode=options["--billing-mode"][0],
        StreamSpecification={**stream, "StreamEnabled": stream["StreamEnabled"] == "true"},
    )


def make_stream(store: DynamoDBAccountStore, router: Router) -> Stream:
    """Sets up what `deploy/lambda/README.md` says, for a table that is there."""
    aws, name = Admin(router.url), store.table
    digests = f"{name}-digests"
    aws.client("dynamodb").create_table(
        TableName=digests,
        AttributeDefinitions=[{"AttributeName": "Batch", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "Batch", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    topic = aws.client("sns").create_topic(Name=name)["TopicArn"]
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn(sqs, queue))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(_HANDLER, "handler.py")
    variables = {"TOPIC_ARN": topic, "DIGESTS_TABLE": digests, "AWS_ENDPOINT_URL": router.url}
    aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/account-changes",
        Handler="handler.handler",
        Timeout=HANG_S,
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": variables},
    )
    return Stream(store, router, queue)
