"""EventBridge invokes a function only when the function's policy or the schedule's role lets it.

AWS behaviour restored (EventBridge user guide, "Using resource-based policies for Amazon
EventBridge", "Using dead-letter queues to process undelivered events", "Monitoring Amazon
EventBridge"; EventBridge Scheduler user guide, "Setting up the execution role"): a rule needs a
permission on the function, a schedule a role that may invoke it; without it nothing is invoked,
the event goes to the target's dead-letter queue, if any, and FailedInvocations counts it. Events
are handed to Lambda's asynchronous queue, with its retries.
"""

import contextvars
import json
from dataclasses import dataclass
from typing import Any

from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, eventbridge, sqs

from helpers.local import contract
from helpers.local.functions.clients import client, queue_url
from helpers.local.functions.invocation_rights import (
    InvocationDenied,
    Invoker,
    find,
    role_trusts,
)
from helpers.local.functions.role_permissions import role_allows
from helpers.local.patches.asynchronous_invocation import invocations, invoke_for

RULES = "events.amazonaws.com"
SCHEDULES = "scheduler.amazonaws.com"

_record_metric = contract.expect(
    cloudwatch, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")
)
_queue_policy_allows = contract.expect(
    sqs, "queue_policy_allows", ("queue_arn", "service", "source_arn", "source_account")
)


@dataclass(frozen=True)
class _Delivery:
    """What is on its way to a target: the emulator's rule or schedule, and its target."""

    rule: dict[str, Any]
    target: dict[str, Any]


_delivery: contextvars.ContextVar[_Delivery] = contextvars.ContextVar("delivery")


def install() -> None:
    original = contract.expect(eventbridge, "_invoke_target", ("target", "event", "rule", "view"))

    def invoke_target(
        target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        token = _delivery.set(_Delivery(rule, target))
        try:
            original(target, event, rule, view)
        finally:
            _delivery.reset(token)

    eventbridge._invoke_target = invoke_target
    contract.replace(eventbridge, "_dispatch_to_lambda", ("arn", "payload"), _dispatch_to_lambda)


def _dispatch_to_lambda(arn: str, payload: str) -> None:
    delivery = _delivery.get()
    event = _as_json(payload)
    try:
        if ":scheduler:" in delivery.rule["Arn"]:
            _invoke_as(delivery.target.get("RoleArn", ""), arn, event)
        else:
            account_id = delivery.rule["Arn"].split(":")[4]
            invoke_for(Invoker(RULES, delivery.rule["Arn"], account_id), arn, event)
    except InvocationDenied as denied:
        _report(delivery, arn, payload, denied)


def _as_json(payload: str) -> bytes:
    """What an input transformer makes may be plain text, which reaches a function as a JSON string."""
    try:
        json.loads(payload)
    except ValueError:
        return json.dumps(payload).encode()
    return payload.encode()


def _invoke_as(role_arn: str, function_arn: str, payload: bytes) -> None:
    if find(function_arn) is None:
        raise InvocationDenied("RESOURCE_NOT_FOUND", f"Function not found: {function_arn}")
    allowed = role_trusts(role_arn, SCHEDULES) and role_allows(
        role_arn, "lambda:InvokeFunction", function_arn, get_region()
    )
    if not allowed:
        raise InvocationDenied("NO_PERMISSIONS", f"{role_arn} may not invoke {function_arn}")
    invocations().enqueue(function_arn, payload)


def _report(delivery: _Delivery, arn: str, payload: str, denied: InvocationDenied) -> None:
    rule = delivery.rule
    if ":scheduler:" in rule["Arn"]:
        service, namespace, metric = SCHEDULES, "AWS/Scheduler", "TargetErrorCount"
        dimensions = {"ScheduleGroup": rule.get("GroupName", "default")}
    else:
        service, namespace, metric = RULES, "AWS/Events", "FailedInvocations"
        dimensions = {"RuleName": rule["Name"]}
        if rule.get("EventBusName", "default") != "default":
            dimensions["EventBusName"] = rule["EventBusName"]
    _record_metric(namespace, metric, 1, "Count", dimensions)
    # A missing permission or function is not retried.
    dead_letters = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
    if dead_letters and _queue_policy_allows(dead_letters, service, rule["Arn"], get_account_id()):
        attributes = {
            "ERROR_CODE": denied.code,
            "ERROR_MESSAGE": str(denied),
            "RULE_ARN": rule["Arn"],
            "TARGET_ARN": arn,
        }
        # Not on the thread that serves requests, which this request would wait for.
        spawn_background(_send_dead_letter, dead_letters, payload, attributes)


def _send_dead_letter(queue_arn: str, body: str, attributes: dict[str, str]) -> None:
    _, _, _, region, account_id, _ = queue_arn.split(":")
    owner = {"AWS_ACCESS_KEY_ID": account_id, "AWS_SECRET_ACCESS_KEY": "test"}
    client("sqs", region, owner).send_message(
        QueueUrl=queue_url(queue_arn),
        MessageBody=body,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    )
