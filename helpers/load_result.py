"""What became of the requests of a load."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from helpers import statistics

PERCENTS = (50, 90, 95, 99)
# A rate counts as reached when at most one request in twenty was not sent.
RATE_TOLERANCE = 0.05

REQUEST_COLUMNS = {
    "start_s": "float64",
    "late_ms": "float64",
    "latency_ms": "float64",
    "status": "Int64",
    "failure": "object",
    "worker": "int64",
}


@dataclass(frozen=True, repr=False)
class LoadResult:
    """The requests of a load, and how far it kept to its plan.

    `planned` requests were due within `duration_s`. `requests` has one row for each that was sent and has
    ended, in order of sending: start_s since the load began, late_ms that it was sent after it was due,
    latency_ms until its answer was complete (or until it failed), status of HTTP (missing when there was no
    answer), failure (None when it succeeded, else the reason) and worker (0 without workers).
    """

    rate_per_s: float
    duration_s: float
    planned: int
    requests: pd.DataFrame

    @property
    def actual_rate_per_s(self) -> float:
        """Requests that were sent, for every second of the load."""
        return len(self.requests) / self.duration_s

    @property
    def rate_reached(self) -> bool:
        return len(self.requests) >= (1 - RATE_TOLERANCE) * self.planned

    @property
    def failures(self) -> dict[str, int]:
        """How many requests failed for each reason, the most frequent first."""
        return {str(reason): int(count) for reason, count in self.requests["failure"].value_counts().items()}

    @property
    def latencies_ms(self) -> list[float]:
        """Latencies of the requests that succeeded; a refusal may be quick, and says nothing of the rest."""
        succeeded = self.requests["failure"].isna()
        return [float(value) for value in self.requests.loc[succeeded, "latency_ms"]]

    @property
    def percentiles(self) -> pd.DataFrame:
        """See statistics.percentile_table. Raises TooFewSamples when no request succeeded."""
        return statistics.percentile_table(self.latencies_ms, PERCENTS)

    def __str__(self) -> str:
        return "\n".join([self._rate_text(), *self._failure_texts(), *self._latency_texts()])

    __repr__ = __str__

    def _rate_text(self) -> str:
        rate = (
            f"{len(self.requests)} requests in {self.duration_s:g} s: "
            f"{self.actual_rate_per_s:.1f} of {self.rate_per_s:g} requests/s."
        )
        if self.rate_reached:
            return rate
        return (
            f"{rate} The target rate was not reached: {self.planned - len(self.requests)} requests were not "
            "sent in time or not ended. More `users` allow more open requests; more `workers`, more CPU."
        )

    def _failure_texts(self) -> list[str]:
        if not self.failures:
            return []
        reasons = "; ".join(f"{count} × {reason}" for reason, count in self.failures.items())
        return [f"{sum(self.failures.values())} failed: {reasons}."]

    def _latency_texts(self) -> list[str]:
        if not self.latencies_ms:
            return ["No request succeeded."]
        late_ms = self.requests["late_ms"]
        return [
            f"Latency: {', '.join(_percentile_text(row) for row in self.percentiles.itertuples())}.",
            f"Sent {late_ms.median():.1f} ms (median), at most {late_ms.max():.1f} ms after they were due.",
        ]


def _percentile_text(row: Any) -> str:
    if row.note:
        return f"{row.Index} {row.note}"
    return f"{row.Index} {row.value:.1f} ms ({row.low:.1f} to {row.high:.1f})"
