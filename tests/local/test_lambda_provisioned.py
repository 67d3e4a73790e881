"""Provisioned concurrency: environments that have initialised before the first request."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction, zipped

HANDLER = """
import os, time
time.sleep(float(os.environ.get("INIT_S", "0")))
INITIALISED = time.time()

def handler(event, context):
    time.sleep(event.get("busy_s", 0))
    return {
        "initialised": INITIALISED,
        "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
        "version": context.function_version,
    }
"""
WAIT_S = 20


@pytest.fixture
def function(deploy: Callable[..., DeployedFunction]) -> DeployedFunction:
    """A function with version 1 and the alias `live` that points to it."""
    deployed = deploy(HANDLER)
    deployed.client.publish_version(FunctionName=deployed.name)
    deployed.client.create_alias(FunctionName=deployed.name, Name="live", FunctionVersion="1")
    return deployed


def put(function: DeployedFunction, qualifier: str, count: int) -> Any:
    return function.client.put_provisioned_concurrency_config(
        FunctionName=function.name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )


def read(function: DeployedFunction, qualifier: str) -> Any:
    return function.client.get_provisioned_concurrency_config(FunctionName=function.name, Qualifier=qualifier)


def settled(function: DeployedFunction, qualifier: str) -> Any:
    """The configuration once it is no longer in progress."""
    deadline = time.monotonic() + WAIT_S
    while (config := read(function, qualifier))["Status"] == "IN_PROGRESS":
        assert time.monotonic() < deadline, "still in progress"
        time.sleep(0.05)
    return config


def publish(function: DeployedFunction, source: str) -> str:
    client, name = function.client, function.name
    client.update_function_code(FunctionName=name, ZipFile=zipped({"index.py": source}))
    client.get_waiter("function_updated_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )
    return str(client.publish_version(FunctionName=name)["Version"])


def refusal(call: Callable[..., Any], *arguments: Any, **keywords: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **keywords)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_the_first_invocation_is_warm(function: DeployedFunction) -> None:
    """Developer guide, "Configuring provisioned concurrency": environments are pre-initialised."""
    accepted = put(function, "live", 1)
    assert accepted["Status"] == "IN_PROGRESS"
    assert accepted["AvailableProvisionedConcurrentExecutions"] == 0
    ready = settled(function, "live")
    assert (ready["Status"], ready["AvailableProvisionedConcurrentExecutions"]) == ("READY", 1)
    before = time.time()
    answer = function.invoke(Qualifier="live")
    assert answer.payload["type"] == "provisioned-concurrency"
    assert answer.payload["initialised"] < before
    assert "Init Duration" not in answer.report
    on_demand = function.invoke()
    assert on_demand.payload["type"] == "on-demand"
    assert "Init Duration" in on_demand.report


def test_it_is_in_progress_until_the_environments_have_initialised(
    deploy: Callable[..., DeployedFunction],
) -> None:
    """API reference, "GetProvisionedConcurrencyConfig": Status, Available... and Allocated..."""
    function = deploy(HANDLER, Environment={"Variables": {"INIT_S": "0.5"}})
    function.client.publish_version(FunctionName=function.name)
    put(function, "1", 2)
    seen = set()
    while (config := read(function, "1"))["Status"] == "IN_PROGRESS":
        seen.add(config["AvailableProvisionedConcurrentExecutions"])
        time.sleep(0.02)
    assert 1 in seen
    assert config["AvailableProvisionedConcurrentExecutions"] == 2


def test_more_requests_than_provisioned_spill_over(function: DeployedFunction) -> None:
    """Developer guide, ... provisioned concurrency: the rest is served on demand."""
    put(function, "live", 1)
    settled(function, "live")
    with ThreadPoolExecutor(3) as callers:
        answers = list(callers.map(lambda _: function.invoke({"busy_s": 1}, Qualifier="live"), range(3)))
    types = sorted(answer.payload["type"] for answer in answers)
    assert types == ["on-demand", "on-demand", "provisioned-concurrency"]


def test_it_fails_when_the_function_cannot_initialise(deploy: Callable[..., DeployedFunction]) -> None:
    """API reference, "GetProvisionedConcurrencyConfig": Status FAILED with a StatusReason."""
    function = deploy("raise RuntimeError('not today')\n")
    function.client.publish_version(FunctionName=function.name)
    put(function, "1", 1)
    config = settled(function, "1")
    assert (config["Status"], config["StatusReason"]) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE")
    assert config["AvailableProvisionedConcurrentExecutions"] == 0


def test_it_can_be_changed_listed_and_deleted(function: DeployedFunction) -> None:
    """API reference, "ListProvisionedConcurrencyConfigs", "DeleteProvisionedConcurrencyConfig"."""
    name = {"FunctionName": function.name}
    assert function.client.list_provisioned_concurrency_configs(**name)["ProvisionedConcurrencyConfigs"] == []
    for count in (1, 2, 1):
        put(function, "1", count)
        assert settled(function, "1")["AvailableProvisionedConcurrentExecutions"] == count
    (listed,) = function.client.list_provisioned_concurrency_configs(**name)["ProvisionedConcurrencyConfigs"]
    assert listed["FunctionArn"].endswith(f":{function.name}:1")
    assert listed["RequestedProvisionedConcurrentExecutions"] == 1
    function.client.delete_provisioned_concurrency_config(**name, Qualifier="1")
    code, _ = refusal(read, function, "1")
    assert code == "ProvisionedConcurrencyConfigNotFoundException"
    assert function.invoke(Qualifier="1").payload["type"] == "on-demand"


def test_it_can_be_deleted_while_it_is_in_progress(deploy: Callable[..., DeployedFunction]) -> None:
    """API reference, "DeleteProvisionedConcurrencyConfig": nothing of it is used any more."""
    function = deploy(HANDLER, Environment={"Variables": {"INIT_S": "0.5"}})
    function.client.publish_version(FunctionName=function.name)
    put(function, "1", 3)
    function.client.delete_provisioned_concurrency_config(FunctionName=function.name, Qualifier="1")
    assert refusal(read, function, "1")[0] == "ProvisionedConcurrencyConfigNotFoundException"
    time.sleep(1)
    assert function.invoke(Qualifier="1").payload["type"] == "on-demand"


def test_it_follows_its_alias(function: DeployedFunction) -> None:
    """Developer guide, ... provisioned concurrency: on an alias, and when the alias changes."""
    put(function, "live", 1)
    settled(function, "live")
    second = publish(function, HANDLER + "\n# changed\n")
    function.client.update_alias(FunctionName=function.name, Name="live", FunctionVersion=second)
    assert settled(function, "live")["Status"] == "READY"
    answer = function.invoke(Qualifier="live").payload
    assert (answer["version"], answer["type"]) == ("2", "provisioned-concurrency")
    assert function.invoke(Qualifier="1").payload["type"] == "on-demand"
    function.client.delete_alias(FunctionName=function.name, Name="live")
    listed = function.client.list_provisioned_concurrency_configs(FunctionName=function.name)
    assert listed["ProvisionedConcurrencyConfigs"] == []
    assert function.invoke(Qualifier="2").payload["type"] == "on-demand"


def test_what_cannot_be_provisioned(function: DeployedFunction) -> None:
    """API reference, "PutProvisionedConcurrencyConfig"; the messages are those that AWS returns."""
    client, name = function.client, function.name
    assert refusal(put, function, "$LATEST", 1) == (
        "InvalidParameterValueException",
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    )
    assert refusal(read, function, "$LATEST")[1] == (
        "The function resource provided must be an alias or a published version."
    )
    assert refusal(put, function, "7", 1)[1].startswith("Function not found: arn:aws:lambda:")
    assert refusal(put, function, "nobody", 1)[1].startswith("Cannot find alias arn: arn:aws:lambda:")
    publish(function, HANDLER + "\n# changed\n")
    client.create_alias(
        FunctionName=name,
        Name="split",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    assert refusal(put, function, "split", 1)[1] == (
        "Alias with weights can not be used with Provisioned Concurrency"
    )
    put(function, "1", 1)
    code, message = refusal(put, function, "live", 1)
    assert code == "ResourceConflictException"
    assert message.endswith("on an already Provisioned version")


def test_it_counts_against_the_reserved_concurrency(function: DeployedFunction) -> None:
    """Developer guide, "Understanding Lambda function scaling": provisioned within reserved."""
    client, name = function.client, function.name
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    code, message = refusal(put, function, "1", 3)
    assert code == "InvalidParameterValueException"
    assert "should not be greater than the reservedConcurrentExecution" in message
    put(function, "1", 2)
    code, message = refusal(
        client.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=1
    )
    assert code == "InvalidParameterValueException"
    assert "provisioned concurrency [2]" in message
    client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    client.delete_function_concurrency(FunctionName=name)
    code, message = refusal(put, function, "1", 901)
    assert "below its minimum value of [100]" in message
