"""AWS AppConfig with validators, sessions and refusals.

Restores: validators that refuse a configuration; a token that is good for one poll, and for a poll that is
not too early; a role that may read some configurations and not others; deletions that are refused. MiniStack
keeps the records and lets deployments proceed, in true time, by their strategy and the alarms of their
environment.

AWS: AppConfig user guide, "Understanding validators", "Working with deployment strategies", "Retrieving
configuration data"; API references of AppConfig and AppConfig Data.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import appconfig

from helpers.local import contract
from helpers.local.functions.refusal import preceded_by, refusing
from helpers.local.services.appconfig import control_plane, data_plane, rules


def install() -> None:
    for name, parameters, check in _CHECKS:
        original = contract.expect(appconfig, name, parameters)
        setattr(appconfig, name, preceded_by(check, original))
    for name, parameters, replacement in (
        ("_start_configuration_session", ("body",), data_plane.start_configuration_session),
        ("_get_latest_configuration", ("token",), data_plane.get_latest_configuration),
    ):
        contract.replace(appconfig, name, parameters, refusing(replacement))
    data_plane.authorize_on_configurations()
    requests = ("method", "path", "headers", "body_bytes", "query_params")
    handle = contract.expect(appconfig, "handle_request", requests)
    appconfig.handle_request = control_plane.serving(handle)


_CHECKS: tuple[tuple[str, tuple[str, ...], Callable[..., Any]], ...] = (
    (
        "_create_configuration_profile",
        ("app_id", "body"),
        lambda app_id, body: rules.check_new_profile(body),
    ),
    (
        "_update_configuration_profile",
        ("app_id", "profile_id", "body"),
        lambda app_id, profile_id, body: rules.check_changed_profile(body),
    ),
    ("_create_deployment_strategy", ("body",), rules.check_new_strategy),
    (
        "_update_deployment_strategy",
        ("strategy_id", "body"),
        lambda strategy_id, body: rules.check_strategy(body),
    ),
    ("_delete_application", ("app_id",), rules.check_application_deletable),
    ("_delete_environment", ("app_id", "env_id"), rules.check_environment_deletable),
    ("_delete_configuration_profile", ("app_id", "profile_id"), rules.check_profile_deletable),
)
