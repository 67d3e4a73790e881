"""A configuration is deployed, or the error says why it was not."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from helpers.configurations import NotDeployed, deploy, poll_once
from helpers.waiting import wait_until
from helpers.workshop import Workshop

AT_ONCE = {"DeploymentDurationInMinutes": 0, "GrowthFactor": 100, "FinalBakeTimeInMinutes": 0}
SLOWLY = {"DeploymentDurationInMinutes": 10, "GrowthFactor": 10, "FinalBakeTimeInMinutes": 0}


@pytest.fixture
def place(workshop: Workshop) -> tuple[str, str, str]:
    """Ids of an application, its environment and a profile that takes objects with a limit only."""
    appconfig = workshop.client("appconfig")
    application_id = appconfig.create_application(Name=workshop.name("orders"))["Id"]
    environment_id = appconfig.create_environment(
        ApplicationId=application_id, Name=workshop.name("production")
    )["Id"]
    schema = {"type": "object", "required": ["limit"]}
    profile_id = appconfig.create_configuration_profile(
        ApplicationId=application_id,
        Name=workshop.name("limits"),
        LocationUri="hosted",
        Validators=[{"Type": "JSON_SCHEMA", "Content": json.dumps(schema)}],
    )["Id"]
    return application_id, environment_id, profile_id


def strategy(workshop: Workshop, label: str, pace: dict[str, int]) -> str:
    made = workshop.client("appconfig").create_deployment_strategy(
        Name=workshop.name(label), ReplicateTo="NONE", **pace
    )
    return str(made["Id"])


def test_clients_get_what_was_deployed(workshop: Workshop, place: tuple[str, str, str]) -> None:
    appconfig, at_once = workshop.client("appconfig"), strategy(workshop, "at-once", AT_ONCE)
    assert deploy(appconfig, *place, at_once, {"limit": 1}) == 1
    data = workshop.client("appconfigdata")
    token = poll_once(data, *place, interval_s=15)
    with pytest.raises(ClientError, match="Request too early"):
        data.get_latest_configuration(ConfigurationToken=token)


def test_a_validator_refuses(workshop: Workshop, place: tuple[str, str, str]) -> None:
    at_once = strategy(workshop, "at-once", AT_ONCE)
    with pytest.raises(ClientError, match="BadRequestException"):
        deploy(workshop.client("appconfig"), *place, at_once, {"no": "limit"})


def test_a_stopped_deployment_is_told_with_its_events(
    workshop: Workshop, place: tuple[str, str, str]
) -> None:
    appconfig, slowly = workshop.client("appconfig"), strategy(workshop, "slowly", SLOWLY)
    where = {"ApplicationId": place[0], "EnvironmentId": place[1]}

    class Stopping:
        """A client whose deployments somebody else stops as soon as they are looked at."""

        def __getattr__(self, name: str) -> Any:
            return getattr(appconfig, name)

        def get_deployment(self, **parameters: Any) -> Any:
            found = appconfig.get_deployment(**parameters)
            if found["State"] == "DEPLOYING":
                appconfig.stop_deployment(**where, DeploymentNumber=parameters["DeploymentNumber"])
            return found

    with pytest.raises(NotDeployed, match="Version 1 was not deployed: ROLLED_BACK"):
        deploy(Stopping(), *place, slowly, {"limit": 1}, timeout_s=20)
    wait_until(lambda: appconfig.list_deployments(**where)["Items"][0]["State"] == "ROLLED_BACK", "the end")
