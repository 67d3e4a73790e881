"""What requests to Amazon DynamoDB consume: by the size of the items, and as metrics.

AWS behaviour restored (DynamoDB developer guide, "DynamoDB read and write operations" and "DynamoDB metrics
and dimensions"): a read costs by the 4 KB that it reads, half of it when it need not be consistent and twice
in a transaction; a write whose condition fails costs as if it had succeeded; all that is consumed is
published as ConsumedReadCapacityUnits and ConsumedWriteCapacityUnits, of indexes too. MiniStack knows what
writes cost. What PartiQL statements consume is not published.
"""

import contextvars
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch, dynamodb

from helpers.local import contract
from helpers.local.functions.refusal import Response

READ, WRITE = "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"
READ_UNIT_BYTES = 4096
NAMESPACE = "AWS/DynamoDB"
_INDEXES = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes", "VectorIndexes")

Capacity = dict[str, Any]

_tables = contract.expect(dynamodb, "_tables")
_size_bytes = contract.expect(dynamodb, "_item_size_bytes", ("item",))
_write_units = contract.expect(dynamodb, "_capacity_kb", ("nbytes",))
_item_of = contract.expect(dynamodb, "_get_item_by_key", ("table", "key"))
_table_name = contract.expect(dynamodb, "_normalize_table_name")
_index_entry = contract.expect(dynamodb, "_apply_index_projection", ("item", "table", "index_name"))
_record_metric = contract.expect(
    cloudwatch, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")
)
# Of the items that the query or scan being served has read, before its filter.
_read_bytes: contextvars.ContextVar[int] = contextvars.ContextVar("dynamodb_read_bytes", default=0)


def install() -> None:
    _count_single_requests()
    _count_what_queries_read()
    _count_failed_conditions()
    for name, count, metric in (
        ("_batch_write_item", _as_answered, WRITE),
        ("_transact_write_items", _as_answered, WRITE),
        ("_batch_get_item", _reads_of_batch, READ),
        ("_transact_get_items", _reads_of_transaction, READ),
    ):
        setattr(dynamodb, name, _counted(contract.expect(dynamodb, name, ("data",)), count, metric))


def _count_single_requests() -> None:
    parameters = ("result", "data", "table_name", "write", "old_item", "new_item", "index_name")
    add = contract.expect(dynamodb, "_add_consumed_capacity", parameters)

    def add_consumed_capacity(
        result: dict[str, Any],
        data: dict[str, Any],
        table_name: str,
        write: bool = False,
        old_item: dict[str, Any] | None = None,
        new_item: dict[str, Any] | None = None,
        index_name: str | None = None,
    ) -> None:
        counted: dict[str, Any] = {}
        everything = {**data, "ReturnConsumedCapacity": "INDEXES"}
        add(counted, everything, table_name, write, old_item, new_item, index_name)
        capacity = counted["ConsumedCapacity"]
        if not write:
            read_bytes = _bytes_of_item(table_name, data["Key"]) if "Key" in data else _read_bytes.get()
            capacity = _times(capacity, _read_units(read_bytes))
        _publish(capacity, WRITE if write else READ)
        asked = data.get("ReturnConsumedCapacity", "NONE")
        if asked != "NONE":
            result["ConsumedCapacity"] = _shown(capacity, asked)

    dynamodb._add_consumed_capacity = add_consumed_capacity


def _count_what_queries_read() -> None:
    parameters = ("items", "limit", "table", "index_name")
    paginate = contract.expect(dynamodb, "_paginate_evaluated_items", parameters)

    def paginate_evaluated_items(items: Any, limit: Any, table: Any, index_name: str | None = None) -> Any:
        page, more = paginate(items, limit, table, index_name)
        entries = (_index_entry(item, table, index_name) if index_name else item for item in page)
        _read_bytes.set(sum(_size_bytes(entry) for entry in entries))
        return page, more

    dynamodb._paginate_evaluated_items = paginate_evaluated_items


def _count_failed_conditions() -> None:
    """The larger of the item that is there and the one that should have been; of an update, the former."""
    fail = contract.expect(dynamodb, "_conditional_check_failed", ("data", "old_item", "message"))

    def conditional_check_failed(
        data: dict[str, Any], old_item: dict[str, Any] | None, *message: str
    ) -> Response:
        if data.get("TableName"):
            table_name = _table_name(data["TableName"])
            size = max(_size_bytes(old_item or {}), _size_bytes(data.get("Item") or {}))
            _publish({"TableName": table_name, "CapacityUnits": _write_units(size)}, WRITE)
            dimensions = {"TableName": table_name}
            _record_metric(NAMESPACE, "ConditionalCheckFailedRequests", 1, "Count", dimensions)
        response: Response = fail(data, old_item, *message)
        return response

    dynamodb._conditional_check_failed = conditional_check_failed


