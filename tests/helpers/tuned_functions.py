"""Functions to be tuned in tests, and what must be true of one when its tuning is over.

A test module names the fixtures that it takes: `function_name = tuned_functions.function_name`.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from helpers import waiting
from helpers.functions import package

MEMORY_MB = 640
# The longest that Lambda takes, so that nothing can be kept beside it.
DESCRIPTION = "as the reader left it ".ljust(256, ".")

SOURCE = """
import json
import os
import time

MEMORY_MB = int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])


class Refused(Exception):
    pass


def handler(event, context):
    print(json.dumps(event))
    event = event if isinstance(event, dict) else {}
    if event.get("hog_mb"):
        ballast = bytes(range(256)) * 4096 * event["hog_mb"]
    if event.get("refuse_below_mb", 0) > MEMORY_MB:
        raise Refused("too small for this")
    if event.get("stall_below_mb", 0) > MEMORY_MB:
        time.sleep(60)
    deadline = time.process_time() + event.get("cpu_s", 0)
    while time.process_time() < deadline:
        pass
    time.sleep(event.get("wait_s", 0))
    return {"answer": event, "memory_mb": MEMORY_MB}


def prepare(event, context):
    print(json.dumps(event))
    if event.get("fail"):
        raise Refused("as asked")
    return event.get("becomes")
"""


@pytest.fixture(scope="module")
def lambda_client(make_client: Callable[..., Any]) -> Any:
    return make_client("lambda")


@pytest.fixture(scope="module")
def logs(make_client: Callable[..., Any]) -> Any:
    return make_client("logs")


@pytest.fixture
def function_name(lambda_client: Any, lambda_role: str) -> Iterator[str]:
    """A function that the test may tune; it is deleted afterwards."""
    name = create(lambda_client, lambda_role)
    yield name
    delete(lambda_client, name)


def create(
    lambda_client: Any,
    role_arn: str,
    handler: str = "app.handler",
    name: str | None = None,
    **parameters: Any,
) -> str:
    """The name of a new function that may be invoked."""
    name = name or f"tuned-{uuid.uuid4().hex[:8]}"
    settings = {"MemorySize": MEMORY_MB, "Timeout": 10, "Description": DESCRIPTION, **parameters}
    lambda_client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role_arn,
        Handler=handler,
        Code={"ZipFile": package(texts={"app.py": SOURCE})},
        **settings,
    )
    waiter = lambda_client.get_waiter("function_active_v2")
    waiter.wait(FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 200})
    return name


def delete(lambda_client: Any, name: str) -> None:
    with suppress(lambda_client.exceptions.ResourceNotFoundException):
        lambda_client.delete_function(FunctionName=name)


def aliases(lambda_client: Any, name: str) -> dict[str, str]:
    """The version that each alias of a function names."""
    pages = lambda_client.get_paginator("list_aliases").paginate(FunctionName=name)
    return {alias["Name"]: alias["FunctionVersion"] for page in pages for alias in page["Aliases"]}


def versions(lambda_client: Any, name: str) -> list[str]:
    """The published versions of a function."""
    pages = lambda_client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    numbers = [version["Version"] for page in pages for version in page["Versions"]]
    return [number for number in numbers if number != "$LATEST"]


def arn_of(lambda_client: Any, name: str) -> str:
    """The ARN of a function, without a qualifier."""
    return str(lambda_client.get_function_configuration(FunctionName=name)["FunctionArn"])


def events_seen(logs: Any, function_name: str, minimum: int) -> list[Any]:
    """The events that a function has printed, one JSON text each."""
    log_group = f"/aws/lambda/{function_name}"

    def printed() -> list[Any]:
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=log_group)
            messages = [event["message"] for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [json.loads(message) for message in messages if message.startswith("{")]

    return waiting.wait_until(printed, f"{minimum} events", lambda events: len(events) >= minimum)


def assert_as_before(lambda_client: Any, name: str) -> None:
    configuration = lambda_client.get_function_configuration(FunctionName=name)
    assert configuration["MemorySize"] == MEMORY_MB
    assert configuration["Description"] == DESCRIPTION
    assert versions(lambda_client, name) == []
    assert aliases(lambda_client, name) == {}


def on_call(
    lambda_client: Any, operation: str, act: Callable[[], None], moment: str = "before", times: int = 1
) -> None:
    """`act` when the client makes the `times`-th call of an operation, or when that has been answered."""
    calls = 0

    def count(**_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == times:
            act()

    lambda_client.meta.events.register_first(f"{moment}-call.lambda.{operation}", count)
