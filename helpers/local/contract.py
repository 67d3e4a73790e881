"""Check that what a patch replaces still has the shape that the patch was written for.

MiniStack is pinned, but a pin can be changed. A patch that silently no longer fits would be
our worst kind of bug, so every patch states its expectations and the local AWS refuses to
start when one is not met.
"""

import inspect
from types import ModuleType
from typing import Any


class ContractBroken(RuntimeError):
    """The emulator no longer has the shape that a patch expects."""


def expect(owner: ModuleType | type, name: str, parameters: tuple[str, ...] | None = None) -> Any:
    """Return `owner.name` after checking that it exists and takes exactly `parameters`.

    Pass `parameters=None` for something that is not called, such as a table of handlers.
    Raises ContractBroken with what was found and what to do.
    """
    location = f"{owner.__name__}.{name}"
    try:
        found = getattr(owner, name)
    except AttributeError:
        raise ContractBroken(
            f"{location} does not exist. The patch was written for the pinned MiniStack: "
            "install requirements.lock, or adapt the patch."
        ) from None
    if parameters is not None:
        actual = tuple(inspect.signature(found).parameters)
        if actual != parameters:
            raise ContractBroken(
                f"{location} takes {actual}, expected {parameters}. The patch was written for the "
                "pinned MiniStack: install requirements.lock, or adapt the patch."
            )
    return found


def replace(owner: ModuleType | type, name: str, parameters: tuple[str, ...], replacement: Any) -> Any:
    """Put `replacement` in the place of `owner.name` and return what stood there."""
    original = expect(owner, name, parameters)
    setattr(owner, name, replacement)
    return original
