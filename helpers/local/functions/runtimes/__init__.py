"""The Lambda runtimes that run here, by the name that CreateFunction takes.

Source of the names: AWS Lambda developer guide, "Lambda runtimes".
"""

from functools import cache

from helpers.local.functions.runtimes import java, nodejs, provided, python
from helpers.local.functions.runtimes.base import Runtime, RuntimeUnavailable

__all__ = ["Runtime", "RuntimeUnavailable", "find", "names"]

_FAMILIES = (python, nodejs, java, provided)


def names() -> tuple[str, ...]:
    """Every runtime name that the local AWS can run."""
    return tuple(name for family in _FAMILIES for name in family.NAMES)


@cache
def find(name: str) -> Runtime:
    """The runtime of that name, ready to be started.

    Raises RuntimeUnavailable when the local AWS cannot run it, with what is missing.
    """
    for family in _FAMILIES:
        if name in family.NAMES:
            return family.load(name)
    raise RuntimeUnavailable(f"The local AWS cannot run {name}; it runs {', '.join(names())}.")
