"""What AWS accepts as the configuration of an event source mapping, beyond its service model.

AWS Lambda API reference, "CreateEventSourceMapping"; developer guide, the pages of parameters for
SQS, Kinesis and DynamoDB event source mappings. The messages are those that AWS returns, where they
are known.
"""

import time
from collections.abc import Callable
from typing import Any

from helpers.local.functions.refusal import invalid_parameter, not_implemented
from helpers.local.services.event_sources.filters import Filters

STREAMS = ("kinesis", "dynamodb")
DEFAULT_BATCH_SIZES = {"sqs": 10, "kinesis": 100, "dynamodb": 100}
LARGEST_BATCH_WITHOUT_WINDOW = 10
SHORTEST_RECORD_AGE_S = 60

_FOR_STREAMS = (
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
)
_FOR_QUEUES = ("ProvisionedPollerConfig", "ScalingConfig")
# What AWS can do and nothing here would act upon.
_NOT_ACTED_UPON = {
    "AmazonManagedKafkaEventSourceConfig": "read from Apache Kafka",
    "DocumentDBEventSourceConfig": "read from Amazon DocumentDB",
    "KMSKeyArn": "encrypt filter criteria",
    "LoggingConfig": "write the log of an event source mapping",
    "ProvisionedPollerConfig": "provision event pollers",
    "Queues": "read from Amazon MQ",
    "SelfManagedEventSource": "read from Apache Kafka",
    "SelfManagedKafkaEventSourceConfig": "read from Apache Kafka",
    "SourceAccessConfigurations": "read from Apache Kafka or Amazon MQ",
    "Topics": "read from Apache Kafka",
    "TumblingWindowInSeconds": "aggregate records in tumbling windows",
}


def service_of(source_arn: str, region: str, account_id: str) -> str:
    """The service of the event source. Refuses what cannot be one, or not here."""
    parts = source_arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        raise invalid_parameter("Unrecognized event source.")
    _, _, service, source_region, source_account_id, resource = parts
    if service not in DEFAULT_BATCH_SIZES:
        raise not_implemented(f"read from {service} as an event source.")
    if service == "dynamodb" and "/stream/" not in resource:
        raise invalid_parameter("Unrecognized event source.")
    if service == "kinesis" and "/consumer/" in resource:
        raise not_implemented("read from a stream consumer (enhanced fan-out). Give the stream's ARN.")
    if source_region != region:
        raise invalid_parameter(f"The event source must be in the Region of the function, {region}.")
    if source_account_id != account_id and service != "kinesis":
        raise not_implemented(f"read from {service} in another account.")
    return service


def check(service: str, request: dict[str, Any], before: dict[str, Any]) -> None:
    """Refuse a request to create or update a mapping. `before`: its configuration, with the defaults if
    it is new, and then without LastModified."""
    for name, ability in _NOT_ACTED_UPON.items():
        if request.get(name):
            raise not_implemented(f"{ability} ({name}).")
    for name in _FOR_STREAMS if service == "sqs" else _FOR_QUEUES:
        if request.get(name):
            raise _unsupported(name)
    factor = before.get("ParallelizationFactor")
    if before.get("LastModified") and request.get("ParallelizationFactor", factor) != factor:
        raise not_implemented("change the ParallelizationFactor of a mapping. Delete it and create another.")
    _CHECKS[service](before | request)
    Filters.parse(service, request.get("FilterCriteria"))
    metrics = (request.get("MetricsConfig") or {}).get("Metrics") or []
    if set(metrics) - {"EventCount"}:
        # Developer guide, "Types of metrics": the other groups are for Apache Kafka.
        raise _unsupported("MetricsConfig")


def check_starting_position(service: str, request: dict[str, Any]) -> None:
    position = request.get("StartingPosition")
    has_timestamp = request.get("StartingPositionTimestamp") is not None
    if service == "sqs":
        if position or has_timestamp:
            raise invalid_parameter("StartingPosition is not valid for SQS event sources.")
        return
    if not position:
        raise invalid_parameter(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        )
    if position != "AT_TIMESTAMP":
        if has_timestamp:
            raise invalid_parameter("Timestamp only valid with StartingPosition AT_TIMESTAMP")
        return
    if service == "dynamodb":
        raise invalid_parameter(f"Unsupported starting position for arn type: {request['EventSourceArn']}")
    if not has_timestamp:
        raise invalid_parameter("StartingPosition AT_TIMESTAMP needs a StartingPositionTimestamp.")
    if request["StartingPositionTimestamp"] > time.time():
        # In the words of Amazon Kinesis, GetShardIterator.
        raise invalid_parameter(
            "Received Exception while reading from provided stream. The timestampInMillis parameter cannot "
            "be greater than the currentTimestampInMillis."
        )


def _check_queue(settings: dict[str, Any]) -> None:
    batch_size, window_s = settings["BatchSize"], settings["MaximumBatchingWindowInSeconds"]
    if settings["EventSourceArn"].endswith(".fifo"):
        if window_s:
            raise invalid_parameter("Batching window is not supported for FIFO queues")
        if batch_size > LARGEST_BATCH_WITHOUT_WINDOW:
            raise invalid_parameter("Batch size must not exceed 10 for FIFO queues")
    if batch_size > LARGEST_BATCH_WITHOUT_WINDOW and not window_s:
        raise invalid_parameter(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than "
            f"{LARGEST_BATCH_WITHOUT_WINDOW}"
        )


def _check_stream(settings: dict[str, Any]) -> None:
    if (settings.get("DestinationConfig") or {}).get("OnSuccess"):
        raise _unsupported("DestinationConfig")
    age_s = settings.get("MaximumRecordAgeInSeconds", -1)
    if 0 <= age_s < SHORTEST_RECORD_AGE_S:
        raise invalid_parameter(
            f"MaximumRecordAgeInSeconds must be -1 or at least {SHORTEST_RECORD_AGE_S}, not {age_s}."
        )


_CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "sqs": _check_queue,
    "kinesis": _check_stream,
    "dynamodb": _check_stream,
}


def _unsupported(name: str) -> Exception:
    return invalid_parameter(f"Unsupported {name} parameter for given event source mapping type.")
