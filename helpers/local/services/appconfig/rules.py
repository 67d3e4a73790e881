"""What AppConfig refuses of a request to its control plane, and what the local AWS cannot do.

AWS: AppConfig API reference, the pages of the operations; user guide, "Working with deployment
strategies"; AWS General Reference, "AWS AppConfig endpoints and quotas".
"""

from collections.abc import Iterable
from typing import Any

from ministack.services import appconfig

from helpers.local import contract
from helpers.local.functions.refusal import not_implemented
from helpers.local.services.appconfig.refusals import bad_request, conflict, not_found, too_large
from helpers.local.services.appconfig.validators import check_validators

HOSTED = "hosted"
FREEFORM, FEATURE_FLAGS = "AWS.Freeform", "AWS.AppConfig.FeatureFlags"
LARGEST_HOSTED_CONFIGURATION_KB = 2048
LONGEST_MINUTES = 1440
IN_PROGRESS = ("DEPLOYING", "BAKING")

Record = dict[str, Any]

_environments = contract.expect(appconfig, "_environments")
_profiles = contract.expect(appconfig, "_config_profiles")
_versions = contract.expect(appconfig, "_hosted_versions")
_strategy_of = contract.expect(appconfig, "_find_deployment_strategy", ("strategy_id",))
_deployments_of = contract.expect(appconfig, "_refresh_environment", ("app_id", "env_id"))


def check_new_profile(body: Record) -> None:
    """CreateConfigurationProfile. Raises Refused."""
    location = body.get("LocationUri")
    if not location:
        raise bad_request(f"LocationUri is required. For the hosted configuration store it is {HOSTED}.")
    if location != HOSTED:
        raise not_implemented(f"CreateConfigurationProfile with LocationUri {location}: only {HOSTED}")
    kind = body.get("Type", FREEFORM)
    if kind == FEATURE_FLAGS:
        raise not_implemented(f"CreateConfigurationProfile with Type {FEATURE_FLAGS}: only {FREEFORM}")
    if kind != FREEFORM:
        raise bad_request(f"Type is {FREEFORM} or {FEATURE_FLAGS}, not {kind}.")
    check_changed_profile(body)


def check_changed_profile(body: Record) -> None:
    """UpdateConfigurationProfile. Raises Refused."""
    if body.get("KmsKeyIdentifier"):
        raise not_implemented("A configuration profile with KmsKeyIdentifier")
    check_validators(body.get("Validators") or [])


def check_strategy(body: Record) -> None:
    """CreateDeploymentStrategy and UpdateDeploymentStrategy. Raises Refused."""
    for name, lowest, highest in (
        ("DeploymentDurationInMinutes", 0, LONGEST_MINUTES),
        ("FinalBakeTimeInMinutes", 0, LONGEST_MINUTES),
        ("GrowthFactor", 1, 100),
    ):
        value = body.get(name)
        if value is not None and not lowest <= value <= highest:
            raise bad_request(f"{name} is from {lowest} to {highest}, not {value}.")
    if body.get("GrowthType") not in (None, "LINEAR", "EXPONENTIAL"):
        raise bad_request(f"GrowthType is LINEAR or EXPONENTIAL, not {body['GrowthType']}.")
    if body.get("ReplicateTo") not in (None, "NONE", "SSM_DOCUMENT"):
        raise bad_request(f"ReplicateTo is NONE or SSM_DOCUMENT, not {body['ReplicateTo']}.")
    if body.get("ReplicateTo") == "SSM_DOCUMENT":
        raise not_implemented("A deployment strategy with ReplicateTo SSM_DOCUMENT")


def check_new_strategy(body: Record) -> None:
    """CreateDeploymentStrategy. Raises Refused."""
    for name in ("Name", "DeploymentDurationInMinutes", "GrowthFactor"):
        if body.get(name) in (None, ""):
            raise bad_request(f"{name} is required.")
    check_strategy(body)


