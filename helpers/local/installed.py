"""Everything that is added to the emulator, in the order in which it is installed.

Each module has an `install()` that first checks its contract with MiniStack (see contract.py).
"""

INSTALLED: tuple[str, ...] = (
    # Before the modules that write logs and metrics, which take what stands there when imported.
    "helpers.local.patches.invoke_permissions_logs",
    "helpers.local.patches.log_storage",
    "helpers.local.services.log_filters",
    "helpers.local.services.logs_insights",
    "helpers.local.patches.metric_storage",
    "helpers.local.patches.metric_requests",
    "helpers.local.patches.duckdb_isolation",
    "helpers.local.patches.root_signatures",
    "helpers.local.patches.lambda_execution",
    "helpers.local.patches.invoke_api",
    "helpers.local.patches.lambda_validation",
    "helpers.local.patches.event_invoke_config",
    "helpers.local.patches.function_states",
    "helpers.local.patches.versions_and_aliases",
    "helpers.local.patches.provisioned_concurrency",
    "helpers.local.patches.asynchronous_invocation",
    "helpers.local.patches.invoke_permissions_events",
    "helpers.local.patches.invoke_permissions_notifications",
    "helpers.local.patches.invoke_permissions_apis",
    "helpers.local.patches.invoke_permissions_callers",
    "helpers.local.patches.cross_account_invocation",
    "helpers.local.patches.lambda_in_cloudformation",
)
