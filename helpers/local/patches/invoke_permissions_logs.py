"""CloudWatch Logs invokes a function only when the function's policy lets it.

AWS behaviour restored (CloudWatch Logs user guide, "Log group-level subscription filters", example
with Lambda): PutSubscriptionFilter is refused without the permission; log events are handed to
Lambda's asynchronous queue, for the version or alias that the filter names.

To be installed before what writes logs, which takes the replaced function when it is imported.
"""

import base64
import gzip
import json
import logging
import time
import uuid
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.functions.refusal import Refused, preceded_by

logger = logging.getLogger("lambda.permissions")

_groups = contract.expect(cloudwatch_logs, "_log_groups")
_matches = contract.expect(cloudwatch_logs, "_subscription_pattern_matches", ("pattern", "message"))


def install() -> None:
    contract.replace(
        cloudwatch_logs,
        "_fanout_to_subscription_filters",
        ("group_name", "stream_name", "events"),
        _fan_out,
    )
    put = contract.expect(cloudwatch_logs, "_put_subscription_filter", ("data",))
    cloudwatch_logs._put_subscription_filter = preceded_by(_check_filter, put)


def _check_filter(data: dict[str, Any]) -> None:
    arn, group = data.get("destinationArn", ""), data.get("logGroupName", "")
    if ":function:" not in arn or group not in _groups:
        return
    if not _may_invoke(arn, group):
        raise Refused(
            "InvalidParameterException",
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission "
            "to execute your function.",
            400,
        )


def _may_invoke(function_arn: str, group: str) -> bool:
    """Policies name the service with its Region or without."""
    from helpers.local.functions.invocation_rights import Invoker, may_invoke

    source = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:*"
    services = ("logs.amazonaws.com", f"logs.{get_region()}.amazonaws.com")
    return any(may_invoke(function_arn, Invoker(name, source, get_account_id())) for name in services)


def _fan_out(group_name: str, stream_name: str, events: list[dict[str, Any]]) -> None:
    group = _groups.get(group_name) or {}
    for subscription in list((group.get("subscriptionFilters") or {}).values()):
        arn = subscription["destinationArn"]
        matching = [each for each in events if _matches(subscription["filterPattern"], each["message"])]
        if not matching or ":function:" not in arn:
            continue
        if group_name == f"/aws/lambda/{arn.split(':')[6]}":
            # What it logs would invoke it again, without end.
            logger.warning("%s subscribes to its own log: not invoked", arn)
        elif not _may_invoke(arn, group_name):
            logger.warning("%s does not let CloudWatch Logs invoke it", arn)
        else:
            _send(arn, _data_message(group_name, stream_name, subscription["filterName"], matching))


def _send(function_arn: str, message: dict[str, Any]) -> None:
    from helpers.local.patches.asynchronous_invocation import invocations

    packed = base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()
    event = {"awslogs": {"data": packed}}
    invocations().enqueue(function_arn, json.dumps(event).encode())


def _data_message(
    group_name: str, stream_name: str, filter_name: str, events: list[dict[str, Any]]
) -> dict[str, Any]:
    now_ms = int(time.time() * 1000)
    return {
        "messageType": "DATA_MESSAGE",
        "owner": get_account_id(),
        "logGroup": group_name,
        "logStream": stream_name,
        "subscriptionFilters": [filter_name],
        "logEvents": [
            {
                "id": uuid.uuid4().hex,
                "timestamp": event.get("timestamp", now_ms),
                "message": event["message"],
            }
            for event in events
        ],
    }
