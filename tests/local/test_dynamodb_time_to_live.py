"""Expired items are deleted, and the stream says by whom.

AWS: DynamoDB developer guide, "Using time to live (TTL) in DynamoDB" and "DynamoDB Streams and Time to Live".
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mapped_functions import MappedFunction, Table

from helpers.waiting import wait_until

YEAR_S = 365 * 24 * 3600
BY_TIME_TO_LIVE = {"userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]}}


@pytest.fixture
def expiring(table: Table) -> Table:
    """A table with a stream, whose items expire by the attribute `expires`."""
    table.client.update_time_to_live(
        TableName=table.name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    return table


def names(table: Table) -> set[str]:
    return {item["id"]["S"] for item in table.client.scan(TableName=table.name)["Items"]}


def test_what_has_expired_is_deleted_and_nothing_else(
    expiring: Table, make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Using time to live (TTL) in DynamoDB": a number, up to five years past."""
    now_s = int(time.time())
    expiring.put("later", expires={"N": str(now_s + 3600)})
    expiring.put("long-ago", expires={"N": str(now_s - 6 * YEAR_S)})
    expiring.put("text", expires={"S": str(now_s - 60)})
    expiring.put("by-hand")
    expiring.client.delete_item(TableName=expiring.name, Key={"id": {"S": "by-hand"}})
    expiring.put("expired", expires={"N": str(now_s - 60)})
    left = wait_until(lambda: names(expiring), "the deletion", lambda found: "expired" not in found)
    assert left == {"later", "long-ago", "text"}
    streams = make_client("dynamodbstreams")
    iterator = streams.get_shard_iterator(
        StreamArn=expiring.arn,
        ShardId=streams.describe_stream(StreamArn=expiring.arn)["StreamDescription"]["Shards"][0]["ShardId"],
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    removed = {
        record["dynamodb"]["Keys"]["id"]["S"]: (record.get("userIdentity"), record["dynamodb"]["OldImage"])
        for record in streams.get_records(ShardIterator=iterator)["Records"]
        if record["eventName"] == "REMOVE"
    }
    assert removed == {
        "by-hand": (None, {"id": {"S": "by-hand"}}),
        "expired": (
            {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"},
            {"id": {"S": "expired"}, "expires": {"N": str(now_s - 60)}},
        ),
    }


def test_a_function_gets_expired_items_only_by_a_filter(
    expiring: Table, mapped: Callable[..., MappedFunction]
) -> None:
    """Developer guide, "DynamoDB Streams and Time to Live": the filter on userIdentity."""
    archive = mapped()
    archive.map(expiring.arn, FilterCriteria={"Filters": [{"Pattern": json.dumps(BY_TIME_TO_LIVE)}]})
    expiring.put("by-hand")
    expiring.client.delete_item(TableName=expiring.name, Key={"id": {"S": "by-hand"}})
    expiring.put("expired", expires={"N": str(int(time.time()) - 60)})
    [[record]] = archive.wait_for_batches(1)
    assert record["dynamodb"]["OldImage"]["id"] == {"S": "expired"}
    assert record["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def test_deletions_are_counted_and_cost_nothing(expiring: Table, make_client: Callable[..., Any]) -> None:
    """Developer guide, "DynamoDB metrics and dimensions", TimeToLiveDeletedItemCount; TTL uses no writes."""
    cloudwatch = make_client("cloudwatch")

    def total(metric: str) -> float:
        now_s = time.time()
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/DynamoDB",
            MetricName=metric,
            Dimensions=[{"Name": "TableName", "Value": expiring.name}],
            StartTime=now_s - 600,
            EndTime=now_s + 60,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    for number in range(3):
        expiring.put(f"item-{number}", expires={"N": str(int(time.time()) - 60)})
    wait_until(lambda: names(expiring), "an empty table", lambda found: not found)
    assert total("TimeToLiveDeletedItemCount") == 3
    assert total("ConsumedWriteCapacityUnits") == 3


def test_what_is_enabled_already_is_refused(expiring: Table) -> None:
    """API reference, "UpdateTimeToLive"."""

    def refusal(attribute: str, enabled: bool) -> str:
        with pytest.raises(ClientError) as refused:
            expiring.client.update_time_to_live(
                TableName=expiring.name,
                TimeToLiveSpecification={"Enabled": enabled, "AttributeName": attribute},
            )
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        return str(refused.value.response["Error"]["Message"])

    assert refusal("expires", enabled=True) == "TimeToLive is already enabled"
    assert refusal("ends", enabled=True).endswith("current AttributeName is expires")
    expiring.client.update_time_to_live(
        TableName=expiring.name, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires"}
    )
    assert refusal("expires", enabled=False) == "TimeToLive is already disabled"
    with pytest.raises(expiring.client.exceptions.ResourceNotFoundException):
        expiring.client.update_time_to_live(
            TableName="nothing", TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires"}
        )
