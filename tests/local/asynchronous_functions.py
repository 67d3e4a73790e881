"""Functions that are invoked asynchronously, for tests."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from deployed import DeployedFunction
from function_roles import create_role

# Counts its attempts in /tmp and writes down the request id of each.
HANDLER = """
import json, os

def handler(event, context):
    path = "/tmp/" + event["id"]
    attempts = [*(json.load(open(path)) if os.path.exists(path) else []), context.aws_request_id]
    json.dump(attempts, open(path, "w"))
    if len(attempts) <= event.get("failures", 0):
        raise ValueError(f"failure {len(attempts)}")
    return attempts
"""


@pytest.fixture(scope="module")
def sender_role(make_client: Callable[..., Any]) -> str:
    """A role that may send to every kind of destination."""
    return create_role(
        make_client,
        ["sqs:SendMessage", "sns:Publish", "lambda:InvokeFunction", "events:PutEvents", "s3:PutObject"],
    )


@pytest.fixture
def send(make_client: Callable[..., Any]) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Invoke asynchronously; returns the request id and the event."""

    def call(function: DeployedFunction, failures: int = 0, **parameters: Any) -> tuple[str, dict[str, Any]]:
        event = {"id": uuid.uuid4().hex, "failures": failures}
        answer = function.client.invoke(
            FunctionName=function.name, InvocationType="Event", Payload=json.dumps(event), **parameters
        )
        assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
        return answer["ResponseMetadata"]["RequestId"], event

    return call


def configure(function: DeployedFunction, **settings: Any) -> Any:
    return function.client.put_function_event_invoke_config(FunctionName=function.name, **settings)


def on_failure(arn: str) -> dict[str, Any]:
    return {"OnFailure": {"Destination": arn}}


def on_success(arn: str) -> dict[str, Any]:
    return {"OnSuccess": {"Destination": arn}}
