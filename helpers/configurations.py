"""Deploy a configuration by AWS AppConfig and wait until clients get it."""

import json
from typing import Any

from helpers.waiting import wait_until

UNDER_WAY = ("BAKING", "VALIDATING", "DEPLOYING", "ROLLING_BACK")


class NotDeployed(RuntimeError):
    """A deployment has ended in another state than COMPLETE; the message has its event log."""


def deploy(
    appconfig: Any,
    application_id: str,
    environment_id: str,
    profile_id: str,
    strategy_id: str,
    content: Any,
    timeout_s: float = 120.0,
) -> int:
    """Store a JSON value as a new version of a hosted profile, deploy it, and return the version's number.

    Returns when the deployment is complete, with its bake time. Raises ClientError (BadRequestException) when
    a validator of the profile refuses the version, NotDeployed when the deployment was rolled back or
    stopped, NotObserved when it has not ended after `timeout_s`.
    """
    version: int = appconfig.create_hosted_configuration_version(
        ApplicationId=application_id,
        ConfigurationProfileId=profile_id,
        Content=json.dumps(content).encode(),
        ContentType="application/json",
    )["VersionNumber"]
    where = {"ApplicationId": application_id, "EnvironmentId": environment_id}
    number = appconfig.start_deployment(
        **where,
        ConfigurationProfileId=profile_id,
        ConfigurationVersion=str(version),
        DeploymentStrategyId=strategy_id,
    )["DeploymentNumber"]
    deployment = wait_until(
        lambda: appconfig.get_deployment(**where, DeploymentNumber=number),
        f"deployment {number} of version {version}",
        accept=lambda found: found["State"] not in UNDER_WAY,
        timeout_s=timeout_s,
    )
    if deployment["State"] != "COMPLETE":
        events = "; ".join(event.get("Description", "") for event in deployment.get("EventLog", []))
        raise NotDeployed(f"Version {version} was not deployed: {deployment['State']}. {events}")
    return version


def poll_once(
    appconfigdata: Any, application_id: str, environment_id: str, profile_id: str, interval_s: int
) -> str:
    """Start a session that asks every `interval_s` seconds at most, read once, and return the next token.

    AppConfig takes intervals of 15 s to a day. Raises ClientError, also when nothing is deployed yet.
    """
    token = appconfigdata.start_configuration_session(
        ApplicationIdentifier=application_id,
        EnvironmentIdentifier=environment_id,
        ConfigurationProfileIdentifier=profile_id,
        RequiredMinimumPollIntervalInSeconds=interval_s,
    )["InitialConfigurationToken"]
    latest = appconfigdata.get_latest_configuration(ConfigurationToken=token)
    return str(latest["NextPollConfigurationToken"])
