"""The capacity of each call is noted, as DynamoDB reports it."""

import contextlib

from helpers.consumed_capacity import noted
from helpers.workshop import Workshop


def test_each_call_is_noted_with_its_units(workshop: Workshop) -> None:
    """DynamoDB developer guide, "Read and write operations": units of 1 KB written, of 4 KB read."""
    dynamodb, table = workshop.client("dynamodb"), workshop.name("orders")
    calls = noted(dynamodb)
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"id": {"S": "o-1"}, "text": {"S": "x" * 1500}}
    dynamodb.put_item(TableName=table, Item=item)
    with contextlib.suppress(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(id)")
    dynamodb.get_item(TableName=table, Key={"id": {"S": "o-1"}})
    dynamodb.get_item(TableName=table, Key={"id": {"S": "o-1"}}, ConsistentRead=True)
    dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": {"id": {"S": "o-2"}}}}])
    assert calls == [
        ("PutItem", 2.0),
        ("PutItem", "ConditionalCheckFailedException"),
        ("GetItem", 0.5),
        ("GetItem", 1.0),
        ("TransactWriteItems", 2.0),
    ]


def test_calls_of_another_client_are_not_noted(workshop: Workshop) -> None:
    calls = noted(workshop.client("dynamodb"))
    workshop.client("dynamodb").list_tables()
    assert calls == []
