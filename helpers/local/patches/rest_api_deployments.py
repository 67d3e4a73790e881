"""A stage of a REST API serves its deployment: what the API was when CreateDeployment was called.

Restores: changes of resources, methods, integrations, authorizers, models, request validators and of the API
itself, its resource policy included, reach a stage with its next deployment only (API Gateway developer
guide, "Updates to REST APIs that require redeployment"); an API with a method that could not answer, or with
none, is not deployed; a stage needs a deployment, and a deployment stays while a stage needs it. What belongs
to the stage, such as its variables, takes effect at once. MiniStack keeps the gateway responses of a
deployment itself, and serves the rest as it is at the moment. API reference, "CreateDeployment",
"CreateStage", "UpdateStage", "DeleteDeployment", "GetExport".
"""

import contextlib
import contextvars
import copy
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import apigateway_v1

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.patches.rest_api_configuration import Handler, Response, refusing
from helpers.local.services.apigateway.configuration_rules import bad_request

# What the data plane reads of an API, and what GetExport does.
DEPLOYED = ("_rest_apis", "_resources", "_authorizers_v1", "_models", "_request_validators")
Configuration = dict[str, Any]

_resources = contract.expect(apigateway_v1, "_resources")
_stages = contract.expect(apigateway_v1, "_stages_v1")
_deployments = contract.expect(apigateway_v1, "_deployments_v1")
_scope_of = contract.expect(apigateway_v1, "find_api_scope", ("api_id",))

# ID of the API that is being served, and its configuration as it was deployed.
_served: contextvars.ContextVar[tuple[str, Configuration] | None] = contextvars.ContextVar(
    "served_rest_api", default=None
)


def install() -> None:
    for name, parameters in (
        ("get", ("self", "key", "default")),
        ("get_scoped", ("self", "account_id", "region", "key", "default")),
        ("__getitem__", ("self", "key")),
    ):
        contract.expect(AccountRegionScopedDict, name, parameters)
    for name in DEPLOYED:
        setattr(apigateway_v1, name, _Store(name, contract.expect(apigateway_v1, name)))
    _serve_deployments()
    for name, parameters, adapt in (
        ("_create_deployment", ("api_id", "data"), _keeping_configuration),
        ("_delete_deployment", ("api_id", "deployment_id"), _unless_in_use),
        ("_create_stage", ("api_id", "data"), _of_deployment),
        ("_update_stage", ("api_id", "stage_name", "data"), _to_deployment),
    ):
        setattr(apigateway_v1, name, refusing(adapt(contract.expect(apigateway_v1, name, parameters))))


class _Deployment(dict[str, Any]):
    """The emulator's record of a deployment. What was deployed lives as long, and is not shown with it."""

    configuration: Configuration


class _Store(AccountRegionScopedDict):
    """One of the emulator's stores by API, which shows what is deployed while a stage is being served."""

    def __init__(self, name: str, live: AccountRegionScopedDict) -> None:
        self._name = name
        # Shared, not copied: others hold the emulator's own store.
        self._data = live._data

    def _deployed(self, api_id: str) -> Configuration | None:
        served = _served.get()
        return served[1] if served is not None and served[0] == api_id else None

    def get(self, key: str, default: Any = None) -> Any:
        deployed = self._deployed(key)
        return super().get(key, default) if deployed is None else deployed.get(self._name, default)

    def get_scoped(self, account_id: str, region: str, key: str, default: Any = None) -> Any:
        deployed = self._deployed(key)
        if deployed is None or not self.contains_scoped(account_id, region, key):
            return super().get_scoped(account_id, region, key, default)
        return deployed.get(self._name, default)

    def __getitem__(self, key: str) -> Any:
        deployed = self._deployed(key)
        return super().__getitem__(key) if deployed is None else deployed[self._name]


@contextlib.contextmanager
def _serving(api_id: str, stage_name: str) -> Iterator[None]:
    token = _served.set(_deployed_to(api_id, stage_name))
    try:
        yield
    finally:
        _served.reset(token)


def _deployed_to(api_id: str, stage_name: str) -> tuple[str, Configuration] | None:
    """None for a stage that does not exist."""
    scope = _scope_of(api_id)
    if scope is None:
        return None
    stage = _stages.get_scoped(*scope, api_id, {}).get(stage_name)
    if stage is None:
        return None
    deployment: _Deployment = _deployments.get_scoped(*scope, api_id)[stage["deploymentId"]]
    return api_id, deployment.configuration


