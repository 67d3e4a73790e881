"""What the platform measures of one invocation, and the rule by which AWS bills it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class InitReport:
    """One INIT phase. `status` is success, error or timeout; `phase` init or invoke."""

    duration_ms: float
    phase: str
    status: str
    error_type: str | None = None


@dataclass(frozen=True)
class ExtensionStatus:
    """One extension at the end of INIT: `state` is Started, Registered, Ready or the kind of its error.

    `events` are those that it has registered for, INVOKE and SHUTDOWN.
    """

    name: str
    state: str
    events: tuple[str, ...]
    error_type: str | None = None


@dataclass(frozen=True)
class Report:
    """The figures of a REPORT line. `init_duration_ms` is there on a cold start only."""

    duration_ms: float
    memory_size_mb: int
    max_memory_used_mb: int
    init_duration_ms: float | None = None
    status: str = "success"
    error_type: str | None = None

    @property
    def billed_duration_ms(self) -> int:
        """ceil(Duration + Init Duration).

        Source: AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase", in force since
        1 August 2025, and the pricing page: duration is rounded up to the nearest millisecond.
        Computed in hundredths, the precision of the line, lest a binary fraction add a millisecond.
        """
        hundredths = round(self.duration_ms * 100) + round((self.init_duration_ms or 0) * 100)
        return max(1, math.ceil(hundredths / 100))
