"""Fixtures of the tests of event source mappings."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from deployed import DeployedFunction, zipped
from function_roles import create_role
from mapped_functions import HANDLER, MappedFunction, Queue, Stream, Table

READ_SOURCES = [
    *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    *("kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream"),
    *("kinesis:DescribeStreamSummary", "kinesis:ListShards"),
    *("dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"),
]
WRITE_DESTINATIONS = ["sqs:SendMessage", "sns:Publish", "s3:PutObject"]


@pytest.fixture(scope="module")
def reader_role(make_client: Callable[..., Any]) -> str:
    """A role that may read every kind of source and write to every kind of destination."""
    return create_role(make_client, READ_SOURCES + WRITE_DESTINATIONS)


@pytest.fixture
def mapped(
    make_client: Callable[..., Any], deploy: Callable[..., DeployedFunction], reader_role: str
) -> Iterator[Callable[..., MappedFunction]]:
    """`mapped(source, Timeout=3)`: a function whose mappings end with the test."""
    made: list[MappedFunction] = []

    def make(source: str = HANDLER, **parameters: Any) -> MappedFunction:
        function = deploy(source, **{"Role": reader_role, **parameters})
        made.append(MappedFunction(function, make_client("logs")))
        return made[-1]

    yield make
    for each in made:
        each.delete_mappings()


@pytest.fixture(scope="module")
def mapped_once(make_client: Callable[..., Any], reader_role: str) -> Iterator[MappedFunction]:
    """One function for all tests of a module that look at nothing but refusals."""
    client = make_client("lambda")
    function = DeployedFunction(client, f"mapped-{secrets.token_hex(4)}")
    client.create_function(
        FunctionName=function.name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=reader_role,
        Code={"ZipFile": zipped({"index.py": HANDLER})},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 1})
    yield MappedFunction(function, make_client("logs"))
    client.delete_function(FunctionName=function.name)


@pytest.fixture
def stream(make_client: Callable[..., Any]) -> Stream:
    return Stream(make_client)


@pytest.fixture
def queue(make_client: Callable[..., Any]) -> Queue:
    return Queue(make_client)


@pytest.fixture
def table(make_client: Callable[..., Any]) -> Table:
    return Table(make_client)
