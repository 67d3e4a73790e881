"""What is written to log groups is counted as CloudWatch Logs bills it.

Restores: the metrics IncomingBytes and IncomingLogEvents of namespace AWS/Logs, of each log group and of
all of the account, for PutLogEvents and for what Lambda writes. CloudWatch Logs user guide, "Monitoring
usage with CloudWatch metrics"; API reference, "PutLogEvents", on the 26 bytes of each event.

To be installed before what writes logs, which takes the replaced function when it is imported.
"""

from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from helpers.local import contract
from helpers.local.patches.log_ingestion import billed_bytes

NAMESPACE = "AWS/Logs"


def install() -> None:
    parameters = ("namespace", "metric_name", "value", "unit", "dimensions")
    contract.expect(cloudwatch, "record_metric", parameters)
    # Where PutLogEvents and Lambda pass on what they stored.
    fan_out = contract.expect(
        cloudwatch_logs, "_fanout_to_subscription_filters", ("group_name", "stream_name", "events")
    )

    def count_and_fan_out(group_name: str, stream_name: str, events: list[dict[str, Any]]) -> None:
        if events:
            _record(group_name, events)
        fan_out(group_name, stream_name, events)

    cloudwatch_logs._fanout_to_subscription_filters = count_and_fan_out


def _record(group_name: str, events: list[dict[str, Any]]) -> None:
    size_bytes = billed_bytes(events)
    for dimensions in ({"LogGroupName": group_name}, {}):
        # Asked for each time: the storage of metrics is replaced after this module is installed.
        cloudwatch.record_metric(NAMESPACE, "IncomingBytes", size_bytes, "Bytes", dimensions)
        cloudwatch.record_metric(NAMESPACE, "IncomingLogEvents", len(events), "None", dimensions)
