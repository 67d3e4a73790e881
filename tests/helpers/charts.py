"""Every chart drawn from synthetic data with known answers, for the tests that look at charts."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from helpers import plots, pricing, published
from helpers.prediction import Prediction, predict
from helpers.statistics import Estimate
from helpers.tuning_comparison import TuningComparison, compare
from helpers.tuning_result import INVOCATION_COLUMNS, Failure, TuningResult

SIZES_MB = (128, 256, 512, 1024, 1769, 3008)
SEED = 5
FASTEST_MS = 40

Drawing = Callable[[Axes | None], Axes]


def tuning(
    name: str = "resize",
    cpu_ms: float = 20,
    wait_ms: float = 0,
    sizes_mb: Sequence[int] = SIZES_MB,
    failures: tuple[Failure, ...] = (),
    architecture: pricing.Architecture = "x86_64",
    spread: float = 0.01,
    seed: int = SEED,
) -> TuningResult:
    """Ten rounds of a function that computes and waits, under the memory law."""
    durations_ms = {size: cpu_ms * max(1, 1769 / size) + wait_ms for size in sizes_mb}
    return tuning_of(durations_ms, name, failures, architecture, spread, seed, cpu_ms)


def tuning_of(
    durations_ms: Mapping[int, float],
    name: str = "resize",
    failures: tuple[Failure, ...] = (),
    architecture: pricing.Architecture = "x86_64",
    spread: float = 0.01,
    seed: int = SEED,
    cpu_ms: float = 20,
) -> TuningResult:
    """Ten rounds of a function that takes these durations (ms by memory size)."""
    noise = np.random.default_rng(seed)
    rows = []
    for size, mean_ms in durations_ms.items():
        if size in [failure.memory_mb for failure in failures]:
            continue
        for number in range(1, 11):
            duration_ms = mean_ms * noise.normal(1, spread)
            billed_ms = math.ceil(duration_ms)
            usd = pricing.invocation_usd(billed_ms, size, architecture)
            rows.append((number, size, duration_ms, math.nan, billed_ms, 30, usd, cpu_ms))
    invocations = pd.DataFrame(rows, columns=list(INVOCATION_COLUMNS))
    return TuningResult(name, architecture, 0.2, invocations, failures, None)


def best_at(cheapest_mb: int, fastest_mb: int, others: float = 2, decided: bool = True) -> TuningResult:
    """A run with these winners; all other sizes take and cost `others` times as much as the fastest, or more.

    A cheaper size cannot be larger than the fastest one, and if smaller it is smaller by a quarter at least.
    Undecided are five rounds, which are too few to tell two sizes apart.
    """
    durations_ms = {size: others * FASTEST_MS * max(1, fastest_mb / size) for size in SIZES_MB}
    durations_ms[cheapest_mb] = 0.8 * FASTEST_MS * fastest_mb / cheapest_mb
    durations_ms[fastest_mb] = FASTEST_MS
    every = tuning_of(durations_ms)
    rounds = every.invocations["round"]
    return every if decided else replace(every, invocations=every.invocations[rounds <= 5])


def prediction() -> Prediction:
    return predict(tuning(cpu_ms=22, wait_ms=3, sizes_mb=(1769,)))


def architectures(spread: float = 0.03) -> TuningComparison:
    """arm64 is as fast as x86_64 here, and a fifth cheaper."""
    second = tuning(architecture="arm64", spread=spread, seed=SEED + 1)
    return compare(tuning(spread=spread), second, ("x86_64", "arm64"))


def latencies(mean_ms: float, count: int, seed: int = SEED) -> list[float]:
    return list(np.random.default_rng(seed).gamma(9, mean_ms / 9, count))


def timeline(environments: int, invocations: int) -> pd.DataFrame:
    """Each environment starts cold at some moment, and serves one invocation after the other."""
    noise = np.random.default_rng(SEED)
    rows = []
    for number in range(environments):
        now_s = noise.uniform(0, 2)
        for invocation in range(invocations):
            cold = invocation == 0
            init_ms, duration_ms = (noise.uniform(180, 260) if cold else math.nan), noise.uniform(60, 300)
            rows.append((f"2025/11/26/[$LATEST]{number:032x}", now_s, init_ms, duration_ms, cold))
            now_s += (np.nan_to_num(init_ms) + duration_ms) / 1000 + noise.exponential(0.3)
    columns = ["environment", "started_s", "init_duration_ms", "duration_ms", "cold_start"]
    return pd.DataFrame(rows, columns=columns)


def parts() -> pd.DataFrame:
    rows = {
        "through a function": {"API Gateway": 12.0, "Lambda": 25.0, "DynamoDB": 8.5, "network": 1.0},
        "direct integration": {"API Gateway": 11.0, "Lambda": math.nan, "DynamoDB": 8.5, "network": 1.0},
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def packages() -> pd.DataFrame:
    rows = [("small", 0.1, 50.0, 45.0, 56.0), ("large", 20.0, 210.0, 190.0, 240.0)]
    return pd.DataFrame(rows, columns=["label", "package_mb", "init_ms", "init_low_ms", "init_high_ms"])


OUT_OF_MEMORY = Failure(128, 1, "Runtime.OutOfMemory", "Runtime exited with error: signal: killed")
TIMED_OUT = Failure(256, 1, "Sandbox.Timedout", "Task timed out after 3.00 seconds")
LONG_LABEL = "the function of the second notebook with every library that it has"

# What each chart looks like in a notebook; each drawing begins with the name of its chart.
DRAWINGS: Mapping[str, Drawing] = {
    "power_tuning": lambda ax: plots.power_tuning(tuning(wait_ms=5, spread=0.1), ax),
    "power_tuning_predicted": lambda ax: plots.power_tuning(
        tuning(wait_ms=5, spread=0.05), ax, prediction=prediction()
    ),
    "power_tuning_with_failures": lambda ax: plots.power_tuning(
        tuning(failures=(OUT_OF_MEMORY, TIMED_OUT)), ax
    ),
    "power_tuning_of_one_winner": lambda ax: plots.power_tuning(best_at(512, 512), ax),
    "power_tuning_of_neighbours": lambda ax: plots.power_tuning(best_at(1769, 3008, 8, decided=False), ax),
    "memory_law": lambda ax: plots.memory_law(
        {
            "CPU-bound": tuning(spread=0.1),
            "mixed": tuning(cpu_ms=5, wait_ms=20, spread=0.1),
            "I/O-bound": tuning(cpu_ms=1, wait_ms=40, spread=0.1),
        },
        ax,
    ),
    "comparison": lambda ax: plots.comparison(architectures(), ax),
    "distributions": lambda ax: plots.distributions(
        {"plain": latencies(80, 60), "with boto3": latencies(130, 60)},
        {"on AWS": published.init_percentiles("python3.12", 512)},
        ax=ax,
        title="How much longer does INIT take with boto3?",
    ),
    "percentile_bars": lambda ax: plots.percentile_bars(
        {"plain": latencies(80, 60), "with boto3": latencies(130, 400)},
        {"on AWS": published.init_percentiles("python3.12", 512)},
        ax=ax,
        title="How much longer does INIT take with boto3?",
    ),
    "environments": lambda ax: plots.environments(timeline(8, 6), ax),
    "latency_breakdown": lambda ax: plots.latency_breakdown(
        parts(),
        ax,
        totals={"through a function": Estimate(49, 47, 55), "direct integration": Estimate(21, 20, 24)},
    ),
    "amounts": lambda ax: plots.amounts(
        pd.Series({"no filter": 12_345, "tire_pressure < 32": 1_234, "another key": 0}),
        "Invocations",
        ax,
        title="How many invocations does the filter save?",
    ),
    "cost_by_load": lambda ax: plots.cost_by_load(
        {
            "function": lambda requests: 2e-6 * requests,
            "container": lambda requests: 36 + 1e-8 * requests,
            "measured": pd.Series({1e3: 120.0, 1e6: 121.0, 1e8: 160.0, 1e9: 300.0}),
        },
        ax,
    ),
    "init_by_package_size": lambda ax: plots.init_by_package_size(packages(), ax),
    "provisioned_break_even": plots.provisioned_break_even,
}

# What a notebook may also ask for, and still wants to read.
EXTREMES: Mapping[str, Drawing] = {
    "one size": lambda ax: plots.power_tuning(tuning(sizes_mb=(512,)), ax),
    "one size and its prediction": lambda ax: plots.power_tuning(
        tuning(sizes_mb=(1769,)), ax, prediction=prediction()
    ),
    "all sizes": lambda ax: plots.power_tuning(tuning(sizes_mb=range(64, 3009, 128)), ax),
    "a long name": lambda ax: plots.power_tuning(tuning(name=LONG_LABEL), ax),
    "only waiting": lambda ax: plots.power_tuning(tuning(cpu_ms=0.5, wait_ms=40), ax),
    "runs with long names": lambda ax: plots.comparison(
        compare(tuning(), tuning(sizes_mb=(128, 3008)), (LONG_LABEL, f"{LONG_LABEL}, on arm64")), ax
    ),
    "a run against itself": lambda ax: plots.comparison(compare(tuning(), tuning(), ("before", "after")), ax),
    "seven distributions": lambda ax: plots.distributions(
        {f"variant {number}": latencies(20 + 9 * number, 100) for number in range(7)}, ax=ax
    ),
    "one sample": lambda ax: plots.distributions({LONG_LABEL: [50.0]}, ax=ax),
    "seven series of bars": lambda ax: plots.percentile_bars(
        {f"variant {number}": latencies(20 + 9 * number, 100) for number in range(7)}, ax=ax
    ),
    "two environments": lambda ax: plots.environments(timeline(2, 4), ax),
    "fifty environments": lambda ax: plots.environments(timeline(50, 10), ax),
    "one invocation": lambda ax: plots.environments(timeline(1, 1), ax),
    "many parts": lambda ax: plots.latency_breakdown(
        pd.DataFrame({f"a part that is called {number}": [10 / number, 4] for number in range(1, 8)}), ax
    ),
    "a long quantity": lambda ax: plots.amounts(
        pd.Series({LONG_LABEL: 0.0123, "short": 98.7}), "Ingested into the log group (KB per event)", ax
    ),
    "nothing": lambda ax: plots.amounts(pd.Series({"first": 0, "second": 0}), "Invocations", ax),
    "costs with long names": lambda ax: plots.cost_by_load(
        {LONG_LABEL: lambda load: 2e-6 * load, f"{LONG_LABEL}, reserved": lambda load: 1500}, ax
    ),
    "break-evens that are close, and one at the right edge": lambda ax: plots.cost_by_load(
        {
            "function": lambda load: 2e-6 * load,
            "container": lambda load: 30 + 2e-7 * load,
            "two containers": lambda load: 33 + 5e-8 * load,
            "server": lambda load: 80,
        },
        ax,
    ),
    "percentiles that were not published": lambda ax: plots.percentile_bars(
        {"here": latencies(40, 400)}, {"on AWS": {50: 42.0}}, ax=ax
    ),
    "a short range of loads": lambda ax: plots.cost_by_load(
        {"steep": lambda load: 2 * load, "flat": lambda load: 50 + load}, ax, loads=(10, 100)
    ),
}


def right_axes(ax: Axes) -> Axes:
    """The axes of a chart that have their scale at the right."""
    return next(other for other in ax.figure.axes if other is not ax and other.bbox.bounds == ax.bbox.bounds)


def strip_axes(ax: Axes) -> Axes:
    """The lower panel of a chart that has two."""
    return next(other for other in ax.figure.axes if other.bbox.y1 < ax.bbox.y0)


def tick_labels(ax: Axes) -> list[str]:
    ax.figure.canvas.draw()
    return [label.get_text() for label in ax.get_xticklabels()]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: Axes) -> list[str]:
    shown = ax.get_legend()
    assert shown is not None
    return [text.get_text().replace("\n", " ") for text in shown.get_texts()]


def title(ax: Axes) -> str:
    """The title, which stands in the legend where that is above the axes."""
    shown = ax.get_legend()
    in_legend = shown.get_title().get_text() if shown is not None else ""
    return (in_legend or ax.get_title(loc="left")).replace("\n", " ")


def drawn_texts(figure: Figure) -> Iterator[Text]:
    """Every text that one can see: titles, labels of axes and of ticks in view, notes and legends."""
    figure.canvas.draw()
    for ax in figure.axes:
        shown = [ax.title, ax._left_title, *ax.texts]
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            shown += [axis.label, *(label for tick in ticks for label in (tick.label1, tick.label2))]
        if ax.get_legend() is not None:
            shown += [ax.get_legend().get_title(), *ax.get_legend().get_texts()]
        yield from (text for text in shown if text.get_visible() and text.get_text())
