"""Functions in CloudFormation stacks."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import WaiterError

CODE = "def handler(event, context):\n    return {answer!r}\n"


def template(role: str, answer: str, **properties: Any) -> str:
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": role,
            "Code": {"ZipFile": CODE.format(answer=answer)},
            **properties,
        },
    }
    return json.dumps(
        {"Resources": {"Function": function}, "Outputs": {"Name": {"Value": {"Ref": "Function"}}}}
    )


def wait(client: Any, state: str, name: str) -> None:
    config = {"Delay": 1, "MaxAttempts": 30}
    client.get_waiter(f"stack_{state}_complete").wait(StackName=name, WaiterConfig=config)


def invoke(functions: Any, name: str) -> Any:
    return json.loads(functions.invoke(FunctionName=name)["Payload"].read())


def test_a_stack_changes_code_and_configuration_in_one_update(
    make_client: Callable[..., Any], lambda_role: str
) -> None:
    """CloudFormation user guide, AWS::Lambda::Function: Code and MemorySize update without interruption."""
    stacks, functions = make_client("cloudformation"), make_client("lambda")
    name = f"stack-{secrets.token_hex(4)}"
    stacks.create_stack(StackName=name, TemplateBody=template(lambda_role, "one"))
    wait(stacks, "create", name)
    (output,) = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    function = output["OutputValue"]
    assert invoke(functions, function) == "one"
    stacks.update_stack(StackName=name, TemplateBody=template(lambda_role, "two", MemorySize=512))
    wait(stacks, "update", name)
    assert invoke(functions, function) == "two"
    assert functions.get_function_configuration(FunctionName=function)["MemorySize"] == 512


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Runtime": "nodejs16.x"}, "is no longer supported for creating or updating"),
        ({"MemorySize": "10241"}, "less than or equal to 10240"),
        ({"Role": "arn:aws:iam::111122223333:role/missing"}, "cannot be assumed by Lambda"),
    ],
)
def test_a_stack_fails_for_the_reasons_of_the_lambda_api(
    make_client: Callable[..., Any], lambda_role: str, properties: dict[str, Any], reason: str
) -> None:
    """CloudFormation user guide, "Troubleshooting CloudFormation": the reason is the service's message."""
    stacks = make_client("cloudformation")
    name = f"stack-{secrets.token_hex(4)}"
    stacks.create_stack(StackName=name, TemplateBody=template(lambda_role, "one", **properties))
    with pytest.raises(WaiterError):
        wait(stacks, "create", name)
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    assert any(reason in event.get("ResourceStatusReason", "") for event in events)
