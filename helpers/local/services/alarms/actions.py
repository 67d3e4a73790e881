"""What CloudWatch does when an alarm has changed its state.

AWS: CloudWatch user guide, "Alarm actions", "Alarm events and EventBridge" and "Invoke a Lambda function
from an alarm".
"""

import logging
import uuid
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import eventbridge, sns

from helpers.local import contract
from helpers.local.functions.invocation_rights import InvocationDenied, Invoker
from helpers.local.services.alarms import messages
from helpers.local.services.alarms.definition import ALARM, INSUFFICIENT_DATA, OK
from helpers.local.services.alarms.states import Transition, last_transition, record_action

ACTIONS_OF_STATE = {
    ALARM: "AlarmActions",
    OK: "OKActions",
    INSUFFICIENT_DATA: "InsufficientDataActions",
}
SERVICE = "cloudwatch.amazonaws.com"
INVOKING_SERVICE = "lambda.alarms.cloudwatch.amazonaws.com"

_put_events = contract.expect(eventbridge, "_put_events", ("data", "allow_aws_source"))
_topic = contract.expect(sns, "_topic_by_arn_any_scope", ("topic_arn",))
_topic_allows = contract.expect(
    sns, "topic_policy_allows", ("topic_arn", "service", "source_arn", "source_account")
)
_fan_out = contract.expect(sns, "_fanout", None)

_logger = logging.getLogger("cloudwatch.alarms")


class ActionFailed(Exception):
    """What the history says after `Received error`."""


def announce(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
    """Called by the emulator for each change of a state, after it was recorded in the history."""
    transition = last_transition(alarm["AlarmName"])
    if alarm.get("ActionsEnabled", True):
        for arn in alarm.get(ACTIONS_OF_STATE[new_state]) or []:
            _execute(arn, alarm, transition)
    _put_events({"Entries": [messages.event(alarm, transition)]}, allow_aws_source=True)


def _execute(action_arn: str, alarm: dict[str, Any], transition: Transition) -> None:
    error = None
    try:
        if action_arn.split(":")[2] == "lambda":
            _invoke(action_arn, alarm, transition)
        else:
            _publish(action_arn, alarm, transition)
    except ActionFailed as failure:
        error = str(failure)
        _logger.warning("%s: action %s failed: %s", alarm["AlarmName"], action_arn, error)
    record_action(alarm, action_arn, error)


def _publish(topic_arn: str, alarm: dict[str, Any], transition: Transition) -> None:
    if _topic(topic_arn) is None:
        raise ActionFailed("Topic does not exist")
    if not _topic_allows(topic_arn, SERVICE, alarm["AlarmArn"], get_account_id()):
        raise ActionFailed(
            f"Resource: {alarm['AlarmArn']} is not authorized to perform: SNS:Publish on resource: "
            f"{topic_arn}"
        )
    subject, message = messages.notification(alarm, transition)
    _fan_out(topic_arn, str(uuid.uuid4()), message, subject)


def _invoke(function_arn: str, alarm: dict[str, Any], transition: Transition) -> None:
    # Imported late: the queue belongs to what is installed after this service.
    from helpers.local.patches.asynchronous_invocation import invoke_for

    invoker = Invoker(INVOKING_SERVICE, alarm["AlarmArn"], get_account_id())
    try:
        invoke_for(invoker, function_arn, messages.function_event(alarm, transition))
    except InvocationDenied as denied:
        raise ActionFailed(str(denied)) from denied