def check_new_version(
    application_id: str, profile_id: str, content: bytes, label: str | None, latest: str | None
) -> None:
    """CreateHostedConfigurationVersion. `latest` is LatestVersionNumber. Raises Refused."""
    size_kb = len(content) / 1024
    if size_kb > LARGEST_HOSTED_CONFIGURATION_KB:
        raise too_large(size_kb, LARGEST_HOSTED_CONFIGURATION_KB)
    if not content:
        raise bad_request("Content is required.")
    existing = versions_of(application_id, profile_id)
    if label is not None:
        if label.isdigit() or not 1 <= len(label) <= 64:
            raise bad_request("VersionLabel has up to 64 characters, of which at least one is no digit.")
        if any(version.get("VersionLabel") == label for version in existing):
            raise conflict(f"The label {label} is already that of another version of {profile_id}.")
    newest = max((version["VersionNumber"] for version in existing), default=0)
    if latest is not None and int(latest) != newest:
        raise conflict(
            f"LatestVersionNumber is {latest}, but the latest version of {profile_id} is {newest}."
        )


def check_deployment(application_id: str, environment_id: str, body: Record) -> None:
    """StartDeployment, before any validator runs. Raises Refused."""
    for name in ("KmsKeyIdentifier", "DynamicExtensionParameters"):
        if body.get(name):
            raise not_implemented(f"StartDeployment with {name}")
    if f"{application_id}/{environment_id}" not in _environments:
        raise not_found(f"Environment {environment_id} of application {application_id} could not be found.")
    strategy = body.get("DeploymentStrategyId") or ""
    if _strategy_of(strategy) is None:
        raise not_found(f"DeploymentStrategy with Id {strategy} could not be found.")
    running = _running(_deployments_of(application_id, environment_id))
    if running is not None:
        raise conflict(
            f"Deployment {running['DeploymentNumber']} is in progress in environment {environment_id}: "
            "an environment has one at a time."
        )


def check_environment_deletable(application_id: str, environment_id: str) -> None:
    """DeleteEnvironment. Raises Refused."""
    running = _running(_deployments_of(application_id, environment_id))
    if running is not None:
        raise conflict(
            f"Cannot delete environment {environment_id} while its deployment "
            f"{running['DeploymentNumber']} is in progress: stop it, or wait for its end."
        )


def check_profile_deletable(application_id: str, profile_id: str) -> None:
    """DeleteConfigurationProfile. Raises Refused."""
    if versions_of(application_id, profile_id):
        raise bad_request(
            f"Cannot delete configuration profile {profile_id} because there are still hosted "
            "configuration versions existing under it."
        )


def check_application_deletable(application_id: str) -> None:
    """DeleteApplication. Raises Refused."""
    for kind, records in (("environments", _environments), ("configuration profiles", _profiles)):
        if any(record["ApplicationId"] == application_id for record in records.values()):
            raise bad_request(
                f"Cannot delete application {application_id} because there are still {kind} "
                "existing under it."
            )


def check_deletion_protection(given: str | None) -> None:
    """Which is off by default for an account. Raises Refused."""
    if given == "APPLY":
        raise not_implemented("DeletionProtectionCheck APPLY")
    if given not in (None, "ACCOUNT_DEFAULT", "BYPASS"):
        raise bad_request(f"DeletionProtectionCheck is ACCOUNT_DEFAULT, APPLY or BYPASS, not {given}.")


def profile_of(application_id: str, profile_id: str) -> Record:
    """Raises Refused."""
    profile: Record | None = _profiles.get(f"{application_id}/{profile_id}")
    if profile is None:
        raise not_found(
            f"Configuration profile {profile_id} of application {application_id} could not be found."
        )
    return profile


def version_of(application_id: str, profile_id: str, named: str) -> Record:
    """The hosted version of that number or label. Raises Refused."""
    for version in versions_of(application_id, profile_id):
        if named in (str(version["VersionNumber"]), version.get("VersionLabel")):
            return version
    raise not_found(f"Version {named} of configuration profile {profile_id} could not be found.")


def versions_of(application_id: str, profile_id: str) -> list[Record]:
    prefix = f"{application_id}/{profile_id}/"
    return [version for key, version in _versions.items() if key.startswith(prefix)]


def _running(deployments: Iterable[Record]) -> Record | None:
    return next((each for each in deployments if each["State"] in IN_PROGRESS), None)
