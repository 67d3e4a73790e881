"""Measure how long functions take to read a parameter, and how many requests they send for it.

For functions that read in a loop and answer `{"took_ms": [...], "requests": n}`: how long each read took, and
the requests that their execution environment has sent up to now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from helpers import comparison, statistics
from helpers.calibration import Calibration
from helpers.invocations import invoke


@dataclass(frozen=True)
class Reads:
    """`samples_ms` are the reads of each function, by label, and `requests` what it sent for all of them."""

    samples_ms: dict[str, list[float]]
    requests: dict[str, int]
    calibration: Calibration | None

    @property
    def requests_per_1000_reads(self) -> pd.Series:
        shares = {label: 1000 * self.requests[label] / len(took) for label, took in self.samples_ms.items()}
        return pd.Series(shares, name="requests")

    def percentiles(self, *percents: float) -> pd.DataFrame:
        """One row a label, one column a percentile such as "p50"; missing where samples are too few."""
        rows = {
            label: statistics.percentile_table(took_ms, percents)["value"]
            for label, took_ms in self.samples_ms.items()
        }
        return pd.DataFrame(rows).T


def measure(
    lambda_client: Any,
    function_names: Mapping[str, str],
    fetches: int,
    rounds: int,
    calibrate: bool = True,
    seed: int = 1,
) -> Reads:
    """Invoke every function with `{"fetches": fetches}` in every round, in an order drawn from `seed`.

    Each has been invoked once before, so that its environment is warm; that read is not counted, and neither
    are the requests up to then. Raises InvocationFailed.
    """

    def ask(label: str, count: int) -> dict[str, Any]:
        answer: dict[str, Any] = invoke(lambda_client, function_names[label], {"fetches": count}).payload
        return answer

    samples_ms: dict[str, list[float]] = {label: [] for label in function_names}
    sent_before = {label: ask(label, 1)["requests"] for label in function_names}
    sent = dict(sent_before)

    def read_often(label: str) -> float:
        answer = ask(label, fetches)
        samples_ms[label] += answer["took_ms"]
        sent[label] = answer["requests"]
        return statistics.percentile(answer["took_ms"], 50)

    variants = {label: partial(read_often, label) for label in function_names}
    compared = comparison.run(variants, rounds, calibrate, seed)
    requests = {label: sent[label] - sent_before[label] for label in function_names}
    return Reads(samples_ms, requests, compared.calibration)
