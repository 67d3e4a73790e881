"""Everything that is added to the emulator, in the order in which it is installed.

Each module has an `install()` that first checks its contract with MiniStack (see contract.py).
"""

INSTALLED: tuple[str, ...] = (
    # Storage first: the modules that write logs and metrics take what stands there when they are imported.
    "helpers.local.patches.log_storage",
    "helpers.local.patches.metric_storage",
    "helpers.local.patches.metric_requests",
    "helpers.local.patches.duckdb_isolation",
    "helpers.local.patches.root_signatures",
    "helpers.local.patches.lambda_execution",
    "helpers.local.patches.invoke_api",
)
