"""StartConfigurationSession and GetLatestConfiguration, and the resource that both are authorized on.

AWS: AppConfig Data API reference; service authorization reference, "AWS AppConfig", resource type
`configuration`.
"""

import json
import time
import uuid
from typing import Any

from ministack.core import iam_actions
from ministack.services import appconfig

from helpers.local import contract
from helpers.local.functions.refusal import Response
from helpers.local.patches import resource_arns
from helpers.local.patches.resource_arns import Request
from helpers.local.services.appconfig.refusals import bad_request, invalid_token, not_found
from helpers.local.services.appconfig.sessions import Session, Token, required_interval_s

# Requests to both planes are signed for AppConfig, by which the emulator names their service.
_SERVICES = ("appconfig", "appconfigdata")
_ACTIONS = {
    ("POST", "/configurationsessions"): "appconfig:StartConfigurationSession",
    ("GET", "/configuration"): "appconfig:GetLatestConfiguration",
}
_IDENTIFIERS = ("ApplicationIdentifier", "EnvironmentIdentifier", "ConfigurationProfileIdentifier")
# ResourceType of ResourceNotFoundException, for each of them.
_KINDS = ("Application", "Environment", "ConfigurationProfile")

_tokens = contract.expect(appconfig, "_sessions")
_hosted_versions = contract.expect(appconfig, "_hosted_versions")
_application_id = contract.expect(appconfig, "_resolve_application_id", ("identifier",))
_environment_id = contract.expect(appconfig, "_resolve_environment_id", ("app_id", "identifier"))
_profile_id = contract.expect(appconfig, "_resolve_configuration_profile_id", ("app_id", "identifier"))
_deployments_of = contract.expect(appconfig, "_refresh_environment", ("app_id", "env_id"))
# The newest deployment that has reached the session: each has a place from 0 to 99 by the hash of its id,
# and a deployment reaches it when it has deployed to more percent than that. So a client that has got a new
# version keeps it, and two clients may see different ones meanwhile. AWS does not say how it chooses.
_deployment_for = contract.expect(
    appconfig, "_served_deployment", ("app_id", "env_id", "profile_id", "session_id")
)


def start_configuration_session(body: dict[str, Any]) -> Response:
    for name in _IDENTIFIERS:
        if not body.get(name):
            raise bad_request(f"{name} is required.")
    interval_s = required_interval_s(body.get("RequiredMinimumPollIntervalInSeconds"))
    resolved = _resolved(body)
    for name, kind, found in zip(_IDENTIFIERS, _KINDS, resolved, strict=True):
        if found is None:
            raise not_found(
                f"{kind} {body[name]} does not exist.", ResourceType=kind, ReferencedBy={name: body[name]}
            )
    application_id, environment_id, profile_id = map(str, resolved)
    token = _issue(Session(application_id, environment_id, profile_id, interval_s), polled_s=None)
    answer = json.dumps({"InitialConfigurationToken": token}).encode()
    return 201, {"Content-Type": "application/json"}, answer


def get_latest_configuration(token: str) -> Response:
    found = _tokens.get(token)
    if found is None:
        raise invalid_token("Corrupted", "The configuration token is not one that was issued here.")
    session = found.session
    _check_deployed(session)
    now_s = time.time()
    found.spend(now_s)
    headers = {"Next-Poll-Interval-In-Seconds": str(session.next_interval_s)}
    content = b""
    deployment = _deployment_for(
        session.application_id, session.environment_id, session.profile_id, session.session_id
    )
    version = deployment and _hosted_versions.get(
        f"{session.application_id}/{session.profile_id}/{deployment['ConfigurationVersion']}"
    )
    headers["Content-Type"] = version["ContentType"] if version else "application/octet-stream"
    if version and session.received_version != deployment["ConfigurationVersion"]:
        content = version["Content"] if isinstance(version["Content"], bytes) else version["Content"].encode()
        session = session.having(deployment["ConfigurationVersion"])
        if version.get("VersionLabel"):
            headers["Version-Label"] = version["VersionLabel"]
    headers["Next-Poll-Configuration-Token"] = _issue(session, polled_s=now_s)
    return 200, headers, content


def authorize_on_configurations() -> None:
    """Have both operations authorized on the configuration instead of on everything."""
    for each in _SERVICES:
        resource_arns.register(each, _configuration_arn)
    parameters = ("service", "method", "path", "headers", "body", "query_params")
    original_action = contract.expect(iam_actions, "extract_iam_action", parameters)

    def extract_iam_action(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
    ) -> str | None:
        own = _ACTIONS.get((method, path)) if service in _SERVICES else None
        if own is None:
            action: str | None = original_action(service, method, path, headers, body, query_params)
            return action
        # Of a token that was never issued nobody knows the resource: the operation itself refuses it.
        return None if method == "GET" and _token_of(query_params) not in _tokens else own

    iam_actions.extract_iam_action = extract_iam_action


def _configuration_arn(request: Request) -> str | None:
    if (request.method, request.path) not in _ACTIONS:
        return None
    token = _tokens.get(_token_of(request.query_params))
    if token is not None:
        session = token.session
        application, environment, profile = (
            session.application_id,
            session.environment_id,
            session.profile_id,
        )
    else:
        named = _json_object(request.body)
        # What does not exist is named as the request names it.
        application, environment, profile = (
            found or str(named.get(name) or "*")
            for name, found in zip(_IDENTIFIERS, _resolved(named), strict=True)
        )
    return (
        f"arn:aws:appconfig:{request.region}:{request.account_id}:application/{application}"
        f"/environment/{environment}/configuration/{profile}"
    )


def _resolved(request: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """The ids of what the request names by id or by name: None for what does not exist."""
    application, environment, profile = (request.get(name) for name in _IDENTIFIERS)
    application_id = _application_id(application)
    if application_id is None:
        return None, None, None
    return application_id, _environment_id(application_id, environment), _profile_id(application_id, profile)


def _check_deployed(session: Session) -> None:
    deployments = _deployments_of(session.application_id, session.environment_id)
    if not any(each["ConfigurationProfileId"] == session.profile_id for each in deployments):
        raise not_found(
            f"Configuration profile {session.profile_id} has not been deployed to environment "
            f"{session.environment_id}.",
            ResourceType="Deployment",
            ReferencedBy={"ConfigurationToken": session.profile_id},
        )


def _issue(session: Session, polled_s: float | None) -> str:
    token = uuid.uuid4().hex
    _tokens[token] = Token(session, issued_s=time.time(), polled_s=polled_s)
    return token


def _token_of(query_params: dict[str, Any]) -> str:
    given = query_params.get("configuration_token") or ""
    return str(given[0] if isinstance(given, list) else given)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
