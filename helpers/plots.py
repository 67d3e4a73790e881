"""One function a chart. Each draws into `ax`, or into a new figure, and returns the axes."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter
from numpy.typing import ArrayLike

from helpers import pricing, published, statistics
from helpers.statistics import Estimate
from helpers.tuning_result import TuningResult

STYLE_PATH = Path(__file__).parent / "workshop.mplstyle"
MILLION = 1_000_000
ONE_VCPU_MB = 1769

DURATION_COLOR, COST_COLOR, PUBLISHED_COLOR = "#0072B2", "#D55E00", "#666666"
MARKERS, PUBLISHED_MARKERS = "osD^v", "x+1"
ARCHITECTURES: tuple[pricing.Architecture, ...] = ("x86_64", "arm64")

Inputs = ParamSpec("Inputs")
Drawn = TypeVar("Drawn")


def styled(chart: Callable[Inputs, Drawn]) -> Callable[Inputs, Drawn]:
    """Draw a chart in the style of the workshop, and leave the reader's own style as it is."""

    @functools.wraps(chart)
    def draw(*inputs: Inputs.args, **named_inputs: Inputs.kwargs) -> Drawn:
        with plt.style.context(STYLE_PATH):
            drawn = chart(*inputs, **named_inputs)
            interactive = matplotlib.is_interactive()
        # A notebook's backend switches this on with the first figure; leaving the style must not undo it.
        matplotlib.interactive(interactive)
        return drawn

    return draw


@styled
def grid(rows: int, columns: int, height_px: int) -> np.ndarray:
    """New axes for several charts side by side, as an array of that shape, 800 px wide together."""
    dots_per_inch = plt.rcParams["figure.dpi"]
    size = (plt.rcParams["figure.figsize"][0], height_px / dots_per_inch)
    axes: np.ndarray = plt.subplots(rows, columns, figsize=size, squeeze=False)[1]
    return axes


@styled
def power_tuning(tuning: TuningResult, ax: Axes | None = None, title: str = "") -> Axes:
    """Duration (left) and cost (right) by memory size with 95 % intervals; stars mark the best of each.

    An open star says that the second best cannot be told apart from it. The title defaults to the
    function's name. Sizes that failed are named at the bottom.
    """
    ax = ax or _new_axes()
    right = ax.twinx()
    table = tuning.table[tuning.table["n"] > 0]
    sizes = table.index.to_numpy()
    duration = (table["mean_ms"], table["mean_low_ms"], table["mean_high_ms"])
    cost = tuple(table[name] * MILLION for name in ("cost_usd", "cost_low_usd", "cost_high_usd"))
    _points_with_intervals(ax, sizes, *duration, color=DURATION_COLOR, marker="o", label="duration")
    _points_with_intervals(right, sizes, *cost, color=COST_COLOR, marker="s", label="cost")
    for axes, best, word, values, color in (
        (ax, tuning.best("speed"), "fastest", duration[0], DURATION_COLOR),
        (right, tuning.best("cost"), "cheapest", cost[0], COST_COLOR),
    ):
        point = (best.memory_mb, values[best.memory_mb])
        fill = color if best.decided else "white"
        axes.plot(*point, marker="*", markersize=16, color=fill, markeredgecolor=color, zorder=4)
        axes.annotate(word, point, (0, 11), textcoords="offset points", ha="center", color=color, fontsize=9)
        axes.margins(y=0.15)
        axes.set_ylim(bottom=0)
    _memory_axis(ax, [int(size) for size in tuning.table.index])
    ax.set_ylabel("Duration (ms)", color=DURATION_COLOR)
    right.set_ylabel("Cost (USD per million)", color=COST_COLOR)
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
    for failure in tuning.failures:
        ax.annotate(
            failure.kind,
            (failure.memory_mb, 0),
            xytext=(0, 6),
            textcoords="offset points",
            rotation=90,
            ha="center",
            fontsize=8,
        )
    ax.set_title(title or tuning.function_name)
    return ax


