"""SNS, S3 and AWS IoT invoke a function only when the function's policy lets them.

AWS behaviour restored (developer guide, "Granting Lambda function access to AWS services"; SNS
developer guide, "Amazon SNS message delivery retries" and "Dead-letter queues"; S3 user guide,
"Granting permissions to publish event notification messages to a destination"): a topic without
the permission delivers nothing, counts NumberOfNotificationsFailed and uses the subscription's
dead-letter queue; a bucket's notification configuration is refused. Events are handed to Lambda's
asynchronous queue, with its retries.
"""

import contextvars
import json
import logging
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import cloudwatch, iot, s3, sns

from helpers.local import contract
from helpers.local.functions.invocation_rights import InvocationDenied, Invoker, may_invoke
from helpers.local.patches.asynchronous_invocation import invoke_for

logger = logging.getLogger("lambda.permissions")

_record_metric = contract.expect(
    cloudwatch, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")
)
_to_queue = contract.expect(
    sns,
    "_deliver_to_sqs",
    (
        "endpoint",
        "envelope",
        "raw",
        "raw_message",
        "message_group_id",
        "message_dedup_id",
        "message_attributes",
        "topic_arn",
    ),
)
_find_topic = contract.expect(sns, "_topic_by_arn_any_scope")
_bucket_owner = contract.expect(s3, "_bucket_owner_account", ("name",))

_iot_rule_arn: contextvars.ContextVar[str] = contextvars.ContextVar("iot_rule_arn")


def install() -> None:
    contract.replace(
        sns,
        "_deliver_to_lambda",
        ("endpoint", "envelope", "topic_arn", "sub_arn", "msg_id", "raw_message", "message_attributes"),
        _from_topic,
    )
    contract.replace(s3, "_deliver_event_to_lambda", ("arn", "event_payload", "bucket_region"), _from_bucket)
    validate = contract.expect(
        s3,
        "_validate_notification_configs",
        ("configs", "bucket_region", "bucket_name", "skip_destination_validation"),
    )
    contract.expect(s3, "_invalid_notification_config", ("message",))

    def validate_notifications(
        configs: list[dict[str, Any]],
        bucket_region: str,
        bucket_name: str = "",
        skip_destination_validation: bool = False,
    ) -> Any:
        refused = validate(configs, bucket_region, bucket_name, skip_destination_validation)
        if refused or skip_destination_validation:
            return refused
        return _refuse_functions(configs, bucket_name)

    s3._validate_notification_configs = validate_notifications
    _install_iot()


def _from_topic(
    endpoint: str,
    envelope: str,
    topic_arn: str,
    sub_arn: str,
    msg_id: str,
    raw_message: str,
    message_attributes: dict[str, Any],
) -> None:
    event = {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": sub_arn,
                "Sns": json.loads(envelope),
            }
        ]
    }
    invoker = Invoker("sns.amazonaws.com", topic_arn, topic_arn.split(":")[4])
    try:
        invoke_for(invoker, endpoint, json.dumps(event).encode())
    except InvocationDenied as denied:
        logger.warning("%s: %s", topic_arn, denied)
        dimensions = {"TopicName": topic_arn.rpartition(":")[2]}
        _record_metric("AWS/SNS", "NumberOfNotificationsFailed", 1, "Count", dimensions)
        dead_letters = _dead_letter_queue(topic_arn, sub_arn)
        if dead_letters:
            _to_queue(dead_letters, envelope, False, raw_message, topic_arn=topic_arn)


def _dead_letter_queue(topic_arn: str, subscription_arn: str) -> str | None:
    topic = _find_topic(topic_arn) or {}
    for subscription in topic.get("subscriptions", []):
        if subscription["arn"] == subscription_arn:
            policy = json.loads((subscription.get("attributes") or {}).get("RedrivePolicy") or "{}")
            target: str | None = policy.get("deadLetterTargetArn")
            return target
    return None


def _from_bucket(arn: str, event_payload: dict[str, Any], bucket_region: str) -> None:
    bucket = event_payload["Records"][0]["s3"]["bucket"]["name"]
    try:
        invoke_for(_bucket_as_invoker(bucket), arn, json.dumps(event_payload).encode())
    except InvocationDenied as denied:
        # The permission was there when notifications were configured; S3 tells no one either.
        logger.warning("%s: %s", bucket, denied)


def _bucket_as_invoker(bucket: str) -> Invoker:
    return Invoker("s3.amazonaws.com", f"arn:aws:s3:::{bucket}", _bucket_owner(bucket) or get_account_id())


def _refuse_functions(configs: list[dict[str, Any]], bucket: str) -> Any:
    invoker = _bucket_as_invoker(bucket)
    refused = [
        config["arn"]
        for config in configs
        if config["type"] == "lambda" and not may_invoke(config["arn"], invoker)
    ]
    if not refused:
        return None
    return s3._invalid_notification_config(
        f"Unable to validate the following destination configurations: {', '.join(refused)}"
    )


def _install_iot() -> None:
    parameters = ("account_id", "region", "rule_name", "action", "event")
    original = contract.expect(iot, "_dispatch_rule_action", parameters)

    async def dispatch_rule_action(
        account_id: str, region: str, rule_name: str, action: dict[str, Any], event: Any
    ) -> None:
        token = _iot_rule_arn.set(f"arn:aws:iot:{region}:{account_id}:rule/{rule_name}")
        try:
            await original(account_id, region, rule_name, action, event)
        finally:
            _iot_rule_arn.reset(token)

    iot._dispatch_rule_action = dispatch_rule_action
    contract.replace(
        iot, "_dispatch_rule_to_lambda", ("account_id", "region", "function_arn", "event"), _from_iot_rule
    )


def _from_iot_rule(account_id: str, region: str, function_arn: str, event: Any) -> None:
    """Raises InvocationDenied, on which AWS IoT takes the rule's error action."""
    invoker = Invoker("iot.amazonaws.com", _iot_rule_arn.get(), account_id)
    invoke_for(invoker, function_arn, json.dumps(event).encode())
