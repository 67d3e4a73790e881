"""Deployments reach clients by their strategy, one at a time, and are rolled back.

AWS: AppConfig user guide, "Working with deployment strategies" and "Reverting a configuration"; API
reference, "StartDeployment", "StopDeployment" and "CreateDeploymentStrategy".
"""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from appconfig_resources import AT_ONCE, SLOW, Application, refusal
from botocore.exceptions import ClientError

from helpers.waiting import wait_until

OLD, NEW = {"limit": 1}, {"limit": 2}


@pytest.fixture
def application(make_client: Callable[..., Any]) -> Iterator[Application]:
    made = Application(make_client("appconfig"), make_client("appconfigdata"))
    yield made
    made.delete()


def test_clients_get_a_new_version_one_after_the_other_and_lose_it_by_a_rollback(
    application: Application,
) -> None:
    """User guide, "Working with deployment strategies"; API reference, "StopDeployment"."""
    profile = application.profile()
    application.deploy(profile, application.version(profile, OLD))
    clients = [application.session(profile) for _ in range(40)]
    assert [client.poll() for client in clients] == [OLD] * 40
    number = application.deploy(profile, application.version(profile, NEW), application.strategy(**SLOW))

    def with_new() -> list[int]:
        return [place for place, client in enumerate(clients) if client.poll() == NEW]

    first = wait_until(with_new, "a client with the new version")
    assert len(first) < len(clients)
    assert set(first) <= set(with_new())
    deployment = application.deployment(number)
    assert deployment["State"] == "DEPLOYING"
    assert 0 < deployment["PercentageComplete"] < 100
    assert application.stop(number)["State"] == "ROLLED_BACK"
    assert [client.poll() for client in clients] == [OLD] * 40
    events = [event["EventType"] for event in application.deployment(number)["EventLog"]]
    assert events[:2] == ["ROLLBACK_COMPLETED", "ROLLBACK_STARTED"]
    assert events[-1] == "DEPLOYMENT_STARTED"
    assert "PERCENTAGE_UPDATED" in events


def test_an_environment_has_one_deployment_at_a_time(application: Application) -> None:
    """API reference, "StartDeployment", ConflictException; an environment that deploys is not deleted."""
    profile = application.profile()
    version = application.version(profile, OLD)
    application.deploy(profile, version, application.strategy(**SLOW))
    with pytest.raises(ClientError) as refused:
        application.deploy(profile, version)
    assert refusal(refused.value)[0] == "ConflictException"
    environment = {"ApplicationId": application.id, "EnvironmentId": application.environment}
    assert application.control.get_environment(**environment)["State"] == "DEPLOYING"
    with pytest.raises(ClientError) as refused:
        application.control.delete_environment(**environment)
    assert refusal(refused.value)[0] == "ConflictException"


def test_a_completed_deployment_is_reverted(application: Application) -> None:
    """API reference, "StopDeployment", AllowRevert."""
    profile = application.profile()
    application.deploy(profile, application.version(profile, OLD))
    number = application.deploy(profile, application.version(profile, NEW))
    assert application.deployment(number)["State"] == "COMPLETE"
    client = application.session(profile)
    assert client.poll() == NEW
    with pytest.raises(ClientError) as refused:
        application.stop(number)
    assert refusal(refused.value)[0] == "BadRequestException"
    assert application.stop(number, AllowRevert=True)["State"] == "REVERTED"
    assert client.poll() == OLD


def test_an_alarm_rolls_a_deployment_back_while_it_bakes(
    application: Application, make_client: Callable[..., Any]
) -> None:
    """API reference, "CreateDeploymentStrategy", FinalBakeTimeInMinutes; "CreateEnvironment", Monitors."""
    cloudwatch = make_client("cloudwatch")
    alarm = f"appconfig-{secrets.token_hex(4)}"
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="Test/AppConfig",
        MetricName=alarm,
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
        TreatMissingData="ignore",
    )
    [described] = cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    application.control.update_environment(
        ApplicationId=application.id,
        EnvironmentId=application.environment,
        Monitors=[{"AlarmArn": described["AlarmArn"]}],
    )
    profile = application.profile()
    application.deploy(profile, application.version(profile, OLD))
    baking = application.strategy(**{**AT_ONCE, "FinalBakeTimeInMinutes": 1})
    number = application.deploy(profile, application.version(profile, NEW), baking)
    client = application.session(profile)
    assert (application.deployment(number)["State"], client.poll()) == ("BAKING", NEW)
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    deployment = wait_until(
        lambda: application.deployment(number), "the rollback", lambda found: found["State"] != "BAKING"
    )
    assert deployment["State"] == "ROLLED_BACK"
    assert deployment["EventLog"][0]["TriggeredBy"] == "CLOUDWATCH_ALARM"
    assert client.poll() == OLD
    cloudwatch.delete_alarms(AlarmNames=[alarm])


