"""Kinesis data streams and DynamoDB streams as event sources.

Positions are sequence numbers: a shard is read on after one. AWS Lambda developer guide, "How
Lambda processes records from Amazon Kinesis Data Streams" and "Using AWS Lambda with Amazon
DynamoDB", example events.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ministack.services import dynamodb, dynamodb_streams, kinesis

from helpers.local import contract
from helpers.local.services.event_sources.records import Record

# Before every sequence number.
TRIM_HORIZON = ""

_streams = contract.expect(kinesis, "_streams")
_base64 = contract.expect(kinesis, "_ensure_base64", ("value",))
_tables = contract.expect(dynamodb, "_tables")
_live_records = contract.expect(dynamodb, "stream_live_records", ("table_name", "account_id", "region"))
_table_retention_s = contract.expect(dynamodb, "_STREAM_RETENTION_SECONDS")
_table_shard = contract.expect(dynamodb_streams, "_DEFAULT_SHARD_ID")


class Stream(Protocol):
    """What a poller asks of a stream, on the thread that serves the API."""

    arn: str

    @property
    def exists(self) -> bool: ...

    @property
    def retention_s(self) -> float: ...

    def shard_ids(self) -> list[str]: ...

    def latest(self, shard_id: str) -> str:
        """The position after everything that is there now."""
        ...

    def at_time(self, shard_id: str, timestamp_s: float) -> str:
        """The position before the first record that arrived at `timestamp_s` or later."""
        ...

    def read(self, shard_id: str, after: str, most: int) -> list[Record]: ...


class KinesisStream:
    """A data stream of any account. `role_arn` is who reads it, as the function sees it."""

    def __init__(self, arn: str, role_arn: str) -> None:
        self.arn = arn
        self._role_arn = role_arn
        _, _, _, self._region, self._account_id, resource = arn.split(":")
        self._name = resource.partition("/")[2]

    @property
    def _stream(self) -> dict[str, Any] | None:
        found = _streams.get_scoped(self._account_id, self._region, self._name)
        return found if found is not None and found["StreamARN"] == self.arn else None

    @property
    def exists(self) -> bool:
        return self._stream is not None

    @property
    def retention_s(self) -> float:
        return float((self._stream or {}).get("RetentionPeriodHours", 24)) * 3600

    def shard_ids(self) -> list[str]:
        return list((self._stream or {"shards": {}})["shards"])

    def latest(self, shard_id: str) -> str:
        records = self._records(shard_id)
        return str(records[-1]["SequenceNumber"]) if records else TRIM_HORIZON

    def at_time(self, shard_id: str, timestamp_s: float) -> str:
        records = self._records(shard_id)
        first = bisect_left(records, timestamp_s, key=lambda each: each["ApproximateArrivalTimestamp"])
        return str(records[first - 1]["SequenceNumber"]) if first else TRIM_HORIZON

    def read(self, shard_id: str, after: str, most: int) -> list[Record]:
        found = _after(self._records(shard_id), after, most, lambda each: each["SequenceNumber"])
        return [self._record(shard_id, each) for each in found]

    def _records(self, shard_id: str) -> list[dict[str, Any]]:
        shard = (self._stream or {"shards": {}})["shards"].get(shard_id)
        return shard["records"] if shard is not None else []

    def _record(self, shard_id: str, stored: dict[str, Any]) -> Record:
        sequence_number, arrived_s = stored["SequenceNumber"], stored["ApproximateArrivalTimestamp"]
        event = {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": stored["PartitionKey"],
                "sequenceNumber": sequence_number,
                "data": _base64(stored["Data"]),
                "approximateArrivalTimestamp": arrived_s,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard_id}:{sequence_number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": self._role_arn,
            "awsRegion": self._region,
            "eventSourceARN": self.arn,
        }
        return Record(event, sequence_number, arrived_s, stored["PartitionKey"])


class TableStream:
    """The stream of a table, as long as it is the table's latest."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        _, _, _, self._region, self._account_id, resource = arn.split(":", 5)
        self._table_name = resource.split("/")[1]

    @property
    def exists(self) -> bool:
        table = _tables.get_scoped(self._account_id, self._region, self._table_name)
        return table is not None and table.get("LatestStreamArn") == self.arn

    @property
    def retention_s(self) -> float:
        return float(_table_retention_s)

    def shard_ids(self) -> list[str]:
        return [_table_shard] if self.exists else []

    def latest(self, shard_id: str) -> str:
        records = self._records()
        return str(records[-1]["dynamodb"]["SequenceNumber"]) if records else TRIM_HORIZON

    def at_time(self, shard_id: str, timestamp_s: float) -> str:
        raise NotImplementedError("DynamoDB streams are read from TRIM_HORIZON or LATEST.")

    def read(self, shard_id: str, after: str, most: int) -> list[Record]:
        found = _after(self._records(), after, most, lambda each: each["dynamodb"]["SequenceNumber"])
        return [_table_record(each) for each in found]

    def _records(self) -> list[dict[str, Any]]:
        if not self.exists:
            return []
        records: list[dict[str, Any]] = _live_records(
            self._table_name, account_id=self._account_id, region=self._region
        )
        return records


def _table_record(stored: dict[str, Any]) -> Record:
    change = stored["dynamodb"]
    return Record(
        # The images are the table's own items, which will change.
        event=json.loads(json.dumps(stored)),
        identifier=change["SequenceNumber"],
        arrived_s=change["ApproximateCreationDateTime"],
        order_key=json.dumps(change["Keys"], sort_keys=True),
    )


def _after(
    records: Sequence[dict[str, Any]], position: str, most: int, key: Callable[[dict[str, Any]], str]
) -> Sequence[dict[str, Any]]:
    """Sequence numbers have the same length, so that they are in order as text too."""
    first = bisect_right(records, position, key=key)
    return records[first : first + most]
