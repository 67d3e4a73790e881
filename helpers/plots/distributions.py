"""Samples as what they are: whole distributions and percentiles, with what is not known about them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from helpers import statistics
from helpers.plots.style import (
    HATCHES,
    PUBLISHED_COLOR,
    bar_style,
    columns,
    legend_above,
    line_style,
    new_axes,
    note,
    points_with_intervals,
    require_any,
    series_color,
    set_x_label,
    styled,
)

PUBLISHED_MARKERS = "x+1"
GROUP_WIDTH = 0.8


@styled
def distributions(
    samples: Mapping[str, Sequence[float]],
    published_percentiles: Mapping[str, Mapping[float, float]] | None = None,
    quantity: str = "Init Duration (ms)",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """The empirical distribution of each list of samples with its 95 % band, beside published percentiles.

    Raises ValueError without any list of samples, and for one that has no sample or missing values.
    """
    require_any(samples, "list of samples")
    _require_complete(samples)
    ax = ax or new_axes()
    for number, (label, values) in enumerate(samples.items()):
        ordered = np.sort(np.asarray(values, dtype=float))
        # Nothing lies below the first sample; with it the curve begins, also that of a single sample.
        values_from_first = np.concatenate([ordered[:1], ordered])
        share = np.arange(len(ordered) + 1) / len(ordered)
        half_height = statistics.distribution_band(len(ordered))
        low, high = np.clip([share - half_height, share + half_height], 0, 1)
        style = line_style(number)
        ax.step(values_from_first, share, where="post", label=f"{label} (n={len(ordered)})", **style)
        ax.fill_between(
            values_from_first, low, high, step="post", color=style["color"], alpha=0.15, linewidth=0
        )
    for number, (label, by_percent) in enumerate((published_percentiles or {}).items()):
        marker = PUBLISHED_MARKERS[number % len(PUBLISHED_MARKERS)]
        shares = [percent / 100 for percent in by_percent]
        values = list(by_percent.values())
        ax.plot(values, shares, marker, color=PUBLISHED_COLOR, markersize=9, label=label)
    ax.set_ylim(0, 1.02)
    ax.set_xlim(left=0)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.set_ylabel("Share of invocations")
    set_x_label(ax, quantity)
    legend_above(ax, title)
    return ax


@styled
def percentile_bars(
    samples: Mapping[str, Sequence[float]],
    published_percentiles: Mapping[str, Mapping[float, float]] | None = None,
    percents: Sequence[float] = (50, 90, 99),
    quantity: str = "Init Duration (ms)",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Percentiles of our samples with 95 % intervals, beside published ones (white, no interval).

    Instead of a percentile for which there are too few samples it says how many it needs, and of one that
    was not published that it was not. Raises ValueError without anything to show, for samples with missing
    values, and for percentiles that are not between 0 and 100.
    """
    published_percentiles = published_percentiles or {}
    require_any([*samples, *published_percentiles], "list of samples")
    _require_complete(samples)
    ax = ax or new_axes()
    width = GROUP_WIDTH / (len(samples) + len(published_percentiles))
    first_bars = np.arange(len(percents)) - (GROUP_WIDTH - width) / 2
    for number, (label, values) in enumerate(samples.items()):
        estimates = [statistics.percentile_interval(values, percent) for percent in percents]
        positions = first_bars + number * width
        ax.bar(
            positions,
            [estimate.value if estimate else 0 for estimate in estimates],
            width * 0.92,
            label=f"{label} (n={len(values)})",
            **bar_style(number),
        )
        for position, percent, estimate in zip(positions, percents, estimates, strict=True):
            if estimate is None:
                text = f"needs {statistics.samples_needed(percent)}, has {len(values)}"
                note(ax, text, (position, 0), (0, 4), rotation=90)
            else:
                points_with_intervals(ax, [position], columns([estimate]), fmt="none", color="black")
    for number, (label, by_percent) in enumerate(published_percentiles.items(), start=len(samples)):
        positions = first_bars + number * width
        ax.bar(
            positions,
            [by_percent.get(percent, 0) for percent in percents],
            width * 0.92,
            facecolor="white",
            edgecolor=series_color(number),
            hatch=HATCHES[number % len(HATCHES)],
            label=label,
        )
        for position, percent in zip(positions, percents, strict=True):
            if percent not in by_percent:
                note(ax, "not published", (position, 0), (0, 4), rotation=90)
    ax.set_xticks(range(len(percents)), [f"p{percent:g}" for percent in percents])
    ax.grid(visible=False, axis="x")
    ax.set_ylabel(quantity)
    legend_above(ax, title)
    return ax


def _require_complete(samples: Mapping[str, Sequence[float]]) -> None:
    for label, values in samples.items():
        missing = int(np.isnan(np.asarray(values, dtype=float)).sum())
        if missing:
            raise ValueError(
                f"{missing} of the {len(values)} samples of {label} are missing values, such as the Init "
                "Duration of warm starts: leave them out, with dropna() for example."
            )
