"""CloudFormation creates, updates and deletes event source mappings through Lambda's API.

CloudFormation user guide, AWS::Lambda::EventSourceMapping: what Lambda refuses fails the resource
with Lambda's message, another source or starting position replaces the mapping, and a stack goes on
when the mapping has settled.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session
from botocore.model import Shape, StructureShape
from ministack import app
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services.cloudformation import provisioners, stacks

from helpers.local import contract
from helpers.local.functions.refusal import Refused, Response
from helpers.local.services.event_sources import api
from helpers.local.services.event_sources.mappings import SETTLES_IN_S

KIND = "AWS::Lambda::EventSourceMapping"
# What a property is set to when it is no longer in the template.
_DEFAULTS: dict[str, Any] = {
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {},
    "FilterCriteria": {},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "MetricsConfig": {"Metrics": []},
    "ScalingConfig": {},
}
_REPLACING = ("EventSourceArn", "StartingPosition", "StartingPositionTimestamp")

_handlers = contract.expect(provisioners, "_RESOURCE_HANDLERS")
_attributes = contract.expect(provisioners, "_lambda_esm_attrs", ("esm_id",))


def install() -> None:
    contract.expect(provisioners, "_lambda_esm_create", ("logical_id", "props", "stack_name"))
    contract.expect(
        provisioners, "_lambda_esm_update", ("physical_id", "old_props", "new_props", "stack_name")
    )
    contract.expect(provisioners, "_lambda_esm_delete", ("physical_id", "props"))
    _handlers[KIND] = {"create": _create, "update": _update, "delete": _delete}
    on_thread = contract.expect(stacks, "_runs_on_worker_thread", ("resource_type",))
    stacks._runs_on_worker_thread = lambda resource_type: resource_type == KIND or on_thread(resource_type)


def _create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    uuid = _call(api.create, _request("CreateEventSourceMapping", props))["UUID"]
    _wait_until_settled(uuid)
    return uuid, _attributes(uuid)


def _update(
    physical_id: str, old_props: dict[str, Any], new_props: dict[str, Any], stack_name: str
) -> tuple[str, dict[str, Any]]:
    if any(old_props.get(name) != new_props.get(name) for name in _REPLACING):
        created = _create("", new_props, stack_name)
        _delete(physical_id, old_props)
        return created
    removed = {name: value for name, value in _DEFAULTS.items() if name in old_props}
    _call(api.update, physical_id, _request("UpdateEventSourceMapping", removed | new_props))
    _wait_until_settled(physical_id)
    return physical_id, _attributes(physical_id)


def _delete(physical_id: str, props: dict[str, Any]) -> None:
    try:
        _call(api.delete, physical_id)
    except LookupError:
        return
    _wait_until_settled(physical_id)


def _call(operation: Callable[..., Response], *arguments: Any) -> dict[str, Any]:
    """Call the API on its own thread. Raises ValueError, which the emulator takes as the reason for
    which a resource failed; LookupError when the mapping does not exist."""
    scope = get_account_id(), get_region()

    async def call() -> Response:
        with request_scope(*scope):
            return operation(*arguments)

    try:
        _, _, body = asyncio.run_coroutine_threadsafe(call(), app._MAIN_LOOP).result()
    except Refused as refused:
        reason = LookupError if refused.status == 404 else ValueError
        raise reason(refused.message) from None
    answer: dict[str, Any] = json.loads(body)
    return answer


def _wait_until_settled(uuid: str) -> None:
    """Until it is enabled, disabled or gone."""
    with contextlib.suppress(LookupError):
        while _call(api.get, uuid)["State"] not in ("Enabled", "Disabled"):
            time.sleep(SETTLES_IN_S / 5)


def _request(operation: str, props: dict[str, Any]) -> dict[str, Any]:
    """The request that `props` of a template stand for: its tags are a list, its numbers may be text."""
    shape = _model().operation_model(operation).input_shape
    tags = {tag["Key"]: tag["Value"] for tag in props.get("Tags") or []}
    given = {name: value for name, value in props.items() if name in shape.members and name != "Tags"}
    request: dict[str, Any] = _typed(shape, given)
    return request | ({"Tags": tags} if tags and "Tags" in shape.members else {})


def _typed(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {name: _typed(shape.members[name], each) for name, each in value.items()}
    if isinstance(value, str) and shape.type_name == "boolean":
        return value.lower() == "true"
    if isinstance(value, str) and shape.type_name in ("integer", "timestamp"):
        return float(value) if shape.type_name == "timestamp" else int(value)
    return value


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("lambda")
