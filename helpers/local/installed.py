"""Everything that is added to the emulator, in the order in which it is installed.

Each module has an `install()` that first checks its contract with MiniStack (see contract.py).
"""

import functools
import importlib
from typing import Any

from ministack import app

from helpers.local import contract

INSTALLED: tuple[str, ...] = (
    # Before the modules that write logs and metrics, which take what stands there when imported.
    "helpers.local.patches.invoke_permissions_logs",
    "helpers.local.patches.log_storage",
    "helpers.local.services.log_filters",
    "helpers.local.services.logs_insights",
    "helpers.local.services.price_list",
    "helpers.local.patches.log_ingestion",
    "helpers.local.patches.log_metrics",
    "helpers.local.patches.log_descriptions",
    "helpers.local.patches.log_groups",
    "helpers.local.services.log_export",
    # After all that replaces the log service's handler of requests.
    "helpers.local.patches.log_retention",
    "helpers.local.patches.metric_storage",
    "helpers.local.patches.metric_requests",
    "helpers.local.services.alarms",
    "helpers.local.patches.metric_queries",
    "helpers.local.services.bucket_lifecycle",
    "helpers.local.patches.duckdb_isolation",
    "helpers.local.patches.root_signatures",
    "helpers.local.patches.resource_arns",
    "helpers.local.patches.lambda_execution",
    "helpers.local.patches.invoke_api",
    "helpers.local.patches.lambda_validation",
    # After the checks of layers, which let no account of AWS's own pass.
    "helpers.local.patches.appconfig_agent_layer",
    "helpers.local.patches.event_invoke_config",
    "helpers.local.patches.function_states",
    "helpers.local.patches.versions_and_aliases",
    "helpers.local.patches.provisioned_concurrency",
    "helpers.local.patches.asynchronous_invocation",
    "helpers.local.services.event_sources",
    "helpers.local.services.appconfig",
    # After the metrics' storage, in which both write.
    "helpers.local.patches.dynamodb_time_to_live",
    "helpers.local.patches.dynamodb_capacity",
    "helpers.local.services.key_use",
    "helpers.local.patches.denial_messages",
    "helpers.local.services.parameter_store",
    "helpers.local.patches.secret_values",
    "helpers.local.patches.secret_policies",
    "helpers.local.services.secret_rotation",
    "helpers.local.patches.invoke_permissions_events",
    "helpers.local.patches.invoke_permissions_notifications",
    "helpers.local.patches.invoke_permissions_apis",
    "helpers.local.patches.invoke_permissions_callers",
    "helpers.local.patches.rest_api_configuration",
    # After what is configured, before what is served, which takes the stores that stand there when imported.
    "helpers.local.patches.rest_api_deployments",
    "helpers.local.patches.rest_api_proxy_answers",
    # After the permissions of proxies, which are part of what an integration's time is spent on.
    "helpers.local.patches.rest_api_integrations",
    "helpers.local.patches.rest_api_metrics",
    "helpers.local.patches.http_api_proxy_answers",
    "helpers.local.patches.cross_account_invocation",
)
CLOUDFORMATION = "cloudformation"
INSTALLED_IN_CLOUDFORMATION: tuple[str, ...] = (
    # Before what makes the operations of Lambda's resources wait for functions.
    "helpers.local.services.event_sources.cloudformation",
    "helpers.local.services.appconfig.cloudformation",
    "helpers.local.patches.lambda_in_cloudformation",
    "helpers.local.patches.rest_api_in_cloudformation",
)


def install() -> None:
    """Install all of it, what concerns CloudFormation when that is first called.

    Importing CloudFormation takes as long as all the rest of a start. Raises ContractBroken.
    """
    for name in INSTALLED:
        importlib.import_module(name).install()
    load = contract.expect(app, "_get_module", ("name",))

    @functools.wraps(load)
    def get_module(name: str) -> Any:
        module = load(name)
        if name == CLOUDFORMATION:
            _install_in_cloudformation()
        return module

    app._get_module = get_module


@functools.cache
def _install_in_cloudformation() -> None:
    for name in INSTALLED_IN_CLOUDFORMATION:
        importlib.import_module(name).install()
