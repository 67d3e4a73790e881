"""The table of a tuning run: one row a memory size, every figure with its interval."""

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from helpers import statistics
from helpers.statistics import Estimate, TooFewSamples
from helpers.tuning.billing import Billing
from helpers.tuning.failure import Failure

PERCENTILES = (50, 90, 95, 99)
COLUMNS = (
    "n",
    "cold_starts",
    *("mean_ms", "mean_low_ms", "mean_high_ms"),
    *(f"p{percent}{end}_ms" for percent in PERCENTILES for end in ("", "_low", "_high")),
    "billed_ms",
    *("cost_usd", "cost_low_usd", "cost_high_usd"),
    "max_memory_used_mb",
    "failure",
)
_NONE = Estimate(math.nan, math.nan, math.nan)


def build(
    invocations: pd.DataFrame, failures: Iterable[Failure], discard_top_bottom: float, billing: Billing
) -> pd.DataFrame:
    """COLUMNS by memory_mb; a size that failed has no invocations, its kinds of failure, and no figures."""
    rows: dict[int, dict[str, object]] = {
        int(str(size)): _row(int(str(size)), group, discard_top_bottom, billing)
        for size, group in invocations.groupby("memory_mb")
    }
    for failure in failures:
        row = rows.setdefault(failure.memory_mb, {"n": 0, "cold_starts": 0, "failure": ""})
        row["failure"] = f"{row['failure']}, {failure.kind}" if row["failure"] else failure.kind
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS))
    return table.rename_axis("memory_mb").sort_index()


def _row(
    memory_mb: int, group: pd.DataFrame, discard_top_bottom: float, billing: Billing
) -> dict[str, object]:
    durations_ms = list(group["duration_ms"])
    mean = _trimmed_mean(durations_ms, discard_top_bottom)
    billed = _trimmed_mean(list(group["billed_duration_ms"]), discard_top_bottom)
    row: dict[str, object] = {
        "n": len(group),
        "cold_starts": int(group["init_duration_ms"].notna().sum()),
        "mean_ms": mean.value,
        "mean_low_ms": mean.low,
        "mean_high_ms": mean.high,
        "billed_ms": billed.value,
        "cost_usd": billing.usd(billed.value, memory_mb),
        "cost_low_usd": _usd(billing, billed.low, memory_mb),
        "cost_high_usd": _usd(billing, billed.high, memory_mb),
        "max_memory_used_mb": int(group["max_memory_used_mb"].max()),
        "failure": "",
    }
    for percent in PERCENTILES:
        estimate = statistics.percentile_interval(durations_ms, percent) or _NONE
        row |= {
            f"p{percent}_ms": estimate.value,
            f"p{percent}_low_ms": estimate.low,
            f"p{percent}_high_ms": estimate.high,
        }
    return row


def _trimmed_mean(samples: Sequence[float], discard_top_bottom: float) -> Estimate:
    """The trimmed mean; few samples, as of a size that was soon eliminated, have no interval."""
    try:
        return statistics.trimmed_mean_interval(samples, discard_top_bottom)
    except TooFewSamples:
        return Estimate(statistics.trimmed_mean(samples, discard_top_bottom), math.nan, math.nan)


def _usd(billing: Billing, billed_ms: float, memory_mb: int) -> float:
    return math.nan if math.isnan(billed_ms) else billing.usd(billed_ms, memory_mb)
