"""Functions to measure, on the local AWS of the test run."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from helpers import functions

_numbers = itertools.count(1)


@pytest.fixture
def deploy(make_client: Callable[..., Any], lambda_role: str) -> Iterator[Callable[..., str]]:
    """`deploy({"index.py": source}, MemorySize=1769)`: the name of a function, deleted after the test."""
    client = make_client("lambda")
    names: list[str] = []

    def create(files: dict[str, str], **parameters: Any) -> str:
        name = f"benchmark-{next(_numbers)}"
        defaults = {
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": lambda_role,
            "MemorySize": 1769,
            "Timeout": 60,
        }
        client.create_function(
            FunctionName=name, Code={"ZipFile": functions.package(texts=files)}, **{**defaults, **parameters}
        )
        names.append(name)
        client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
        return name

    yield create
    for name in names:
        client.delete_function(FunctionName=name)
