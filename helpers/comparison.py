"""Measure variants side by side: all of them in every round, in random order."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from helpers import statistics
from helpers.calibration import Calibration, time_loop_ms
from helpers.progress import progress
from helpers.statistics import Estimate


@dataclass(frozen=True)
class Comparison:
    """One row a round and one column a variant, in the unit that the variants return."""

    samples: pd.DataFrame
    calibration: Calibration | None

    def ratio(self, variant: str, reference: str) -> Estimate:
        """The median over rounds of one variant relative to another, with its 95 % interval."""
        return statistics.median_ratio(list(self.samples[variant]), list(self.samples[reference]))

    def table(self) -> pd.DataFrame:
        """One row a variant with columns n, p50, low and high (95 % interval of the median)."""
        rows = {
            variant: {"n": len(self.samples), **vars(statistics.median(list(self.samples[variant])))}
            for variant in self.samples.columns
        }
        table = pd.DataFrame.from_dict(rows, orient="index").rename(columns={"value": "p50"})
        return table.astype({"n": int})


def run(
    variants: Mapping[str, Callable[[], float]], rounds: int, calibrate: bool = True, seed: int = 1
) -> Comparison:
    """Call each variant once a round, in an order drawn from `seed`, and keep the numbers they return.

    A calibration loop before every round shows the machine's own noise (see calibration.py).
    """
    order = random.Random(seed)
    rows: list[dict[str, float]] = []
    loop_ms: list[float] = []
    for _ in progress(range(rounds), "Comparing"):
        if calibrate:
            loop_ms.append(time_loop_ms())
        measured = {name: variants[name]() for name in order.sample(list(variants), len(variants))}
        rows.append({name: measured[name] for name in variants})
    return Comparison(pd.DataFrame(rows), Calibration(tuple(loop_ms)) if calibrate else None)


def timed(call: Callable[[], object]) -> Callable[[], float]:
    """A variant that makes a call and returns how long the caller waited for it, in ms."""

    def elapsed_ms() -> float:
        began = time.perf_counter()
        call()
        return (time.perf_counter() - began) * 1000

    return elapsed_ms
