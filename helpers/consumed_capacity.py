"""What calls to Amazon DynamoDB consume, noted as they are made.

The module needs nothing but the client it is given: a function can have it in its package, for example by
`functions.package("handler.py", consumed_capacity.__file__)`.
"""

from typing import Any


def noted(dynamodb: Any) -> list[tuple[str, float | str]]:
    """A list to which the client adds each of its calls from now on, as (operation, capacity units).

    The units are those that DynamoDB reports for the table and its indexes together. For a call that DynamoDB
    refuses it reports none; the code of the error stands in their place. A conditional write whose condition
    is not met consumes write units all the same: those of the item that is there, at least one (DynamoDB
    developer guide, "DynamoDB read and write operations").

    For operations on single items, queries and scans. A batch or a transaction reports its capacity by table,
    which is added up. Operations that consume no capacity, such as CreateTable, are not noted.
    """
    calls: list[tuple[str, float | str]] = []

    def ask(params: dict[str, Any], model: Any, **_: Any) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if "ReturnConsumedCapacity" not in model.input_shape.members:
            return
        if "Error" in parsed:
            calls.append((model.name, str(parsed["Error"]["Code"])))
            return
        consumed = parsed.get("ConsumedCapacity", [])
        tables = consumed if isinstance(consumed, list) else [consumed]
        calls.append((model.name, sum(float(table["CapacityUnits"]) for table in tables)))

    dynamodb.meta.events.register("before-parameter-build.dynamodb", ask)
    dynamodb.meta.events.register("after-call.dynamodb", note)
    return calls
