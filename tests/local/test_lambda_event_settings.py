"""The settings of asynchronous invocation, of a function, a version or an alias.

AWS Lambda API reference, "PutFunctionEventInvokeConfig" and the other operations on it; developer guide,
"Configuring error handling settings for Lambda asynchronous invocations".
"""

from collections.abc import Callable
from typing import Any

import pytest
from asynchronous_functions import HANDLER, configure, on_failure, on_success
from botocore.exceptions import ClientError
from deployed import DeployedFunction
from function_roles import create_role
from mapped_functions import Queue


def test_settings_belong_to_the_version_or_alias_that_is_invoked(
    deploy: Callable[..., DeployedFunction], sender_role: str, queue: Queue, send: Callable[..., Any]
) -> None:
    """Developer guide, "Configuring error handling settings": on a function, a version, or an alias."""
    function = deploy(HANDLER, Role=sender_role)
    function.client.publish_version(FunctionName=function.name)
    function.client.create_alias(FunctionName=function.name, Name="live", FunctionVersion="1")
    configure(function, MaximumRetryAttempts=0, Qualifier="live", DestinationConfig=on_failure(queue.arn))
    send(function, failures=9)
    request_id, _ = send(function, failures=9, Qualifier="live")
    record = queue.receive_record()
    assert record["requestContext"]["requestId"] == request_id
    assert record["requestContext"]["functionArn"].endswith(f":{function.name}:live")
    assert record["responseContext"]["executedVersion"] == "1"
    assert queue.messages() == (0, 0)


def test_the_role_must_be_allowed_to_send(
    deploy: Callable[..., DeployedFunction], queue: Queue, make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Capturing records ...", required permissions for destinations."""
    powerless = create_role(make_client, [])
    function = deploy(HANDLER, Role=powerless)
    with pytest.raises(ClientError) as refused:
        configure(function, DestinationConfig=on_failure(queue.arn))
    assert "does not have permissions to call SendMessage on" in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as refused:
        deploy(HANDLER, Role=powerless, DeadLetterConfig={"TargetArn": queue.arn})
    assert refused.value.response["Error"]["Message"] == (
        "The provided execution role does not have permissions to call SendMessage on SQS"
    )


def test_settings_are_put_updated_listed_and_deleted(
    deploy: Callable[..., DeployedFunction], sender_role: str, queue: Queue
) -> None:
    """API reference, the five operations on FunctionEventInvokeConfig."""
    function = deploy(HANDLER, Role=sender_role)
    client, name = function.client, {"FunctionName": function.name}
    put = configure(function, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=60)
    assert put["FunctionArn"].endswith(f":{function.name}:$LATEST")
    assert put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    updated = client.update_function_event_invoke_config(**name, DestinationConfig=on_failure(queue.arn))
    assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (1, 60)
    assert updated["DestinationConfig"] == {"OnSuccess": {}, **on_failure(queue.arn)}
    replaced = configure(function, MaximumRetryAttempts=0)
    assert "MaximumEventAgeInSeconds" not in replaced
    read = client.get_function_event_invoke_config(**name, Qualifier="$LATEST")
    assert read["MaximumRetryAttempts"] == 0
    listed = client.list_function_event_invoke_configs(**name)["FunctionEventInvokeConfigs"]
    assert [each["FunctionArn"] for each in listed] == [put["FunctionArn"]]
    client.delete_function_event_invoke_config(**name)
    for call in (client.get_function_event_invoke_config, client.delete_function_event_invoke_config):
        with pytest.raises(ClientError) as refused:
            call(**name)
        assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({}, "InvalidParameterValueException", "You must specify at least one of error handling"),
        ({"MaximumRetryAttempts": 3}, "ValidationException", "less than or equal to 2"),
        ({"MaximumEventAgeInSeconds": 21601}, "ValidationException", "less than or equal to 21600"),
        (
            {"DestinationConfig": on_failure("arn:aws:sqs:us-east-1:111122223333:no-such-queue")},
            "InvalidParameterValueException",
            "The destination ARN arn:aws:sqs:us-east-1:111122223333:no-such-queue is invalid.",
        ),
        (
            {"DestinationConfig": on_success("arn:aws:s3:::bucket")},
            "InvalidParameterValueException",
            "The provided destination config DestinationConfig(",
        ),
        (
            {"DestinationConfig": on_success("arn:aws:iam::111122223333:role/any")},
            "InvalidParameterValueException",
            "The provided destination config DestinationConfig(",
        ),
    ],
)
def test_settings_that_are_refused(
    deploy: Callable[..., DeployedFunction],
    sender_role: str,
    settings: dict[str, Any],
    code: str,
    message: str,
) -> None:
    """API reference, "PutFunctionEventInvokeConfig"; the messages are those that AWS returns."""
    function = deploy(HANDLER, Role=sender_role)
    with pytest.raises(ClientError) as refused:
        configure(function, **settings)
    assert refused.value.response["Error"]["Code"] == code
    assert message in refused.value.response["Error"]["Message"]
