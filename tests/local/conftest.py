"""Functions for the tests of Lambda execution."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alarmed_metrics import alarms  # noqa: F401
from asynchronous_functions import send, sender_role  # noqa: F401
from deployed import DeployedFunction, zipped
from event_source_fixtures import mapped, mapped_once, queue, reader_role, stream, table  # noqa: F401
from java_functions import deploy_java, java_package  # noqa: F401
from probed_functions import probe, probe_role  # noqa: F401

from helpers.local.functions.sandbox.isolation import unshare_command

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def view_of_lambda() -> None:
    """For tests of the file system that functions see where this machine can isolate them."""
    if not unshare_command():
        pytest.skip("functions see this machine's own file system here: see `workshop doctor`")


@pytest.fixture
def deploy(make_client: Callable[..., Any], lambda_role: str) -> Iterator[Callable[..., DeployedFunction]]:
    """`deploy(source, Timeout=5)`: a Python function of that module; keywords go to CreateFunction."""
    client = make_client("lambda")
    deployed: list[DeployedFunction] = []

    def create(source: str | None = None, **parameters: Any) -> DeployedFunction:
        function = DeployedFunction(client, parameters.pop("FunctionName", f"test-function-{next(_numbers)}"))
        defaults = {
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": lambda_role,
            "MemorySize": 1769,
            "Timeout": 10,
        }
        if source is not None:
            defaults["Code"] = {"ZipFile": zipped({"index.py": source})}
        client.create_function(FunctionName=function.name, **{**defaults, **parameters})
        deployed.append(function)
        client.get_waiter("function_active_v2").wait(
            FunctionName=function.name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
        return function

    yield create
    for function in deployed:
        client.delete_function(FunctionName=function.name)
