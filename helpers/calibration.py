"""How steady this machine is: a loop of fixed work, timed between the rounds of a measurement.

A shared machine can swing in speed by half within minutes. The loop always does the same, so its spread is
the machine's own and says how small a difference a measurement beside it can show. On AWS it says nothing
about Lambda, only about the machine that the notebook runs on.
"""

import time
from dataclasses import dataclass

from helpers.statistics import percentile, relative_spread

ITERATIONS = 300_000


@dataclass(frozen=True)
class Calibration:
    """The times of one calibration loop per round, in ms."""

    loop_ms: tuple[float, ...]

    @property
    def spread(self) -> float:
        """The distance from p10 to p90 as a share of the median."""
        return relative_spread(self.loop_ms)

    def __str__(self) -> str:
        return (
            f"Calibration loop: median {percentile(self.loop_ms, 50):.1f} ms, "
            f"p10 to p90 spread {self.spread:.0%} (n={len(self.loop_ms)})."
        )


def time_loop_ms() -> float:
    """The wall-clock time of one calibration loop of this process, in ms (about 10 to 20)."""
    start = time.perf_counter()
    total = 0
    for number in range(ITERATIONS):
        total += number
    return (time.perf_counter() - start) * 1000