def _serve_deployments() -> None:
    parameters = (
        *("api_id", "stage_name", "method", "path", "headers", "body", "query_params"),
        *("owner_account_id", "owner_region"),
    )
    handle = contract.expect(apigateway_v1, "_handle_execute_in_scope", parameters)

    @functools.wraps(handle)
    async def handle_execute(api_id: str, stage_name: str, *arguments: Any) -> Any:
        with _serving(api_id, stage_name):
            return await handle(api_id, stage_name, *arguments)

    apigateway_v1._handle_execute_in_scope = handle_execute
    for name, rest in (
        ("method_authorization_type", ("method", "path")),
        ("_get_export", ("export_type", "headers", "query_params")),
    ):
        read = contract.expect(apigateway_v1, name, ("api_id", "stage_name", *rest))
        setattr(apigateway_v1, name, _reading_deployment(read))
    read_policy = contract.expect(apigateway_v1, "rest_api_policy_for_arn", ("resource_arn",))

    @functools.wraps(read_policy)
    def policy_for_arn(resource_arn: str) -> Any:
        api_id, stage_name, *_ = (*resource_arn.split(":", 5)[-1].split("/"), "")
        with _serving(api_id, stage_name):
            return read_policy(resource_arn)

    apigateway_v1.rest_api_policy_for_arn = policy_for_arn


def _reading_deployment(read: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(read)
    def read_deployed(api_id: str, stage_name: str, *arguments: Any) -> Any:
        with _serving(api_id, stage_name):
            return read(api_id, stage_name, *arguments)

    return read_deployed


def _keeping_configuration(create: Handler) -> Handler:
    @functools.wraps(create)
    def create_deployment(api_id: str, data: dict[str, Any]) -> Response:
        if api_id in _resources:
            _check_methods(_resources[api_id])
        answer = create(api_id, data)
        if answer[0] == 201:
            deployments = _deployments[api_id]
            deployment_id = json.loads(answer[2])["id"]
            deployments[deployment_id] = deployment = _Deployment(deployments[deployment_id])
            deployment.configuration = _configuration(api_id)
        return answer

    return create_deployment


def _configuration(api_id: str) -> Configuration:
    stores = {name: getattr(apigateway_v1, name) for name in DEPLOYED}
    return copy.deepcopy({name: store[api_id] for name, store in stores.items() if api_id in store})


def _check_methods(resources: dict[str, Any]) -> None:
    methods = [method for resource in resources.values() for method in resource["resourceMethods"].values()]
    if not methods:
        raise bad_request("The REST API doesn't contain any methods")
    if not all(method.get("methodIntegration") for method in methods):
        raise bad_request("No integration defined for method")


def _unless_in_use(delete: Handler) -> Handler:
    @functools.wraps(delete)
    def delete_deployment(api_id: str, deployment_id: str) -> Response:
        if any(stage["deploymentId"] == deployment_id for stage in _stages.get(api_id, {}).values()):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")
        return delete(api_id, deployment_id)

    return delete_deployment


def _of_deployment(create: Handler) -> Handler:
    @functools.wraps(create)
    def create_stage(api_id: str, data: dict[str, Any]) -> Response:
        if api_id in _resources:
            if data.get("stageName") in _stages.get(api_id, {}):
                raise Refused("ConflictException", "Stage already exists", 409)
            _check_deployment(api_id, data.get("deploymentId"))
        return create(api_id, data)

    return create_stage


def _to_deployment(update: Handler) -> Handler:
    @functools.wraps(update)
    def update_stage(api_id: str, stage_name: str, data: dict[str, Any]) -> Response:
        if stage_name in _stages.get(api_id, {}):
            for operation in data.get("patchOperations") or []:
                if operation["path"] == "/deploymentId":
                    _check_deployment(api_id, operation.get("value"))
        return update(api_id, stage_name, data)

    return update_stage


def _check_deployment(api_id: str, deployment_id: str | None) -> None:
    if deployment_id not in _deployments.get(api_id, {}):
        raise bad_request("Deployment id does not exist")
