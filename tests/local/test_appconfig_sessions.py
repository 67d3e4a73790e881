"""Clients poll for their configuration by tokens, and only for configurations that they may read.

AWS: AppConfig user guide, "Retrieving configuration data"; AppConfig Data API reference,
"StartConfigurationSession", "GetLatestConfiguration", "BadRequestException" and "InvalidParameterDetail".
"""

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from appconfig_resources import Application, refusal
from botocore.exceptions import ClientError

from helpers.local.functions.refusal import Refused
from helpers.local.services.appconfig.sessions import Session, Token
from helpers.permissions import allow, policy

LIMITS = {"limit": 10}


@pytest.fixture
def application(make_client: Callable[..., Any]) -> Iterator[Application]:
    made = Application(make_client("appconfig"), make_client("appconfigdata"))
    yield made
    made.delete()


@pytest.fixture
def profile(application: Application) -> str:
    """A profile of which one version is deployed."""
    made = application.profile()
    application.deploy(made, application.version(made, LIMITS))
    return made


def problem(error: ClientError) -> str:
    assert refusal(error)[0] == "BadRequestException"
    assert error.response["Reason"] == "InvalidParameters"
    return str(error.response["Details"]["InvalidParameters"]["ConfigurationToken"]["Problem"])


def test_what_a_client_has_already_is_not_sent_again(application: Application, profile: str) -> None:
    """API reference, "GetLatestConfiguration": empty when the client has the latest version."""
    client = application.session(profile)
    assert client.poll() == LIMITS
    assert client.answer["ContentType"] == "application/json"
    assert client.answer["NextPollIntervalInSeconds"] == 60
    again = application.data.get_latest_configuration(ConfigurationToken=client.token)
    assert again["Configuration"].read() == b""


def test_a_session_starts_by_names_too(application: Application, profile: str) -> None:
    """API reference, "StartConfigurationSession": ids or names."""
    token = application.data.start_configuration_session(
        ApplicationIdentifier=application.name,
        EnvironmentIdentifier="production",
        ConfigurationProfileIdentifier="limits",
    )["InitialConfigurationToken"]
    answer = application.data.get_latest_configuration(ConfigurationToken=token)
    assert json.loads(answer["Configuration"].read()) == LIMITS


def test_a_token_is_good_for_one_call(application: Application, profile: str) -> None:
    """API reference, "GetLatestConfiguration": each token is only valid for one call."""
    client = application.session(profile)
    used = client.token
    client.poll()
    with pytest.raises(ClientError) as refused:
        application.data.get_latest_configuration(ConfigurationToken=used)
    assert problem(refused.value) == "Expired"
    with pytest.raises(ClientError) as refused:
        application.data.get_latest_configuration(ConfigurationToken="made-up")
    assert problem(refused.value) == "Corrupted"


def test_a_client_is_held_to_the_interval_that_it_asked_for(application: Application, profile: str) -> None:
    """API reference, "StartConfigurationSession", RequiredMinimumPollIntervalInSeconds."""
    client = application.session(profile, RequiredMinimumPollIntervalInSeconds=15)
    assert client.poll() == LIMITS
    assert client.answer["NextPollIntervalInSeconds"] == 15
    with pytest.raises(ClientError) as refused:
        client.poll()
    assert problem(refused.value) == "PollIntervalNotSatisfied"
    with pytest.raises(ClientError) as refused:
        application.session(profile, RequiredMinimumPollIntervalInSeconds=86401)
    assert refusal(refused.value)[0] == "BadRequestException"


def test_a_token_ends_after_a_day_and_waits_for_its_interval() -> None:
    """API reference, "GetLatestConfiguration": valid for up to 24 hours. The clock is the test's."""
    session = Session("application", "environment", "profile", required_interval_s=15)
    with pytest.raises(Refused, match="older than 24 hours"):
        Token(session, issued_s=0).spend(24 * 3600 + 1)
    token = Token(session, issued_s=100, polled_s=100)
    with pytest.raises(Refused, match="too early"):
        token.spend(114.9)
    token.spend(115)
    with pytest.raises(Refused, match="has been used"):
        token.spend(130)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"ApplicationIdentifier": "nothing"}, "Application"),
        ({"EnvironmentIdentifier": "nothing"}, "Environment"),
        ({"ConfigurationProfileIdentifier": "nothing"}, "ConfigurationProfile"),
    ],
)
def test_a_session_for_what_does_not_exist_is_refused(
    application: Application, profile: str, changed: dict[str, str], kind: str
) -> None:
    """API reference, "StartConfigurationSession", ResourceNotFoundException."""
    request = {
        "ApplicationIdentifier": application.id,
        "EnvironmentIdentifier": application.environment,
        "ConfigurationProfileIdentifier": profile,
    }
    with pytest.raises(ClientError) as refused:
        application.data.start_configuration_session(**{**request, **changed})
    assert refusal(refused.value)[0] == "ResourceNotFoundException"
    assert refused.value.response["ResourceType"] == kind


def test_what_was_never_deployed_cannot_be_had(application: Application) -> None:
    """API reference, "GetLatestConfiguration", ResourceNotFoundException with ResourceType Deployment."""
    client = application.session(application.profile("never"))
    with pytest.raises(ClientError) as refused:
        client.poll()
    assert refused.value.response["ResourceType"] == "Deployment"


@pytest.fixture
def reader(
    make_client: Callable[..., Any], application: Application, profile: str
) -> Iterator[Callable[..., Any]]:
    """`reader(profile)`: a client of the data plane that may read that profile and nothing else."""
    iam, sts = make_client("iam"), make_client("sts")
    account_id = sts.get_caller_identity()["Account"]
    roles: list[str] = []

    def make(of_profile: str) -> Any:
        name = f"reader-{secrets.token_hex(4)}"
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
            "Action": "sts:AssumeRole",
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        roles.append(name)
        arn = (
            f"arn:aws:appconfig:us-east-1:{account_id}:application/{application.id}"
            f"/environment/{application.environment}/configuration/{of_profile}"
        )
        actions = ["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"]
        iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy(allow(actions, on=arn)))
        credentials = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return boto3.client(
            "appconfigdata",
            region_name="us-east-1",
            endpoint_url=application.data.meta.endpoint_url,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            config=application.data.meta.config,
        )

    yield make
    for name in roles:
        iam.delete_role_policy(RoleName=name, PolicyName="read")
        iam.delete_role(RoleName=name)


def test_a_role_reads_the_configurations_that_it_is_allowed(
    application: Application, profile: str, reader: Callable[..., Any]
) -> None:
    """Service authorization reference, "AWS AppConfig", resource type `configuration`."""
    named = {"ApplicationIdentifier": application.id, "EnvironmentIdentifier": application.environment}
    allowed, other = reader(profile), reader("another")
    token = allowed.start_configuration_session(**named, ConfigurationProfileIdentifier="limits")[
        "InitialConfigurationToken"
    ]
    with pytest.raises(ClientError) as refused:
        other.start_configuration_session(**named, ConfigurationProfileIdentifier="limits")
    assert refusal(refused.value)[0] == "AccessDeniedException"
    with pytest.raises(ClientError) as refused:
        other.get_latest_configuration(ConfigurationToken=token)
    code, message = refusal(refused.value)
    assert (code, "appconfig:GetLatestConfiguration" in message) == ("AccessDeniedException", True)
    answer = allowed.get_latest_configuration(ConfigurationToken=token)
    assert json.loads(answer["Configuration"].read()) == LIMITS
    with pytest.raises(ClientError) as refused:
        other.get_latest_configuration(ConfigurationToken="made-up")
    assert problem(refused.value) == "Corrupted"
