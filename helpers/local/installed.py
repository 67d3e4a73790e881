"""Everything that is added to the emulator, in the order in which it is installed.

Each module has an `install()` that first checks its contract with MiniStack (see contract.py).
"""

INSTALLED: tuple[str, ...] = (
    "helpers.local.patches.lambda_execution",
    "helpers.local.patches.invoke_api",
)
