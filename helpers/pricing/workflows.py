"""AWS Step Functions. Source of the rules: the AWS Step Functions pricing page."""

import math

from helpers.pricing.costs import Cost, chunks, line
from helpers.pricing.prices import REGION, free_quantity, not_negative

MB_PER_GB = 1024
S_PER_HOUR = 3600
DURATION_STEP_MS = 100
MEMORY_STEP_MB = 64


def standard_workflow_cost(transitions: float, free_tier: bool = False, region: str = REGION) -> Cost:
    """State transitions of standard workflows, retries included."""
    name = "step_functions.standard.transitions"
    return Cost((line(name, transitions, region, free_quantity(name, free_tier)),))


def express_workflow_cost(
    executions: float, duration_ms: float, memory_mb: float = MEMORY_STEP_MB, region: str = REGION
) -> Cost:
    """Express workflows: duration in steps of 100 ms, memory in steps of 64 MB."""
    steps = math.ceil(not_negative("A duration in ms", duration_ms) / DURATION_STEP_MS)
    billed_s = steps * DURATION_STEP_MS / 1000
    billed_gb = chunks(memory_mb, MEMORY_STEP_MB) * MEMORY_STEP_MB / MB_PER_GB
    gb_hours = executions * billed_s * billed_gb / S_PER_HOUR
    return Cost(
        (
            line("step_functions.express.requests", executions, region),
            line("step_functions.express.duration", gb_hours, region),
        )
    )
