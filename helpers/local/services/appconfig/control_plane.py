"""AppConfig's operations, as far as they do more than the emulator's.

AWS: AppConfig API reference, "StartDeployment", "ValidateConfiguration",
"CreateHostedConfigurationVersion" and the operations that list: they return up to 50 items and a token for
the next.
"""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core import iam_actions
from ministack.services import appconfig

from helpers.local import contract
from helpers.local.functions.refusal import Refused, Response, not_implemented
from helpers.local.services.appconfig import rules, validators
from helpers.local.services.appconfig.refusals import bad_request
from helpers.local.services.appconfig.validators import Configuration

Handler = Callable[..., Awaitable[Response]]
Query = dict[str, list[str]]

MAXIMUM_ITEMS = 50
_ALL_ITEMS = str(2**31 - 1)
_NOT_SERVED = re.compile(r"GetConfiguration|.*(Extension|Experiment|AccountSettings).*")
_VERSIONS = re.compile(r"/applications/([^/]+)/configurationprofiles/([^/]+)/hostedconfigurationversions")
_VALIDATORS = re.compile(r"/applications/([^/]+)/configurationprofiles/([^/]+)/validators")
_DEPLOYMENTS = re.compile(r"/applications/([^/]+)/environments/([^/]+)/deployments")

_profile_arn = contract.expect(appconfig, "_profile_arn", ("app_id", "profile_id"))
_deployment_arn = contract.expect(appconfig, "_deployment_arn", ("app_id", "env_id", "deploy_num"))
_apply_tags = contract.expect(appconfig, "_apply_tags", ("arn", "tags_dict"))
_versions = contract.expect(appconfig, "_hosted_versions")
_operation_of = contract.expect(
    iam_actions, "_match_rest_action", ("service", "method", "path", "query_params")
)


def serving(handle: Handler) -> Handler:
    """The emulator's handler of requests to both planes, with what AWS does beyond it."""

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Query
    ) -> Response:
        try:
            return await _serve(handle, method, path, headers, body or b"", query_params)
        except Refused as refused:
            return refused.response()

    return handle_request


async def _serve(
    handle: Handler, method: str, path: str, headers: dict[str, str], body: bytes, query: Query
) -> Response:
    operation = _operation_of("appconfig", method, path, query) or ""
    if _NOT_SERVED.fullmatch(operation):
        raise not_implemented(f"AppConfig {operation}")
    if method == "DELETE":
        rules.check_deletion_protection(headers.get("x-amzn-deletion-protection-check"))
    if method == "POST":
        if match := _VALIDATORS.fullmatch(path):
            await _validate(match[1], match[2], _first(query, "configuration_version"))
            return 204, {}, b""
        if match := _DEPLOYMENTS.fullmatch(path):
            return await _start_deployment(handle, path, headers, query, body, *match.groups())
        if match := _VERSIONS.fullmatch(path):
            return await _create_version(handle, path, headers, query, body, *match.groups())
    if operation.startswith("List") and operation != "ListTagsForResource":
        return await _list(handle, path, headers, query)
    return await handle(method, path, headers, body, query)


async def _start_deployment(
    handle: Handler,
    path: str,
    headers: dict[str, str],
    query: Query,
    body: bytes,
    application_id: str,
    environment_id: str,
) -> Response:
    request = json_object(body)
    rules.check_deployment(application_id, environment_id, request)
    profile_id = request.get("ConfigurationProfileId") or ""
    # The emulator knows a version by its number alone.
    request["ConfigurationVersion"] = await _validate(
        application_id, profile_id, request.get("ConfigurationVersion") or ""
    )
    response = await handle("POST", path, headers, json.dumps(request).encode(), query)
    if response[0] < 300 and request.get("Tags"):
        number = json.loads(response[2])["DeploymentNumber"]
        _apply_tags(_deployment_arn(application_id, environment_id, number), request["Tags"])
    return response


async def _validate(application_id: str, profile_id: str, named: str) -> str:
    """Run the profile's validators on the version of that number or label; returns its number.

    In a thread, because functions may call the local AWS. Raises Refused.
    """
    profile = rules.profile_of(application_id, profile_id)
    version = rules.version_of(application_id, profile_id, named)
    number = str(version["VersionNumber"])
    configuration = configuration_of(
        application_id, profile_id, number, version["Content"], version["ContentType"]
    )
    await asyncio.to_thread(validators.check, list(profile["Validators"]), configuration)
    return number


async def _create_version(
    handle: Handler,
    path: str,
    headers: dict[str, str],
    query: Query,
    body: bytes,
    application_id: str,
    profile_id: str,
) -> Response:
    """A JSON Schema refuses what does not satisfy it at once, a function when it is to be deployed.

    AppConfig API reference, "InvalidConfigurationDetail": of an error when creating a hosted version.
    """
    profile = rules.profile_of(application_id, profile_id)
    label, latest = headers.get("versionlabel"), headers.get("latest-version-number")
    rules.check_new_version(application_id, profile_id, body, label, latest)
    configuration = configuration_of(
        application_id, profile_id, "", body, headers.get("content-type") or "application/octet-stream"
    )
    validators.check_by_schema(profile["Validators"], configuration)
    status, answered, content = await handle("POST", path, headers, body, query)
    description = headers.get("description")
    if status < 300 and description:
        _versions[f"{application_id}/{profile_id}/{answered['Version-Number']}"]["Description"] = description
        answered["Description"] = description
    return status, answered, content


def configuration_of(
    application_id: str, profile_id: str, version: str, content: Any, content_type: str
) -> Configuration:
    """`content` is text where a stack has made it."""
    as_bytes = content if isinstance(content, bytes) else content.encode()
    arn = _profile_arn(application_id, profile_id)
    return Configuration(application_id, profile_id, arn, version, as_bytes, content_type)


async def _list(handle: Handler, path: str, headers: dict[str, str], query: Query) -> Response:
    """A page of what the emulator lists at once. NextToken holds where the next one starts."""
    most = int(_first(query, "max_results") or MAXIMUM_ITEMS)
    if not 1 <= most <= MAXIMUM_ITEMS:
        raise bad_request(f"MaxResults is from 1 to {MAXIMUM_ITEMS}, not {most}.")
    start = _start_of(_first(query, "next_token"))
    status, answered, body = await handle("GET", path, headers, b"", {**query, "max_results": [_ALL_ITEMS]})
    if status >= 300:
        return status, answered, body
    items = json.loads(body)["Items"]
    label = _first(query, "version_label")
    if label:
        items = [item for item in items if _labelled(label, item.get("VersionLabel") or "")]
    page: dict[str, Any] = {"Items": items[start : start + most]}
    if start + most < len(items):
        page["NextToken"] = base64.urlsafe_b64encode(str(start + most).encode()).decode()
    return status, answered, json.dumps(page).encode()


def _labelled(pattern: str, label: str) -> bool:
    """A pattern may end in an asterisk."""
    return label.startswith(pattern[:-1]) if pattern.endswith("*") else label == pattern


def _start_of(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError):
        raise bad_request("NextToken is not one that was returned here.") from None


def _first(query: Query, name: str) -> str:
    given = query.get(name) or ""
    return str(given[0] if isinstance(given, list) else given)


def json_object(body: bytes) -> dict[str, Any]:
    """Raises Refused."""
    try:
        found = json.loads(body or b"{}")
    except ValueError as error:
        raise bad_request(f"The body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise bad_request("The body is not a JSON object.")
    return found
