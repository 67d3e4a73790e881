"""AWS's AppConfig agent layer brings a local agent that keeps to the contract of AppConfig's data plane."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import in_parallel, zipped

from helpers.waiting import wait_until

LAYER = "arn:aws:lambda:us-east-1:027255383542:layer:AWS-AppConfig-Extension:207"
SOURCE = """
import json, os, urllib.error, urllib.request

def handler(event, context):
    url = "http://localhost:" + os.environ.get("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "2772")
    try:
        response = urllib.request.urlopen(url + event["path"])
    except urllib.error.HTTPError as error:
        response = error
    return response.status, dict(response.headers), response.read().decode()
"""


@dataclass(frozen=True)
class Configuration:
    """One configuration profile in an application of its own; `deploy` makes its content the deployed one."""

    client: Any
    application_id: str
    environment_id: str
    profile_id: str
    strategy_id: str

    @property
    def path(self) -> str:
        return (
            f"/applications/{self.application_id}/environments/{self.environment_id}"
            f"/configurations/{self.profile_id}"
        )

    def deploy(self, content: dict[str, Any], label: str) -> None:
        version = self.client.create_hosted_configuration_version(
            ApplicationId=self.application_id,
            ConfigurationProfileId=self.profile_id,
            Content=json.dumps(content),
            ContentType="application/json",
            VersionLabel=label,
        )
        number = self.client.start_deployment(
            ApplicationId=self.application_id,
            EnvironmentId=self.environment_id,
            ConfigurationProfileId=self.profile_id,
            ConfigurationVersion=str(version["VersionNumber"]),
            DeploymentStrategyId=self.strategy_id,
        )["DeploymentNumber"]
        wait_until(
            lambda: self.client.get_deployment(
                ApplicationId=self.application_id,
                EnvironmentId=self.environment_id,
                DeploymentNumber=number,
            )["State"],
            "the deployment to complete",
            accept=lambda state: state == "COMPLETE",
        )


@pytest.fixture
def configure(make_client: Any) -> Callable[[dict[str, Any]], Configuration]:
    """`configure({"limit": 10})`: a configuration with that content deployed, labelled `first`."""
    client = make_client("appconfig")

    def create(content: dict[str, Any]) -> Configuration:
        name = f"app-{secrets.token_hex(4)}"
        application = client.create_application(Name=name)["Id"]
        configuration = Configuration(
            client=client,
            application_id=application,
            environment_id=client.create_environment(ApplicationId=application, Name="test")["Id"],
            profile_id=client.create_configuration_profile(
                ApplicationId=application, Name="limits", LocationUri="hosted"
            )["Id"],
            strategy_id=client.create_deployment_strategy(
                Name=name, DeploymentDurationInMinutes=0, GrowthFactor=100, FinalBakeTimeInMinutes=0
            )["Id"],
        )
        configuration.deploy(content, "first")
        return configuration

    return create


@pytest.fixture(scope="module")
def reader_role(make_client: Any) -> str:
    """A role that may read configurations and write logs."""
    iam, name = make_client("iam"), "appconfig-reader"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    actions = ["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration", "logs:*"]
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    iam.put_role_policy(
        RoleName=name,
        PolicyName="read",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    return str(role["Role"]["Arn"])


def agent_lines(make_client: Any, function: Any) -> list[str]:
    events = make_client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
    return [event["message"] for event in events if event["message"].startswith("[appconfig agent]")]


def test_two_functions_get_their_configurations_at_the_same_port(
    deploy: Any, configure: Any, reader_role: str, make_client: Any
) -> None:
    """AppConfig user guide, "Using AWS AppConfig Agent with AWS Lambda": localhost:2772, and headers."""

    def run(limit: int) -> Any:
        configuration = configure({"limit": limit})
        function = deploy(SOURCE, Layers=[LAYER], Role=reader_role)
        return function, configuration, function.invoke({"path": configuration.path}).payload

    (one, configuration, first), (_, _, second) = in_parallel(run, [10, 20])
    assert [json.loads(answer[2]) for answer in (first, second)] == [{"limit": 10}, {"limit": 20}]
    assert first[0] == 200
    assert first[1]["Content-Type"] == "application/json"
    assert first[1]["Version-Label"] == "first"
    again = one.invoke({"path": configuration.path})
    assert again.payload[2] == first[2]
    lines = agent_lines(make_client, one)
    assert any(line.endswith("INFO serving on localhost:2772") for line in lines)
    assert sum("retrieved initial data" in line for line in lines) == 1, "the second time from the cache"
    layers = make_client("lambda").get_function_configuration(FunctionName=one.name)["Layers"]
    assert [layer["Arn"] for layer in layers] == [LAYER]


def test_a_change_arrives_after_the_poll_interval_and_not_before(
    deploy: Any, configure: Any, reader_role: str, make_client: Any
) -> None:
    """AppConfig user guide, "Understanding how the AWS AppConfig Agent Lambda extension works".

    15 s are the shortest interval that AppConfig allows: API reference, StartConfigurationSession.
    """
    configuration = configure({"limit": 10})
    variables = {
        "AWS_APPCONFIG_EXTENSION_POLL_INTERVAL_SECONDS": "15",
        "AWS_APPCONFIG_EXTENSION_LOG_LEVEL": "debug",
        "AWS_APPCONFIG_EXTENSION_PREFETCH_LIST": configuration.path,
        "AWS_APPCONFIG_EXTENSION_PROXY_URL": "http://127.0.0.1:1",
    }
    function = deploy(SOURCE, Layers=[LAYER], Role=reader_role, Environment={"Variables": variables})
    path = {"path": configuration.path}
    assert json.loads(function.invoke(path).payload[2]) == {"limit": 10}
    configuration.deploy({"limit": 20}, "second")
    assert json.loads(function.invoke(path).payload[2]) == {"limit": 10}, "still from the cache"
    payload = wait_until(
        lambda: function.invoke(path).payload,
        "the new configuration",
        accept=lambda payload: json.loads(payload[2]) == {"limit": 20},
        interval_s=0.5,
    )
    assert payload[1]["Version-Label"] == "second"
    lines = agent_lines(make_client, function)
    assert sum("updated cache data" in line for line in lines) == 1
    first = next(line for line in lines if "retrieved initial data" in line)
    assert lines.index(first) < next(index for index, line in enumerate(lines) if '"GET /' in line)
    assert any("ERROR AWS_APPCONFIG_EXTENSION_PROXY_URL is not supported" in line for line in lines)


def test_errors_reach_the_function(
    deploy: Any, configure: Any, lambda_role: str, reader_role: str, make_client: Any
) -> None:
    """The agent calls with the function's own role, and passes on what AppConfig says."""
    configuration = configure({"limit": 10})
    missing = "/applications/none/environments/none/configurations/none"
    cases = [
        (reader_role, missing),
        (reader_role, f"{configuration.path}?flag=limit"),
        (reader_role, "/health"),
        (lambda_role, configuration.path),
    ]

    def run(case: tuple[str, str]) -> tuple[int, Any]:
        role, path = case
        status, _, body = deploy(SOURCE, Layers=[LAYER], Role=role).invoke({"path": path}).payload
        return status, json.loads(body)["code"]

    answers = in_parallel(run, cases)
    assert answers[:3] == [(404, "ResourceNotFoundException"), (501, "NotImplemented"), (404, "NotFound")]
    assert answers[3][0] in (400, 403)
    assert "AccessDenied" in answers[3][1]


def test_a_nodejs_function_has_the_agent_too(deploy: Any, configure: Any, reader_role: str) -> None:
    """The agent brings what it needs: nothing of it is the function's runtime."""
    source = """
export const handler = async (event) => {
    const response = await fetch("http://localhost:2772" + event.path);
    return await response.json();
};
"""
    configuration = configure({"limit": 10})
    function = deploy(
        Runtime="nodejs22.x",
        Code={"ZipFile": zipped({"index.mjs": source})},
        Layers=[LAYER],
        Role=reader_role,
    )
    assert function.invoke({"path": configuration.path}).payload == {"limit": 10}


def test_a_setting_that_the_agent_cannot_take_fails_its_init(deploy: Any, reader_role: str) -> None:
    """Lambda developer guide, "Init error"."""
    variables = {"AWS_APPCONFIG_EXTENSION_POLL_INTERVAL_SECONDS": "often"}
    function = deploy(SOURCE, Layers=[LAYER], Role=reader_role, Environment={"Variables": variables})
    answer = function.invoke({"path": "/"})
    assert answer.payload["errorType"] == "Extension.InitError"
    assert "POLL_INTERVAL_SECONDS=often: expected seconds" in answer.log


@pytest.mark.parametrize(
    ("layer", "code"),
    [
        (LAYER.replace("027255383542", "123456789012"), "AccessDeniedException"),
        (LAYER.replace("us-east-1", "eu-west-1"), "AccessDeniedException"),
        (LAYER.replace("Extension:", "Extension-Arm64:"), "NotImplementedException"),
    ],
)
def test_layers_that_a_function_cannot_have(deploy: Any, layer: str, code: str) -> None:
    """AppConfig user guide, "Available versions of the AWS AppConfig Agent Lambda extension"."""
    with pytest.raises(ClientError) as refused:
        deploy(SOURCE, Layers=[layer])
    assert refused.value.response["Error"]["Code"] == code


def test_the_content_of_the_layer_is_not_handed_out(make_client: Any) -> None:
    with pytest.raises(ClientError) as refused:
        make_client("lambda").get_layer_version_by_arn(Arn=LAYER)
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