@styled
def memory_law(tunings: Mapping[str, TuningResult], ax: Axes | None = None) -> Axes:
    """Duration of several functions relative to 1,769 MB, with 95 % intervals, beside the memory law.

    A function that only computes follows 1,769 MB / memory (AWS Lambda Developer Guide, "Configure Lambda
    function memory"); the published points are the same ratio of CPU time received on AWS. Raises ValueError
    when a run has not measured 1,769 MB.
    """
    ax = ax or _new_axes()
    sizes_of = {label: _measured_sizes_mb(tuning) for label, tuning in tunings.items()}
    for label, sizes in sizes_of.items():
        if ONE_VCPU_MB not in sizes:
            raise ValueError(f"The memory law is drawn relative to 1,769 MB, which {label} lacks: {sizes}.")
    all_sizes = sorted(set().union(*sizes_of.values()))
    law_mb = np.array([all_sizes[0], ONE_VCPU_MB, all_sizes[-1]])
    ax.plot(law_mb, np.maximum(1, ONE_VCPU_MB / law_mb), "--", color=PUBLISHED_COLOR, label="memory law")
    shares = published.cpu_shares()
    ax.plot(shares.index, 1 / shares, "x", color=PUBLISHED_COLOR, markersize=9, label="on AWS, published")
    for number, (label, tuning) in enumerate(tunings.items()):
        ratios = [tuning.ratio("duration_ms", size, ONE_VCPU_MB) for size in sizes_of[label]]
        marker = MARKERS[number % len(MARKERS)]
        _points_with_intervals(ax, sizes_of[label], *_columns(ratios), marker=marker, label=label)
    ax.set_yscale("log", base=2)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
    _memory_axis(ax, all_sizes)
    ax.set_ylabel("Duration relative to 1,769 MB")
    ax.set_title("Who gains from memory?")
    ax.legend()
    return ax


@styled
def distributions(
    samples: Mapping[str, Sequence[float]],
    published_percentiles: Mapping[str, Mapping[float, float]] | None = None,
    quantity: str = "Init Duration (ms)",
    ax: Axes | None = None,
) -> Axes:
    """The empirical distribution of each list of samples with its 95 % band, beside published percentiles."""
    ax = ax or _new_axes()
    for label, values in samples.items():
        ordered = np.sort(np.asarray(values, dtype=float))
        share = np.arange(1, len(ordered) + 1) / len(ordered)
        half_height = statistics.distribution_band(len(ordered))
        (line,) = ax.step(ordered, share, where="post", label=f"{label} (n={len(ordered)})")
        low, high = np.clip([share - half_height, share + half_height], 0, 1)
        ax.fill_between(ordered, low, high, step="post", color=line.get_color(), alpha=0.15, linewidth=0)
    for number, (label, by_percent) in enumerate((published_percentiles or {}).items()):
        marker = PUBLISHED_MARKERS[number % len(PUBLISHED_MARKERS)]
        shares = [percent / 100 for percent in by_percent]
        values = list(by_percent.values())
        ax.plot(values, shares, marker, color=PUBLISHED_COLOR, markersize=9, label=label)
    ax.set_ylim(0, 1.02)
    ax.set_xlim(left=0)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.set_xlabel(quantity)
    ax.set_ylabel("Share of invocations")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1))
    return ax


@styled
def percentile_bars(
    samples: Mapping[str, Sequence[float]],
    published_percentiles: Mapping[str, Mapping[float, float]] | None = None,
    percents: Sequence[float] = (50, 90, 99),
    quantity: str = "Init Duration (ms)",
    ax: Axes | None = None,
) -> Axes:
    """Percentiles of our samples with 95 % intervals, beside published ones (hatched, no interval).

    A percentile for which there are too few samples is written as such instead of drawn.
    """
    ax = ax or _new_axes()
    published_percentiles = published_percentiles or {}
    width = 0.8 / (len(samples) + len(published_percentiles))
    groups = np.arange(len(percents))
    for number, (label, values) in enumerate(samples.items()):
        positions = groups + (number + 0.5) * width - 0.4
        for position, percent in zip(positions, percents, strict=True):
            estimate = statistics.percentile_interval(values, percent)
            if estimate is None:
                note = f"needs {statistics.samples_needed(percent)}\nsamples, has {len(values)}"
                ax.annotate(
                    note,
                    (position, 0),
                    xytext=(0, 4),
                    textcoords="offset points",
                    rotation=90,
                    ha="center",
                    fontsize=8,
                )
                continue
            ax.bar(position, estimate.value, width * 0.92, color=_color(number))
            _points_with_intervals(ax, [position], *_columns([estimate]), fmt="none", color="black")
        ax.bar(0, 0, color=_color(number), label=f"{label} (n={len(values)})")
    for number, (label, by_percent) in enumerate(published_percentiles.items(), start=len(samples)):
        positions = groups + (number + 0.5) * width - 0.4
        heights = [by_percent[percent] for percent in percents]
        ax.bar(
            positions,
            heights,
            width * 0.92,
            facecolor="white",
            edgecolor=_color(number),
            hatch="///",
            label=label,
        )
    ax.set_xticks(groups, [f"p{percent:g}" for percent in percents])
    ax.grid(visible=False, axis="x")
    ax.set_ylabel(quantity)
    ax.legend()
    return ax


