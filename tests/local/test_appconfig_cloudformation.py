"""AppConfig's resources of CloudFormation stacks.

AWS: CloudFormation user guide, AWS::AppConfig::ConfigurationProfile,
AWS::AppConfig::HostedConfigurationVersion and AWS::AppConfig::Deployment.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from appconfig_resources import Poller

from helpers.waiting import wait_until

IN_APPLICATION = {"ApplicationId": {"Ref": "Application"}}
IN_PROFILE = {**IN_APPLICATION, "ConfigurationProfileId": {"Ref": "Profile"}}
SCHEMA = json.dumps({"type": "object", "properties": {"limit": {"type": "integer"}}})


def template(name: str, limit: Any, **profile: Any) -> str:
    resources = {
        "Application": ("Application", {"Name": name}),
        "Environment": ("Environment", {**IN_APPLICATION, "Name": "production"}),
        "Profile": (
            "ConfigurationProfile",
            {
                **IN_APPLICATION,
                "Name": "limits",
                "LocationUri": "hosted",
                "Validators": [{"Type": "JSON_SCHEMA", "Content": SCHEMA}],
                **profile,
            },
        ),
        "Version": (
            "HostedConfigurationVersion",
            {**IN_PROFILE, "Content": json.dumps({"limit": limit}), "ContentType": "application/json"},
        ),
        "Strategy": (
            "DeploymentStrategy",
            {
                "Name": name,
                "DeploymentDurationInMinutes": "0",
                "GrowthFactor": "100",
                "FinalBakeTimeInMinutes": "0",
                "ReplicateTo": "NONE",
            },
        ),
        "Deployment": (
            "Deployment",
            {
                **IN_PROFILE,
                "EnvironmentId": {"Ref": "Environment"},
                "ConfigurationVersion": {"Ref": "Version"},
                "DeploymentStrategyId": {"Ref": "Strategy"},
            },
        ),
    }
    return json.dumps(
        {
            "Resources": {
                logical_id: {"Type": f"AWS::AppConfig::{kind}", "Properties": properties}
                for logical_id, (kind, properties) in resources.items()
            }
        }
    )


@pytest.fixture
def create_stack(make_client: Callable[..., Any]) -> Iterator[Callable[..., tuple[str, list[str]]]]:
    """`create_stack(name, template)`: the status in which it ended, and why resources failed."""
    stacks = make_client("cloudformation")
    names: list[str] = []

    def status(name: str) -> str:
        return str(stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])

    def create(name: str, body: str) -> tuple[str, list[str]]:
        stacks.create_stack(StackName=name, TemplateBody=body)
        names.append(name)
        ended = wait_until(lambda: status(name), "the stack", lambda seen: not seen.endswith("IN_PROGRESS"))
        events = stacks.describe_stack_events(StackName=name)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
        return ended, [event.get("ResourceStatusReason", "") for event in failed]

    yield create
    for name in names:
        stacks.delete_stack(StackName=name)
        stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def test_a_stack_deploys_a_configuration(
    create_stack: Callable[..., tuple[str, list[str]]], make_client: Callable[..., Any]
) -> None:
    """CloudFormation user guide, AWS::AppConfig::Deployment."""
    name = f"stack-{secrets.token_hex(4)}"
    assert create_stack(name, template(name, 10)) == ("CREATE_COMPLETE", [])
    data = make_client("appconfigdata")
    token = data.start_configuration_session(
        ApplicationIdentifier=name,
        EnvironmentIdentifier="production",
        ConfigurationProfileIdentifier="limits",
    )["InitialConfigurationToken"]
    assert Poller(data, token).poll() == {"limit": 10}


@pytest.mark.parametrize(
    ("limit", "profile", "reason"),
    [
        ("ten", {}, "'ten' is not of type 'integer'"),
        (10, {"Type": "AWS.AppConfig.FeatureFlags"}, "cannot do this"),
        (10, {"Validators": [{"Type": "JSON_SCHEMA", "Content": "{"}]}, "is not JSON"),
    ],
)
def test_what_the_api_refuses_fails_the_stack(
    create_stack: Callable[..., tuple[str, list[str]]], limit: Any, profile: dict[str, Any], reason: str
) -> None:
    """CloudFormation user guide, AWS::AppConfig::ConfigurationProfile, Validators."""
    name = f"stack-{secrets.token_hex(4)}"
    ended, reasons = create_stack(name, template(name, limit, **profile))
    assert ended != "CREATE_COMPLETE"
    assert any(reason in each for each in reasons), reasons
