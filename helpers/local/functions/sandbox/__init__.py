"""What stands between an execution environment's processes and the rest of the machine.

A sandbox gives the processes of one execution environment the CPU share, the memory, and where
the machine allows it the file system that AWS Lambda gives them. `choose` picks the best
mechanism that works here.
"""

from functools import cache

from helpers.local.functions.sandbox.base import MB_PER_VCPU, PERIOD_US, Sandbox, SandboxFactory, vcpu_share
from helpers.local.functions.sandbox.cgroup_v1 import ControlGroupV1
from helpers.local.functions.sandbox.cgroup_v2 import ControlGroupV2
from helpers.local.functions.sandbox.duty_cycle import DutyCycle

__all__ = ["MB_PER_VCPU", "PERIOD_US", "Sandbox", "SandboxFactory", "choose", "vcpu_share"]

# Best first. The last one works without any privilege.
_CANDIDATES: tuple[type[Sandbox], ...] = (ControlGroupV2, ControlGroupV1, DutyCycle)


@cache
def choose() -> type[Sandbox]:
    """The best mechanism that this process may use, found by trying."""
    return next(candidate for candidate in _CANDIDATES if candidate.is_available())