def _counted(
    handle: Callable[[dict[str, Any]], Response],
    count: Callable[[dict[str, Any], dict[str, Any]], list[Capacity]],
    metric: str,
) -> Callable[[dict[str, Any]], Response]:
    """`count` says what a request about several items has consumed, by its answer: one entry per table."""

    def handler(data: dict[str, Any]) -> Response:
        asked = data.get("ReturnConsumedCapacity", "NONE")
        # One that is wrong is left for the emulator to refuse.
        wanted = "INDEXES" if asked in ("NONE", "TOTAL") else asked
        response = handle({**data, "ReturnConsumedCapacity": wanted})
        if response[0] != 200:
            return response
        status, headers, body = response
        answer = json.loads(body)
        consumed = count(data, answer)
        for capacity in consumed:
            # A transaction that was done before, by its token, reads what it wrote then.
            _publish(capacity, READ if "ReadCapacityUnits" in capacity else metric)
        answer.pop("ConsumedCapacity", None)
        if asked != "NONE" and consumed:
            answer["ConsumedCapacity"] = [_shown(capacity, asked) for capacity in consumed]
        return status, headers, json.dumps(answer, ensure_ascii=False).encode()

    return handler


def _as_answered(data: dict[str, Any], answer: dict[str, Any]) -> list[Capacity]:
    consumed: list[Capacity] = answer.get("ConsumedCapacity") or []
    return consumed


def _reads_of_batch(data: dict[str, Any], answer: dict[str, Any]) -> list[Capacity]:
    consumed = []
    for table_name, request in data["RequestItems"].items():
        share = 1.0 if request.get("ConsistentRead") else 0.5
        units = sum(share * _read_units(_bytes_of_item(table_name, key)) for key in request["Keys"])
        consumed.append(_of_table(table_name, units))
    return consumed


def _reads_of_transaction(data: dict[str, Any], answer: dict[str, Any]) -> list[Capacity]:
    units: dict[str, float] = defaultdict(float)
    for item in data["TransactItems"]:
        get = item["Get"]
        units[get["TableName"]] += 2 * _read_units(_bytes_of_item(get["TableName"], get["Key"]))
    return [
        {
            "ReadCapacityUnits": total,
            **_of_table(table_name, total),
            "Table": {"ReadCapacityUnits": total, "CapacityUnits": total},
        }
        for table_name, total in units.items()
    ]


def _of_table(table_name: str, units: float) -> Capacity:
    return {"TableName": table_name, "CapacityUnits": units, "Table": {"CapacityUnits": units}}


def _bytes_of_item(table_name: str, key: dict[str, Any]) -> int:
    return int(_size_bytes(_item_of(_tables[_table_name(table_name)], key) or {}))


def _read_units(size_bytes: int) -> int:
    """Units of a consistent read: one also for what is not there."""
    return max(1, -(-size_bytes // READ_UNIT_BYTES))


def _times(capacity: Capacity, factor: int) -> Capacity:
    return {
        name: _times(value, factor)
        if isinstance(value, dict)
        else value * factor
        if name == "CapacityUnits"
        else value
        for name, value in capacity.items()
    }


def _shown(capacity: Capacity, asked: str) -> Capacity:
    if asked == "INDEXES":
        return capacity
    return {name: value for name, value in capacity.items() if name not in ("Table", *_INDEXES)}


def _publish(capacity: Capacity, metric: str) -> None:
    """What local indexes consume is the table's, what global ones consume their own."""
    table_name = _table_name(capacity["TableName"])
    of_table = capacity["CapacityUnits"]
    for index_name, units in (capacity.get("GlobalSecondaryIndexes") or {}).items():
        of_table -= units["CapacityUnits"]
        dimensions = {"TableName": table_name, "GlobalSecondaryIndexName": index_name}
        _record_metric(NAMESPACE, metric, units["CapacityUnits"], "Count", dimensions)
    if of_table:
        _record_metric(NAMESPACE, metric, of_table, "Count", {"TableName": table_name})
