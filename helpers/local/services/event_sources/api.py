"""The requests about event source mappings.

AWS Lambda API reference, "CreateEventSourceMapping", "UpdateEventSourceMapping",
"DeleteEventSourceMapping", "GetEventSourceMapping", "ListEventSourceMappings".
"""

import time
from typing import Any

from ministack.core.responses import get_account_id, get_region, json_response, new_uuid
from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions import model_constraints
from helpers.local.functions.refusal import Response, conflict, invalid_parameter, not_found
from helpers.local.services.event_sources import rules
from helpers.local.services.event_sources.engine import Key, engine
from helpers.local.services.event_sources.invocation import function_record
from helpers.local.services.event_sources.mappings import GONE, Mapping
from helpers.local.services.event_sources.settings import Settings
from helpers.local.services.event_sources.sources import check_source, make_poller

# Developer guide, the pages of parameters for Kinesis and DynamoDB.
_STREAM_DEFAULTS: dict[str, Any] = {
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "LastProcessingResult": "No records processed",
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}
_START = ("StartingPosition", "StartingPositionTimestamp")
# What both requests set, and what an empty value of it removes.
_SETTINGS = (
    *("BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "MaximumRetryAttempts"),
    *("MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError", "ParallelizationFactor"),
    *("DestinationConfig", "FilterCriteria", "ScalingConfig", "MetricsConfig"),
)
_REMOVED_WHEN_EMPTY = {"FilterCriteria": "Filters", "ScalingConfig": "MaximumConcurrency"}

_resolve_name = contract.expect(lambda_svc, "_resolve_request_scoped_name_and_qualifier", ("name_or_arn",))
_function_arn = contract.expect(lambda_svc, "_func_arn", ("name",))
_mapping_arn = contract.expect(lambda_svc, "_esm_arn", ("esm_id",))


def create(data: dict[str, Any]) -> Response:
    """Must be called on the thread that serves the API, as must all that follow."""
    model_constraints.check("CreateEventSourceMapping", data)
    source_arn = data.get("EventSourceArn") or ""
    service = rules.service_of(source_arn, get_region(), get_account_id())
    rules.check_starting_position(service, data)
    name, qualifier, function_arn = _function(data["FunctionName"])
    uuid = new_uuid()
    is_stream = service in rules.STREAMS
    configuration: dict[str, Any] = {
        "UUID": uuid,
        "EventSourceMappingArn": _mapping_arn(uuid),
        "EventSourceArn": source_arn,
        "FunctionArn": function_arn,
        "FunctionName": name,
        "Qualifier": qualifier,
        "BatchSize": rules.DEFAULT_BATCH_SIZES[service],
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "StateTransitionReason": "User action" if is_stream else "USER_INITIATED",
        "State": "Disabled",
        "Enabled": data.get("Enabled", True),
    }
    if is_stream:
        configuration |= _STREAM_DEFAULTS | {name: data[name] for name in _START if name in data}
    rules.check(service, data, configuration)
    _apply(configuration, data)
    poller = make_poller(service, configuration, engine().scheduler)
    check_source(configuration, data)
    _check_not_mapped_yet(configuration)
    if data.get("Tags"):
        configuration["Tags"] = dict(data["Tags"])
    mapping = Mapping(configuration, poller)
    mapping.begin("Creating", then="Enabled" if configuration["Enabled"] else "Disabled")
    engine().add(_key(uuid), mapping)
    return _answer(mapping, 202)


def update(uuid: str, data: dict[str, Any]) -> Response:
    model_constraints.check("UpdateEventSourceMapping", data)
    mapping = _existing(uuid)
    mapping.check_settled("update")
    before = mapping.configuration
    service = before["EventSourceArn"].split(":")[2]
    rules.check(service, data, before)
    after = dict(before)
    if "FunctionName" in data:
        after["FunctionName"], after["Qualifier"], after["FunctionArn"] = _function(data["FunctionName"])
    _apply(after, data)
    check_source(after, data)
    was_enabled = before["Enabled"]
    # In the same dictionary, because the emulator keeps it too.
    before.clear()
    before.update(after, Enabled=data.get("Enabled", was_enabled))
    mapping.poller.settings = Settings.of(before)
    if before["Enabled"] == was_enabled:
        mapping.begin("Updating", then="Enabled" if was_enabled else "Disabled")
    elif was_enabled:
        mapping.begin("Disabling", then="Disabled")
    else:
        mapping.begin("Enabling", then="Enabled")
    engine().wake()
    return _answer(mapping, 202)


def delete(uuid: str) -> Response:
    mapping = _existing(uuid)
    mapping.check_settled("delete")
    mapping.begin("Deleting", then=GONE)
    engine().wake()
    return _answer(mapping, 202)


def get(uuid: str) -> Response:
    return _answer(_existing(uuid), 200)


def list_all(query: dict[str, list[str]]) -> Response:
    def first(name: str) -> str:
        return next(iter(query.get(name) or []), "")

    found = engine().all_in(get_account_id(), get_region())
    if first("FunctionName"):
        _, _, function_arn = _named(first("FunctionName"))
        found = [each for each in found if each.configuration["FunctionArn"] == function_arn]
    if first("EventSourceArn"):
        found = [each for each in found if each.configuration["EventSourceArn"] == first("EventSourceArn")]
    start, most = int(first("Marker") or 0), int(first("MaxItems") or 100)
    answer: dict[str, Any] = {"EventSourceMappings": [each.shown() for each in found[start : start + most]]}
    if start + most < len(found):
        answer["NextMarker"] = str(start + most)
    response: Response = json_response(answer)
    return response


def _apply(configuration: dict[str, Any], data: dict[str, Any]) -> None:
    for name in _SETTINGS:
        if data.get(name) is not None:
            configuration[name] = data[name]
    for name, content in _REMOVED_WHEN_EMPTY.items():
        if name in configuration and not (configuration[name] or {}).get(content):
            del configuration[name]
    if "DestinationConfig" in configuration:
        configuration["DestinationConfig"] = {"OnFailure": {}, **configuration["DestinationConfig"]}
    configuration["LastModified"] = time.time()


def _check_not_mapped_yet(configuration: dict[str, Any]) -> None:
    source_arn, function_name = configuration["EventSourceArn"], configuration["FunctionName"]
    for other in engine().all_in(get_account_id(), get_region()):
        same = all(
            other.configuration[name] == configuration[name] for name in ("EventSourceArn", "FunctionArn")
        )
        if not same:
            continue
        uuid = other.configuration["UUID"]
        advice = f"Please update or delete the existing mapping with UUID {uuid}"
        if source_arn.split(":")[2] == "sqs":
            raise conflict(
                f'An event source mapping with SQS arn (" {source_arn} ") and function '
                f'(" {function_name} ") already exists. {advice}'
            )
        raise conflict(
            f'The event source arn (" {source_arn} ") and function (" {function_name} ") provided mapping '
            f"already exists. {advice}"
        )


def _function(name_or_arn: str) -> tuple[str, str | None, str]:
    """Name, qualifier and ARN of a function that exists."""
    name, qualifier, arn = _named(name_or_arn)
    if function_record(arn) is None:
        raise invalid_parameter("Function does not exist")
    return name, qualifier, arn


def _named(name_or_arn: str) -> tuple[str, str | None, str]:
    name, qualifier = _resolve_name(name_or_arn)
    return name, qualifier, _function_arn(name) + (f":{qualifier}" if qualifier else "")


def _existing(uuid: str) -> Mapping:
    mapping = engine().find(_key(uuid))
    if mapping is None:
        raise not_found("The resource you requested does not exist.")
    return mapping


def _key(uuid: str) -> Key:
    return get_account_id(), get_region(), uuid


def _answer(mapping: Mapping, status: int) -> Response:
    response: Response = json_response(mapping.shown(), status)
    return response