def test_there_are_strategies_of_aws(application: Application) -> None:
    """User guide, "Using predefined deployment strategies"."""
    items = application.control.list_deployment_strategies()["Items"]
    found = {
        item["Id"]: (
            item["GrowthType"],
            item["GrowthFactor"],
            item["DeploymentDurationInMinutes"],
            item["FinalBakeTimeInMinutes"],
        )
        for item in items
    }
    assert found["AppConfig.AllAtOnce"] == ("LINEAR", 100, 0, 10)
    assert found["AppConfig.Linear50PercentEvery30Seconds"] == ("LINEAR", 50, 1, 1)
    assert found["AppConfig.Canary10Percent20Minutes"] == ("EXPONENTIAL", 10, 20, 10)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"EnvironmentId": "nothing"}, "ResourceNotFoundException"),
        ({"ConfigurationProfileId": "nothing"}, "ResourceNotFoundException"),
        ({"ConfigurationVersion": "7"}, "ResourceNotFoundException"),
        ({"DeploymentStrategyId": "nothing"}, "ResourceNotFoundException"),
        ({"KmsKeyIdentifier": "alias/key"}, "NotImplementedException"),
        ({"DynamicExtensionParameters": {"one": "two"}}, "NotImplementedException"),
    ],
)
def test_a_deployment_of_what_is_not_there_is_refused(
    application: Application, changed: dict[str, Any], code: str
) -> None:
    """API reference, "StartDeployment"."""
    profile = application.profile()
    request = {
        "ApplicationId": application.id,
        "EnvironmentId": application.environment,
        "ConfigurationProfileId": profile,
        "ConfigurationVersion": application.version(profile, OLD),
        "DeploymentStrategyId": "AppConfig.AllAtOnce",
    }
    with pytest.raises(ClientError) as refused:
        application.control.start_deployment(**{**request, **changed})
    assert refusal(refused.value)[0] == code


def test_a_version_is_deployed_by_its_label(application: Application) -> None:
    """API reference, "StartDeployment": the version number or the version label."""
    profile = application.profile()
    application.version(profile, OLD, VersionLabel="v1.0", Description="the first")
    number = application.deploy(profile, "v1.0", Tags={"team": "orders"})
    deployment = application.deployment(number)
    assert (deployment["ConfigurationVersion"], deployment["VersionLabel"]) == ("1", "v1.0")
    client = application.session(profile)
    assert (client.poll(), client.answer["VersionLabel"]) == (OLD, "v1.0")
    [version] = application.control.list_hosted_configuration_versions(
        ApplicationId=application.id, ConfigurationProfileId=profile
    )["Items"]
    assert version["Description"] == "the first"
    arn = (
        f"arn:aws:appconfig:us-east-1:111122223333:application/{application.id}"
        f"/environment/{application.environment}/deployment/{number}"
    )
    assert application.control.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"team": "orders"}


@pytest.mark.parametrize(
    "changed",
    [
        {"GrowthFactor": 101},
        {"DeploymentDurationInMinutes": 1441},
        {"FinalBakeTimeInMinutes": 1441},
        {"GrowthType": "SUDDEN"},
    ],
)
def test_a_strategy_that_cannot_be_is_refused(application: Application, changed: dict[str, Any]) -> None:
    """API reference, "CreateDeploymentStrategy"."""
    with pytest.raises(ClientError) as refused:
        application.strategy(**{**AT_ONCE, **changed})
    assert refusal(refused.value)[0] == "BadRequestException"


def test_what_has_something_under_it_is_not_deleted(application: Application) -> None:
    """API reference, "DeleteApplication" and "DeleteConfigurationProfile", BadRequestException."""
    profile = application.profile()
    application.version(profile, OLD)
    with pytest.raises(ClientError, match="still environments existing under it"):
        application.control.delete_application(ApplicationId=application.id)
    with pytest.raises(ClientError, match="still hosted configuration versions existing under it"):
        application.control.delete_configuration_profile(
            ApplicationId=application.id, ConfigurationProfileId=profile
        )


def test_a_version_that_would_overwrite_another_is_refused(application: Application) -> None:
    """API reference, "CreateHostedConfigurationVersion": LatestVersionNumber is a locking token."""
    profile = application.profile()
    application.version(profile, OLD)
    with pytest.raises(ClientError) as refused:
        application.version(profile, NEW, LatestVersionNumber=7)
    assert refusal(refused.value)[0] == "ConflictException"
    assert application.version(profile, NEW, LatestVersionNumber=1) == "2"


def test_a_configuration_has_two_megabytes_at_most(application: Application) -> None:
    """AWS General Reference, "AWS AppConfig endpoints and quotas"."""
    with pytest.raises(ClientError) as refused:
        application.version(application.profile(), {"text": "x" * 2 * 1024 * 1024})
    assert refusal(refused.value)[0] == "PayloadTooLargeException"


def test_lists_come_in_pages(application: Application) -> None:
    """API reference, "ListConfigurationProfiles": MaxResults and NextToken."""
    made = {application.profile(f"profile-{number}") for number in range(3)}
    pages = application.control.get_paginator("list_configuration_profiles").paginate(
        ApplicationId=application.id, PaginationConfig={"PageSize": 2}
    )
    sizes = [[item["Id"] for item in page["Items"]] for page in pages]
    assert [len(page) for page in sizes] == [2, 1]
    assert {name for page in sizes for name in page} == made


def test_what_the_local_aws_cannot_do_is_refused(application: Application) -> None:
    """Never accepted and not done."""
    for call in (
        lambda: application.profile("flags", Type="AWS.AppConfig.FeatureFlags"),
        lambda: application.profile("stored", LocationUri="ssm-parameter://limits"),
        lambda: application.strategy(**AT_ONCE, ReplicateTo="SSM_DOCUMENT"),
        lambda: application.control.list_extensions(),
        lambda: application.control.get_account_settings(),
        lambda: application.control.get_configuration(
            Application=application.name, Environment="production", Configuration="limits", ClientId="one"
        ),
        lambda: application.control.delete_environment(
            ApplicationId=application.id,
            EnvironmentId=application.environment,
            DeletionProtectionCheck="APPLY",
        ),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refusal(refused.value)[0] == "NotImplementedException"
