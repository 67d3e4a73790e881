"""Alarms of CloudWatch that are evaluated as AWS evaluates them.

Restores: an alarm watches the metric with exactly its dimensions, M out of N periods, by its treatment of
missing data, as time passes and not on PutMetricData alone; its history says what happened and why; topics
and functions are told, and EventBridge gets `CloudWatch Alarm State Change`. MiniStack keeps its alarms,
their tags and the rules of composite alarms.

AWS: CloudWatch user guide, "Using Amazon CloudWatch alarms"; API reference, "PutMetricAlarm".
"""

from typing import Any

from ministack.services import cloudwatch

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.services.alarms import handlers, requests, states
from helpers.local.services.alarms.actions import announce
from helpers.local.services.alarms.evaluator import Evaluator

_HANDLER = ("params", "cbor_data", "is_cbor", "is_json")


def install() -> None:
    evaluator = Evaluator()
    contract.replace(
        cloudwatch, "_evaluate_alarm", ("alarm",), lambda alarm: evaluator.schedule([alarm["AlarmName"]])
    )
    # PutMetricData, which calls it, has the alarms evaluated that it concerns.
    contract.replace(cloudwatch, "_evaluate_all_alarms", (), lambda: None)
    history = ("alarm_name", "old_state", "new_state", "reason", "alarm_type", "reason_data")
    contract.replace(cloudwatch, "_record_history", history, states.record_history)
    actions = ("alarm", "old_state", "new_state", "reason")
    contract.replace(cloudwatch, "_dispatch_alarm_actions", actions, announce)
    _wrap_handlers(evaluator)
    _check_templates()


def _wrap_handlers(evaluator: Evaluator) -> None:
    def original(name: str) -> Any:
        return contract.expect(cloudwatch, name, _HANDLER)

    for name, operation in (
        ("_put_metric_alarm", handlers.putting_metric_alarm(original("_put_metric_alarm"))),
        ("_put_composite_alarm", handlers.putting_composite_alarm(original("_put_composite_alarm"))),
        ("_set_alarm_state", handlers.setting_state(original("_set_alarm_state"))),
        ("_put_metric_data", handlers.putting_metric_data(original("_put_metric_data"), evaluator)),
        ("_describe_alarms_for_metric", handlers.describe_alarms_for_metric),
    ):
        contract.replace(cloudwatch, name, _HANDLER, handlers.handler_of(operation))


def _check_templates() -> None:
    """An alarm of a CloudFormation template that could not be evaluated makes the stack fail."""
    put = contract.expect(cloudwatch, "cloudformation_put_metric_alarm", ("alarm",))

    def put_metric_alarm(alarm: dict[str, Any]) -> None:
        try:
            requests.check_configuration(alarm)
        except Refused as refused:
            raise ValueError(refused.message) from refused
        put(alarm)

    cloudwatch.cloudformation_put_metric_alarm = put_metric_alarm
