"""What stands between an execution environment's processes and the rest of the machine.

A sandbox gives the processes of one execution environment the CPU share, the memory, and where
the machine allows it the file system that AWS Lambda gives them. `choose` picks the best
mechanism that works here, or the one that the variable WORKSHOP_CPU_LIMITER names.
"""

import os
from functools import cache

from helpers.local.functions.sandbox.base import MB_PER_VCPU, PERIOD_US, OptionInvalid, Sandbox, vcpu_share
from helpers.local.functions.sandbox.cgroup_v1 import ControlGroupV1
from helpers.local.functions.sandbox.cgroup_v2 import ControlGroupV2
from helpers.local.functions.sandbox.duty_cycle import DutyCycle

__all__ = ["MB_PER_VCPU", "PERIOD_US", "OptionInvalid", "Sandbox", "available", "choose", "vcpu_share"]

OPTION = "WORKSHOP_CPU_LIMITER"

# Best first. The last one works without any privilege.
_CANDIDATES: dict[str, type[Sandbox]] = {
    "cgroup-v2": ControlGroupV2,
    "cgroup-v1": ControlGroupV1,
    "duty-cycle": DutyCycle,
}


def available() -> list[type[Sandbox]]:
    """The mechanisms that this process may use, best first, found by trying."""
    return [candidate for candidate in _CANDIDATES.values() if candidate.is_available()]


@cache
def choose() -> type[Sandbox]:
    """The mechanism in force. Raises OptionInvalid when the one that was asked for cannot be had."""
    wanted = os.environ.get(OPTION)
    if not wanted:
        return available()[0]
    if wanted not in _CANDIDATES:
        names = ", ".join(_CANDIDATES)
        raise OptionInvalid(f"{OPTION}={wanted}: expected one of {names}. Leave it out for the best of them.")
    if not _CANDIDATES[wanted].is_available():
        raise OptionInvalid(f"{OPTION}={wanted}: not allowed here. Leave it out for the best that is.")
    return _CANDIDATES[wanted]
