"""An application of AWS AppConfig for tests, with what belongs to it."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

AT_ONCE = {"DeploymentDurationInMinutes": 0, "GrowthFactor": 100, "FinalBakeTimeInMinutes": 0}
# One percent more every 0.6 s.
SLOW = {"DeploymentDurationInMinutes": 1, "GrowthFactor": 1, "FinalBakeTimeInMinutes": 0}


def refusal(error: ClientError) -> tuple[str, str]:
    return error.response["Error"]["Code"], error.response["Error"]["Message"]


@dataclass
class Application:
    """One environment, and profiles as they are asked for. `control` and `data` are boto3 clients."""

    control: Any
    data: Any
    name: str = field(default_factory=lambda: f"app-{secrets.token_hex(4)}")
    strategies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = self.control.create_application(Name=self.name)["Id"]
        self.environment = self.control.create_environment(ApplicationId=self.id, Name="production")["Id"]

    def profile(self, name: str = "limits", *validators: dict[str, str], **parameters: Any) -> str:
        made = self.control.create_configuration_profile(
            ApplicationId=self.id,
            Name=name,
            **{"LocationUri": "hosted", "Validators": list(validators), **parameters},
        )
        return str(made["Id"])

    def version(self, profile: str, content: Any, **parameters: Any) -> str:
        made = self.control.create_hosted_configuration_version(
            ApplicationId=self.id,
            ConfigurationProfileId=profile,
            Content=json.dumps(content).encode(),
            ContentType="application/json",
            **parameters,
        )
        return str(made["VersionNumber"])

    def strategy(self, **parameters: Any) -> str:
        made = self.control.create_deployment_strategy(Name=f"s-{secrets.token_hex(4)}", **parameters)
        self.strategies.append(made["Id"])
        return str(made["Id"])

    def deploy(self, profile: str, version: str, strategy: str | None = None, **parameters: Any) -> int:
        """At once, without a strategy; returns the deployment's number."""
        started = self.control.start_deployment(
            ApplicationId=self.id,
            EnvironmentId=self.environment,
            ConfigurationProfileId=profile,
            ConfigurationVersion=version,
            DeploymentStrategyId=strategy or self.strategy(**AT_ONCE),
            **parameters,
        )
        return int(started["DeploymentNumber"])

    def deployment(self, number: int) -> dict[str, Any]:
        found = self.control.get_deployment(
            ApplicationId=self.id, EnvironmentId=self.environment, DeploymentNumber=number
        )
        return dict(found)

    def stop(self, number: int, **parameters: Any) -> dict[str, Any]:
        stopped = self.control.stop_deployment(
            ApplicationId=self.id, EnvironmentId=self.environment, DeploymentNumber=number, **parameters
        )
        return dict(stopped)

    def session(self, profile: str, **parameters: Any) -> "Poller":
        started = self.data.start_configuration_session(
            ApplicationIdentifier=self.id,
            EnvironmentIdentifier=self.environment,
            ConfigurationProfileIdentifier=profile,
            **parameters,
        )
        return Poller(self.data, started["InitialConfigurationToken"])

    def delete(self) -> None:
        for deployment in self.control.list_deployments(
            ApplicationId=self.id, EnvironmentId=self.environment
        )["Items"]:
            if deployment["State"] in ("DEPLOYING", "BAKING"):
                self.stop(deployment["DeploymentNumber"], AllowRevert=True)
        self.control.delete_environment(ApplicationId=self.id, EnvironmentId=self.environment)
        for profile in self.control.list_configuration_profiles(ApplicationId=self.id)["Items"]:
            of_profile = {"ApplicationId": self.id, "ConfigurationProfileId": profile["Id"]}
            for version in self.control.list_hosted_configuration_versions(**of_profile)["Items"]:
                self.control.delete_hosted_configuration_version(
                    **of_profile, VersionNumber=version["VersionNumber"]
                )
            self.control.delete_configuration_profile(**of_profile)
        self.control.delete_application(ApplicationId=self.id)
        for strategy in self.strategies:
            self.control.delete_deployment_strategy(DeploymentStrategyId=strategy)


@dataclass
class Poller:
    """A client that polls in one session, and remembers what it got last."""

    data: Any
    token: str
    configuration: Any = None
    answer: dict[str, Any] = field(default_factory=dict)

    def poll(self) -> Any:
        self.answer = self.data.get_latest_configuration(ConfigurationToken=self.token)
        self.token = self.answer["NextPollConfigurationToken"]
        body = self.answer["Configuration"].read()
        if body:
            self.configuration = json.loads(body)
        return self.configuration
