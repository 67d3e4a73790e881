"""What requests to Amazon DynamoDB consume, as they say themselves and as metrics say.

AWS: DynamoDB developer guide, "DynamoDB read and write operations", "DynamoDB item sizes and formats",
"Condition expressions" and "DynamoDB metrics and dimensions".
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

KB = 1024
INDEX = "by-owner"


@dataclass
class Table:
    """A table with a global index, on demand. `client` is a boto3 client of DynamoDB."""

    client: Any
    cloudwatch: Any
    name: str = field(default_factory=lambda: f"capacity-{secrets.token_hex(4)}")

    def item(self, name: str, size_bytes: int = 0) -> dict[str, Any]:
        """Names count too: of the key, its value and the attribute that fills the rest."""
        filling = size_bytes - len("id") - len(name) - len("v")
        return {"id": {"S": name}, **({"v": {"S": "x" * filling}} if filling > 0 else {})}

    def put(self, name: str, size_bytes: int = 0, **parameters: Any) -> float:
        """Returns the capacity units consumed."""
        answer = self.client.put_item(
            TableName=self.name,
            Item=self.item(name, size_bytes),
            ReturnConsumedCapacity="TOTAL",
            **parameters,
        )
        return float(answer["ConsumedCapacity"]["CapacityUnits"])

    def get(self, name: str, **parameters: Any) -> float:
        answer = self.client.get_item(
            TableName=self.name, Key=self.item(name), ReturnConsumedCapacity="TOTAL", **parameters
        )
        return float(answer["ConsumedCapacity"]["CapacityUnits"])

    def metric(self, name: str, **dimensions: str) -> float:
        """The sum since the table is there."""
        now = datetime.now(UTC)
        named = {"TableName": self.name, **dimensions}
        points = self.cloudwatch.get_metric_statistics(
            Namespace="AWS/DynamoDB",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in named.items()],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))


@pytest.fixture
def table(make_client: Callable[..., Any]) -> Iterator[Table]:
    made = Table(make_client("dynamodb"), make_client("cloudwatch"))
    made.client.create_table(
        TableName=made.name,
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "owner", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": INDEX,
                "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    made.client.get_waiter("table_exists").wait(
        TableName=made.name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    yield made
    made.client.delete_table(TableName=made.name)


def test_writes_cost_by_the_kilobyte(table: Table) -> None:
    """Developer guide, "DynamoDB read and write operations": the larger of the item before and after."""
    assert table.put("one", 1 * KB) == 1
    assert table.put("one", 1 * KB + 1) == 2
    assert table.put("one", 10) == 2
    assert table.put("one", 10) == 1
    table.put("two", 3 * KB)
    answer = table.client.update_item(
        TableName=table.name,
        Key=table.item("two"),
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "1"}},
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 4


def test_reads_cost_by_four_kilobytes(table: Table) -> None:
    """Developer guide, "DynamoDB read and write operations": half as much when eventually consistent."""
    table.put("small", 4 * KB)
    table.put("large", 4 * KB + 1)
    assert [table.get(name, ConsistentRead=True) for name in ("small", "large", "missing")] == [1, 2, 1]
    assert [table.get(name) for name in ("small", "large", "missing")] == [0.5, 1, 0.5]
    assert table.get("large", ProjectionExpression="id") == 1


def test_a_query_and_a_scan_cost_what_they_read_together(table: Table) -> None:
    """Developer guide, "DynamoDB read and write operations": the sum, rounded up; before any filter."""
    for number in range(4):
        table.put(f"item-{number}", 3 * KB)
    answer = table.client.scan(
        TableName=table.name,
        ConsistentRead=True,
        ReturnConsumedCapacity="TOTAL",
        FilterExpression="attribute_exists(nothing)",
    )
    assert (answer["Count"], answer["ConsumedCapacity"]["CapacityUnits"]) == (0, 3)
    table.put("wide", 9 * KB)
    answer = table.client.query(
        TableName=table.name,
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": "wide"}},
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 1.5


def test_transactions_cost_twice_as_much(table: Table) -> None:
    """Developer guide, "DynamoDB read and write operations": two units each by 1 KB and by 4 KB."""
    puts = [
        {"Put": {"TableName": table.name, "Item": table.item("one", 3 * KB)}},
        {"Put": {"TableName": table.name, "Item": table.item("two", 5 * KB)}},
    ]
    [written] = table.client.transact_write_items(TransactItems=puts, ReturnConsumedCapacity="TOTAL")[
        "ConsumedCapacity"
    ]
    assert (written["CapacityUnits"], written["WriteCapacityUnits"]) == (16, 16)
    gets = [{"Get": {"TableName": table.name, "Key": table.item(name)}} for name in ("one", "two")]
    [read] = table.client.transact_get_items(TransactItems=gets, ReturnConsumedCapacity="TOTAL")[
        "ConsumedCapacity"
    ]
    assert (read["CapacityUnits"], read["ReadCapacityUnits"]) == (6, 6)
    assert (table.metric("ConsumedWriteCapacityUnits"), table.metric("ConsumedReadCapacityUnits")) == (16, 6)


def test_batches_cost_what_their_items_cost(table: Table) -> None:
    """Developer guide, "DynamoDB read and write operations": each item is rounded by itself."""
    items = [table.item("one", 1 * KB + 1), table.item("two", 10)]
    written = table.client.batch_write_item(
        RequestItems={table.name: [{"PutRequest": {"Item": item}} for item in items]},
        ReturnConsumedCapacity="TOTAL",
    )
    assert written["ConsumedCapacity"] == [{"TableName": table.name, "CapacityUnits": 3.0}]
    keys = [table.item("one"), table.item("two"), table.item("missing")]
    read = table.client.batch_get_item(
        RequestItems={table.name: {"Keys": keys}}, ReturnConsumedCapacity="TOTAL"
    )
    assert read["ConsumedCapacity"] == [{"TableName": table.name, "CapacityUnits": 1.5}]
    unasked = table.client.batch_get_item(RequestItems={table.name: {"Keys": keys}})
    assert "ConsumedCapacity" not in unasked
    assert table.metric("ConsumedReadCapacityUnits") == 3


def test_a_write_whose_condition_fails_costs_too(table: Table) -> None:
    """Developer guide, "DynamoDB read and write operations": by the larger of the two items."""
    table.put("one", 2 * KB)
    before = table.metric("ConsumedWriteCapacityUnits")
    with pytest.raises(ClientError) as refused:
        table.put(
            "one",
            5 * KB,
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert refused.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert refused.value.response["Item"] == table.item("one", 2 * KB)
    assert table.metric("ConsumedWriteCapacityUnits") - before == 5
    assert table.metric("ConditionalCheckFailedRequests") == 1


def test_metrics_say_what_the_table_and_its_index_consumed(table: Table) -> None:
    """Developer guide, "DynamoDB metrics and dimensions": also of requests that do not ask."""
    table.client.put_item(TableName=table.name, Item={**table.item("one", 3 * KB), "owner": {"S": "me"}})
    table.client.get_item(TableName=table.name, Key=table.item("one"))
    by_owner = {
        "TableName": table.name,
        "IndexName": INDEX,
        "KeyConditionExpression": "#o = :o",
        "ExpressionAttributeNames": {"#o": "owner"},
        "ExpressionAttributeValues": {":o": {"S": "me"}},
    }
    assert table.client.query(**by_owner)["Count"] == 1
    assert table.metric("ConsumedWriteCapacityUnits") == 4
    assert table.metric("ConsumedWriteCapacityUnits", GlobalSecondaryIndexName=INDEX) == 1
    assert table.metric("ConsumedReadCapacityUnits") == 0.5
    assert table.metric("ConsumedReadCapacityUnits", GlobalSecondaryIndexName=INDEX) == 0.5


def test_an_item_has_400_kilobytes_at_most(table: Table) -> None:
    """Developer guide, "Quotas in Amazon DynamoDB", item size: names and values."""
    assert table.put("one", 400 * KB) == 400
    with pytest.raises(ClientError) as refused:
        table.put("one", 400 * KB + 1)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == (
        "ValidationException",
        "Item size has exceeded the maximum allowed size",
    )
