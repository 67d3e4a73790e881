"""Which runtime names CreateFunction takes.

Sources: AWS Lambda developer guide, "Lambda runtimes" (supported and deprecated runtimes), and
the enumeration `Runtime` in AWS's service model.
"""

from helpers.local.functions import runtimes
from helpers.local.functions.refusal import invalid_parameter, not_implemented

# Supported for new functions, the newest of each family last.
_SUPPORTED = (
    ("nodejs", ("nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x")),
    ("python", ("python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14")),
    ("java", ("java8.al2", "java11", "java17", "java21", "java25")),
    ("dotnet", ("dotnet8", "dotnet10")),
    ("ruby", ("ruby3.2", "ruby3.3", "ruby3.4")),
    ("provided", ("provided.al2", "provided.al2023")),
)
# Refused for new functions and for updates of old ones.
_RETIRED = frozenset(
    [
        "nodejs",
        "nodejs4.3",
        "nodejs4.3-edge",
        "nodejs6.10",
        "nodejs8.10",
        "nodejs10.x",
        "nodejs12.x",
        "nodejs14.x",
        "nodejs16.x",
        "python2.7",
        "python3.6",
        "python3.7",
        "python3.8",
        "java8",
        "go1.x",
        "provided",
        "ruby2.5",
        "ruby2.7",
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
        "dotnetcore3.1",
        "dotnet6",
    ]
)


def check_runtime(name: str) -> None:
    """Refuse a runtime that AWS does not know, has retired, or that cannot run here."""
    supported = [each for _, family in _SUPPORTED for each in family]
    if name in _RETIRED:
        raise invalid_parameter(
            f"The runtime parameter of {name} is no longer supported for creating or updating AWS Lambda "
            f"functions. We recommend you use the new runtime ({_successor(name)}) while creating or "
            "updating functions."
        )
    if name not in supported:
        raise invalid_parameter(
            f"Value {name} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
            f"[{', '.join(supported)}] or be a valid ARN"
        )
    if name not in runtimes.names():
        raise not_implemented(f"run functions of runtime {name}. It runs {', '.join(runtimes.names())}.")


def _successor(name: str) -> str:
    """The newest runtime of the same family; Go went to the OS-only runtime."""
    for family, members in _SUPPORTED:
        if name.startswith(family):
            return members[-1]
    return "provided.al2023"
