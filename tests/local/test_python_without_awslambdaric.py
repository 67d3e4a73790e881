"""Where AWS's Python client does not exist (macOS), a loop of ours serves functions the same way."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from deployed import DeployedFunction, zipped

from helpers import local_aws

SOURCE = """
import logging
calls = 0
def handler(event, context):
    global calls
    calls += 1
    print("printed")
    logging.warning("two\\nlines")
    if event.get("fails"):
        raise KeyError("missing")
    remaining_ms = context.get_remaining_time_in_millis()
    return {"calls": calls, "request": context.aws_request_id, "in_time": 0 < remaining_ms <= 10_000}
"""


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WORKSHOP_PYTHON_CLIENT", "loop")
        running = local_aws.start(enforce_iam=False)
    yield boto3.client(
        "lambda", region_name="us-east-1", endpoint_url=running.endpoint_url, **running.credentials
    )
    running.stop()


def deploy(client: Any, name: str, source: str) -> DeployedFunction:
    client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role="arn:aws:iam::111122223333:role/any",
        Code={"ZipFile": zipped({"index.py": source})},
        Timeout=10,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return DeployedFunction(client, name)


def test_a_function_answers_logs_and_keeps_its_state(client: Any) -> None:
    function = deploy(client, "answers", SOURCE)
    first, second = function.invoke(), function.invoke()
    assert (first.payload["calls"], second.payload["calls"]) == (1, 2)
    assert second.payload["request"] == second.request_id
    assert second.payload["in_time"]
    lines = second.log.splitlines()
    assert lines[1] == "printed"
    assert lines[2].startswith("[WARNING]\t")
    assert lines[2].endswith(f"{second.request_id}\ttwo")
    assert lines[3] == "lines"


def test_an_exception_is_returned_and_the_environment_stays(client: Any) -> None:
    function = deploy(client, "fails", SOURCE)
    function.invoke()
    answer = function.invoke({"fails": True})
    assert answer.function_error == "Unhandled"
    assert answer.payload["errorType"] == "KeyError"
    assert "in handler" in answer.payload["stackTrace"][0]
    assert function.invoke().payload["calls"] == 3


def test_a_handler_that_cannot_be_imported(client: Any) -> None:
    function = deploy(client, "absent-import", "import absent_module\n")
    answer = function.invoke()
    assert answer.payload["errorType"] == "Runtime.ImportModuleError"
    assert "absent_module" in answer.payload["errorMessage"]
