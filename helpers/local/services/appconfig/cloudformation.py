"""CloudFormation makes AppConfig's resources by the rules of its API.

AWS behaviour restored (CloudFormation user guide, AWS::AppConfig::ConfigurationProfile,
AWS::AppConfig::HostedConfigurationVersion, AWS::AppConfig::DeploymentStrategy and
AWS::AppConfig::Deployment): what the API refuses fails the resource; a deployment is validated, takes the
time of its strategy, and fails its resource when it is rolled back.
"""

import functools
import json
import time
from collections.abc import Callable
from typing import Any

from ministack.services import appconfig
from ministack.services.cloudformation import provisioners

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.services.appconfig import control_plane, rules, validators

POLL_INTERVAL_S = 0.2
# Also as text, as templates may have them.
_NUMBERS = ("DeploymentDurationInMinutes", "FinalBakeTimeInMinutes", "GrowthFactor")

Properties = dict[str, Any]

_deployments = contract.expect(appconfig, "_deployments")
_refresh = contract.expect(appconfig, "_refresh_environment", ("app_id", "env_id"))
_iso = contract.expect(appconfig, "_iso", ("epoch",))
_add_event = contract.expect(
    appconfig, "_add_deployment_event", ("record", "event_type", "triggered_by", "description", "at")
)


def install() -> None:
    handlers = contract.expect(provisioners, "_RESOURCE_HANDLERS")
    for kind, check in (
        ("ConfigurationProfile", _check_profile),
        ("HostedConfigurationVersion", _check_version),
        ("DeploymentStrategy", _check_strategy),
    ):
        handler = handlers[f"AWS::AppConfig::{kind}"]
        handler["create"] = _checked(handler["create"], check, properties_at=1)
        if "update" in handler:
            handler["update"] = _checked(handler["update"], check, properties_at=2)
    deployment = handlers["AWS::AppConfig::Deployment"]
    deployment["create"] = _deploying(deployment["create"])


def _checked(
    operation: Callable[..., Any], check: Callable[[Properties], None], properties_at: int
) -> Callable[..., Any]:
    @functools.wraps(operation)
    def checked(*arguments: Any, **keywords: Any) -> Any:
        _refusing(check, arguments[properties_at])
        return operation(*arguments, **keywords)

    return checked


def _refusing(check: Callable[[Properties], Any], properties: Properties) -> Any:
    """Raises ValueError, which the emulator takes as the reason for which a resource failed."""
    try:
        return check(properties)
    except Refused as refused:
        raise ValueError(refused.message) from None


def _check_profile(properties: Properties) -> None:
    rules.check_new_profile(properties)


def _check_strategy(properties: Properties) -> None:
    numbers = {name: float(properties[name]) for name in _NUMBERS if name in properties}
    rules.check_new_strategy({"Name": "named by CloudFormation", **properties, **numbers})


def _check_version(properties: Properties) -> None:
    application_id, profile_id = properties["ApplicationId"], properties["ConfigurationProfileId"]
    profile = rules.profile_of(application_id, profile_id)
    given = properties.get("Content") or ""
    content = (given if isinstance(given, str) else json.dumps(given)).encode()
    rules.check_new_version(application_id, profile_id, content, properties.get("VersionLabel"), None)
    content_type = properties.get("ContentType") or ""
    configuration = control_plane.configuration_of(application_id, profile_id, "", content, content_type)
    validators.check_by_schema(profile["Validators"], configuration)


def _deploying(create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def deploy(logical_id: str, properties: Properties, stack_name: str) -> Any:
        version = _refusing(_validated_version, properties)
        number, _ = create(logical_id, {**properties, "ConfigurationVersion": version}, stack_name)
        application_id, environment_id = properties["ApplicationId"], properties["EnvironmentId"]
        deployment = _deployments[f"{application_id}/{environment_id}/{number}"]
        _begin(deployment)
        while deployment["State"] in rules.IN_PROGRESS:
            _refresh(application_id, environment_id)
            time.sleep(POLL_INTERVAL_S)
        if deployment["State"] != "COMPLETE":
            raise ValueError(f"Deployment {number} ended as {deployment['State']}.")
        return number, {"DeploymentNumber": int(number), "State": deployment["State"]}

    return deploy


def _validated_version(properties: Properties) -> str:
    """The number of the version that is deployed. Raises Refused."""
    application_id, profile_id = properties["ApplicationId"], properties["ConfigurationProfileId"]
    rules.check_deployment(application_id, properties["EnvironmentId"], properties)
    profile = rules.profile_of(application_id, profile_id)
    version = rules.version_of(application_id, profile_id, str(properties["ConfigurationVersion"]))
    number = str(version["VersionNumber"])
    configuration = control_plane.configuration_of(
        application_id, profile_id, number, version["Content"], version["ContentType"]
    )
    validators.check(profile["Validators"], configuration)
    return number


def _begin(deployment: dict[str, Any]) -> None:
    """The emulator has made it as one that is complete."""
    now_s = time.time()
    for name in ("DeploymentDurationInMinutes", "FinalBakeTimeInMinutes"):
        deployment[name] = int(deployment[name])
    deployment["GrowthFactor"] = float(deployment["GrowthFactor"])
    deployment.pop("CompletedAt")
    deployment.update(State="DEPLOYING", PercentageComplete=0.0, StartedAt=_iso(now_s), _StartedEpoch=now_s)
    _add_event(deployment, "DEPLOYMENT_STARTED", "USER", "Deployment started", now_s)
