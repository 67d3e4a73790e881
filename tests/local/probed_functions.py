"""A function that hands on what it was invoked with, for tests of who may invoke a function."""

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
from deployed import DeployedFunction

ACCOUNT = "111122223333"
WAIT_S = 15
# Enough for an event to arrive that must not arrive.
QUIET_S = 1.0

# Answers an API, and hands what it was given to a queue.
HANDLER = """
import json, os
import boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))
    return {"statusCode": 200, "body": "invoked", "isAuthorized": True}
"""


class Probe:
    """A function, and the events that have reached it."""

    def __init__(self, function: DeployedFunction, sqs: Any, queue_url: str) -> None:
        self.function = function
        self.arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
        self._sqs = sqs
        self._queue_url = queue_url

    def permit(self, service: str, source_arn: str | None = None, **parameters: Any) -> None:
        source = {"SourceArn": source_arn} if source_arn else {}
        self.function.client.add_permission(
            FunctionName=self.function.name,
            StatementId=f"s-{secrets.token_hex(4)}",
            Action="lambda:InvokeFunction",
            Principal=service,
            **source,
            **parameters,
        )

    def event(self) -> Any:
        message = self._receive(WAIT_S)
        assert message is not None, "the function was not invoked"
        return message

    def was_not_invoked(self) -> bool:
        return self._receive(QUIET_S) is None

    def _receive(self, wait_s: float) -> Any:
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            answer = self._sqs.receive_message(QueueUrl=self._queue_url, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                handle = message["ReceiptHandle"]
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=handle)
                return json.loads(message["Body"])
        return None


@pytest.fixture(scope="module")
def probe_role(make_client: Callable[..., Any]) -> str:
    """A role that may send messages to queues, and write logs."""
    iam = make_client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    name = f"probe-{secrets.token_hex(4)}"
    arn = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": ["sqs:SendMessage", "logs:*"], "Resource": "*"}
    iam.put_role_policy(
        RoleName=name,
        PolicyName="send",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    return str(arn)


@pytest.fixture
def probe(deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any], probe_role: str) -> Probe:
    """A function that nobody may invoke yet."""
    sqs = make_client("sqs")
    queue_url = sqs.create_queue(QueueName=f"probe-{secrets.token_hex(4)}")["QueueUrl"]
    variables = {"Variables": {"QUEUE_URL": queue_url}}
    return Probe(deploy(HANDLER, Role=probe_role, Environment=variables), sqs, queue_url)
