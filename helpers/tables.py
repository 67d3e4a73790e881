"""Read what is in an Amazon DynamoDB table, as plain Python values."""

from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer


def items(dynamodb: Any, table_name: str, **equal: Any) -> list[dict[str, Any]]:
    """All items of a table, or those whose attributes equal what is given: `items(client, t, status="NEW")`.

    Numbers become int where they are whole, else float; sets stay sets, and binary values become bytes. Reads
    the whole table, consistently: for small tables only.
    """
    condition: dict[str, Any] = {}
    if equal:
        serialize = TypeSerializer().serialize
        condition = {
            "FilterExpression": " and ".join(f"#{name} = :{name}" for name in equal),
            "ExpressionAttributeNames": {f"#{name}": name for name in equal},
            "ExpressionAttributeValues": {f":{name}": serialize(value) for name, value in equal.items()},
        }
    pages = dynamodb.get_paginator("scan").paginate(TableName=table_name, ConsistentRead=True, **condition)
    deserialize = TypeDeserializer().deserialize
    return [_plain(deserialize({"M": item})) for page in pages for item in page["Items"]]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | set):
        return type(value)(map(_plain, value))
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return bytes(value) if isinstance(value, Binary) else value
