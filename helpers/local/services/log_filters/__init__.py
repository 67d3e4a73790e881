"""Filter patterns of CloudWatch Logs, for all that uses them.

Restores: FilterLogEvents, which MiniStack ends after 10,000 events without a token; the filter
patterns, of which it reads a fragment and takes the rest for "everything"; metric filters, which it
stores and never applies; TestMetricFilter, which it lacks.

AWS: CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters,
filter log events, and Live Tail".

To be installed before what writes logs, which takes the replaced functions when it is imported.
"""

import asyncio
import json
from typing import Any

from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.functions.refusal import preceded_by, refusing
from helpers.local.patches import invoke_permissions_logs
from helpers.local.services.log_filters import api, metric_filters
from helpers.local.services.log_filters.parser import parse


def install() -> None:
    for name, check in (
        ("_put_metric_filter", api.check_metric_filter),
        ("_put_subscription_filter", api.check_subscription_filter),
        ("_start_live_tail", api.check_live_tail),
    ):
        handler = contract.expect(cloudwatch_logs, name, ("data",))
        setattr(cloudwatch_logs, name, preceded_by(check, handler))
    # Live Tail asks the one; the delivery to subscribers took the other when it was imported.
    for owner, name in (
        (cloudwatch_logs, "_subscription_pattern_matches"),
        (invoke_permissions_logs, "_matches"),
    ):
        contract.replace(owner, name, ("pattern", "message"), _matches)
    _publish_metrics_on_arrival()
    _answer_in_threads()


def _matches(pattern: str, message: str) -> bool:
    return parse(pattern).match(message) is not None


def _publish_metrics_on_arrival() -> None:
    """Where PutLogEvents and Lambda pass on what they stored."""
    parameters = ("group_name", "stream_name", "events")
    fan_out = contract.expect(cloudwatch_logs, "_fanout_to_subscription_filters", parameters)

    def publish_and_fan_out(group_name: str, stream_name: str, events: list[dict[str, Any]]) -> None:
        metric_filters.publish(group_name, events)
        fan_out(group_name, stream_name, events)

    cloudwatch_logs._fanout_to_subscription_filters = publish_and_fan_out


def _answer_in_threads() -> None:
    """A search through many log events must not keep all other requests waiting."""
    operations = {
        "FilterLogEvents": refusing(api.filter_log_events),
        "TestMetricFilter": refusing(api.test_metric_filter),
    }
    parameters = ("method", "path", "headers", "body", "query_params")
    handle = contract.expect(cloudwatch_logs, "handle_request", parameters)

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any
    ) -> Any:
        operation = operations.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if operation is None:
            return await handle(method, path, headers, body, query_params)
        return await asyncio.to_thread(operation, json.loads(body or b"{}"))

    cloudwatch_logs.handle_request = handle_request
