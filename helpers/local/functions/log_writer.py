"""Write a function's log into the emulator's CloudWatch Logs, as the function's role may."""

import time
from collections.abc import Callable

from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.functions.output import LogLine
from helpers.local.functions.specification import FunctionVersion

_make_group_arn: Callable[[str], str] = contract.expect(cloudwatch_logs, "_make_group_arn", ("name",))
_append = contract.expect(cloudwatch_logs, "_append_log_events", ("stream", "events"))
_fan_out = contract.expect(
    cloudwatch_logs, "_fanout_to_subscription_filters", ("group_name", "stream_name", "events")
)
_groups = contract.expect(cloudwatch_logs, "_log_groups")


def group_exists(function: FunctionVersion) -> bool:
    """The caller has set account and Region of the request to those of the function."""
    return function.log_group_name in _groups


def write(function: FunctionVersion, log_stream_name: str, lines: list[LogLine]) -> None:
    """Append events to the environment's log stream, made with its log group when it is not there.

    The caller has set account and Region of the request to those of the function.
    """
    if not lines:
        return
    now_ms = int(time.time() * 1000)
    group_name = function.log_group_name
    group = _groups.get(group_name)
    if group is None:
        group = {
            "arn": _make_group_arn(group_name),
            "creationTime": now_ms,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
        _groups[group_name] = group
    stream = group["streams"].setdefault(
        log_stream_name,
        {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now_ms,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        },
    )
    events = [{"timestamp": line.timestamp_ms, "message": line.message} for line in lines]
    _append(stream, [{**event, "ingestionTime": now_ms} for event in events])
    _fan_out(group_name, log_stream_name, events)