@styled
def init_by_package_size(measurements: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Median Init Duration of several packages with 95 % intervals; the labels tell their sizes.

    `measurements` has one row a package, drawn from top to bottom, with columns label, package_mb (unzipped),
    init_ms, init_low_ms, init_high_ms.
    """
    ax = ax or _new_axes()
    labels = [f"{row.label}\n{row.package_mb:.1f} MB" for row in measurements.itertuples()]
    value, low, high = (measurements[name] for name in ("init_ms", "init_low_ms", "init_high_ms"))
    ax.barh(labels, value, height=0.6, color=DURATION_COLOR)
    ax.errorbar(value, labels, xerr=[value - low, high - value], fmt="none", color="black", linewidth=1)
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("Init Duration, median (ms)")
    return ax


@styled
def provisioned_break_even(ax: Axes | None = None) -> Axes:
    """What an environment of 1 GB costs in an hour, by how busy it is: on demand against provisioned.

    A dot marks the utilization from which on provisioned concurrency is cheaper, for both architectures.
    """
    ax = ax or _new_axes()
    utilization = np.linspace(0, 1, 101)
    hour_s = 3600
    for number, architecture in enumerate(ARCHITECTURES):
        on_demand = hour_s * utilization * pricing.price(f"lambda.duration.{architecture}").usd
        capacity = hour_s * pricing.price(f"lambda.provisioned.capacity.{architecture}").usd
        busy = hour_s * utilization * pricing.price(f"lambda.provisioned.duration.{architecture}").usd
        color = _color(number)
        ax.plot(utilization, on_demand, "--", color=color, label=f"{architecture}, on demand")
        ax.plot(utilization, capacity + busy, color=color, label=f"{architecture}, provisioned")
        break_even = pricing.provisioned_break_even(architecture)
        cost = float(np.interp(break_even, utilization, on_demand))
        ax.plot(break_even, cost, "o", color=color, markersize=8)
        ax.annotate(
            f"{break_even:.0%}", (break_even, cost), xytext=(8, -14), textcoords="offset points", color=color
        )
        saving = pricing.provisioned_saving(1, architecture)
        ax.annotate(
            f"−{saving:.1%}", (1, on_demand[-1]), xytext=(4, -10), textcoords="offset points", color=color
        )
    ax.set_xlim(0, 1.08)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set_xlabel("Share of the time that the environment is busy")
    ax.set_ylabel("USD per hour and GB")
    ax.set_title("From which load on does provisioned concurrency pay?")
    ax.legend()
    return ax


def _new_axes() -> Axes:
    return plt.subplots()[1]


def _color(number: int) -> str:
    """A colour of the style; Matplotlib's "C0" would be looked up when the style is no longer in force."""
    colors: list[str] = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    return colors[number % len(colors)]


def _measured_sizes_mb(tuning: TuningResult) -> list[int]:
    return [int(size) for size in tuning.table.index[tuning.table["n"] > 0]]


def _memory_axis(ax: Axes, sizes_mb: Sequence[int]) -> None:
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes_mb)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(min(sizes_mb) / 1.2, max(sizes_mb) * 1.2)
    ax.set_xlabel("Memory (MB)")


def _points_with_intervals(
    ax: Axes, positions: ArrayLike, values: ArrayLike, lows: ArrayLike, highs: ArrayLike, **style: Any
) -> None:
    value, low, high = (np.asarray(column, dtype=float) for column in (values, lows, highs))
    ax.errorbar(positions, value, [value - low, high - value], **style)


def _columns(estimates: Sequence[Estimate]) -> tuple[list[float], list[float], list[float]]:
    return (
        [estimate.value for estimate in estimates],
        [estimate.low for estimate in estimates],
        [estimate.high for estimate in estimates],
    )
