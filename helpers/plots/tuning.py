"""What memory does to the duration and the cost of functions."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from helpers import published
from helpers.plots.labels import ABOVE, BELOW, place_note
from helpers.plots.style import (
    COST_COLOR,
    DURATION_COLOR,
    PUBLISHED_COLOR,
    columns,
    line_style,
    marker,
    new_axes,
    note,
    points_with_intervals,
    require_any,
    set_title,
    styled,
    width_px,
)
from helpers.prediction import Prediction
from helpers.tuning_result import MILLION, TuningResult

ONE_VCPU_MB = 1769
SIZE_LABEL_PX = 36
LEFT_ROOM, RIGHT_ROOM = 1.55, 1.3
# The cost has more room above it than the duration, so that stars of one and the same size stay apart.
DURATION_HEADROOM, COST_HEADROOM, LEGEND_HEADROOM = 0.2, 0.4, 0.2
STAR_NAME_DISTANCE = 10


@styled
def power_tuning(
    tuning: TuningResult, ax: Axes | None = None, title: str = "", prediction: Prediction | None = None
) -> Axes:
    """Duration (left) and cost (right) by memory size with 95 % intervals; stars mark the best of each.

    An open star and a question mark say that other sizes cannot be told apart from it. Dashed curves show a
    `prediction`, and the legend its mean error where a size shows it. The title defaults to the function's
    name. Sizes that failed are named at the bottom. Raises ValueError when every size failed.
    """
    ax = ax or new_axes()
    fastest, cheapest = tuning.best("speed"), tuning.best("cost")
    right = cost_axis(ax)
    draw_tuning(ax, right, tuning)
    fastest_point = (fastest.memory_mb, tuning.table["mean_ms"][fastest.memory_mb])
    cheapest_point = (cheapest.memory_mb, tuning.table["cost_usd"][cheapest.memory_mb] * MILLION)
    _star(ax, fastest_point, fastest.decided, DURATION_COLOR)
    _star(right, cheapest_point, cheapest.decided, COST_COLOR)
    memory_axis(ax, tuning.table.index, () if prediction is None else prediction.table.index)
    if prediction is not None:
        _draw_prediction(ax, right, prediction, tuning)
    leave_headroom(ax, right, 0 if prediction is None else LEGEND_HEADROOM)
    # Notes are on the right axes, which are drawn over the left ones, and keep clear of what is there before.
    _name_failures(right, tuning)
    for word, best, point, of_axes, side, color in (
        ("fastest", fastest, fastest_point, ax, ABOVE, DURATION_COLOR),
        ("cheapest", cheapest, cheapest_point, right, BELOW, COST_COLOR),
    ):
        name = word if best.decided else f"{word}?"
        place_note(right, name, point, side, STAR_NAME_DISTANCE, ax, xycoords=of_axes.transData, color=color)
    set_title(ax, title or tuning.function_name)
    return ax


@styled
def memory_law(tunings: Mapping[str, TuningResult], ax: Axes | None = None) -> Axes:
    """Duration of several functions relative to 1,769 MB, with 95 % intervals, beside the memory law.

    A function that only computes follows 1,769 MB / memory (AWS Lambda Developer Guide, "Configure Lambda
    function memory"); the published points are the same ratio of CPU time received on AWS. Raises ValueError
    without any run, and when one has not measured 1,769 MB.
    """
    require_any(tunings, "power tuning run")
    ax = ax or new_axes()
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
        style = {**line_style(number), "marker": marker(number), "label": label}
        points_with_intervals(ax, sizes_of[label], columns(ratios), **style)
    ax.set_yscale("log", base=2)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
    memory_axis(ax, all_sizes)
    ax.set_ylabel("Duration relative to 1,769 MB")
    set_title(ax, "Who gains from memory?")
    ax.legend()
    return ax


def cost_axis(ax: Axes) -> Axes:
    """A second axis on the right, for the cost beside the duration."""
    right = ax.twinx()
    ax.set_ylabel("Duration (ms)", color=DURATION_COLOR)
    right.set_ylabel("Cost (USD per million)", color=COST_COLOR)
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
    return right


def draw_tuning(ax: Axes, right: Axes, tuning: TuningResult, **style: Any) -> None:
    """Trimmed means and their costs by memory size, with intervals."""
    table = tuning.table[tuning.table["n"] > 0]
    sizes_mb = table.index.to_numpy()
    duration = (table["mean_ms"], table["mean_low_ms"], table["mean_high_ms"])
    cost = (table["cost_usd"] * MILLION, table["cost_low_usd"] * MILLION, table["cost_high_usd"] * MILLION)
    points_with_intervals(ax, sizes_mb, duration, color=DURATION_COLOR, marker="o", **style)
    points_with_intervals(right, sizes_mb, cost, color=COST_COLOR, marker="s", **style)


def leave_headroom(ax: Axes, right: Axes, extra: float = 0) -> None:
    """Both axes from zero to above what is drawn, by this share and `extra` of it."""
    ax.set_ylim(0, ax.dataLim.ymax * (1 + DURATION_HEADROOM + extra))
    right.set_ylim(0, right.dataLim.ymax * (1 + COST_HEADROOM + extra))


def memory_axis(ax: Axes, sizes_mb: Iterable[int], more_sizes_mb: Iterable[int] = ()) -> None:
    """A logarithmic axis with a tick at every size, and a label where there is room, first at `sizes_mb`."""
    sizes = [*sorted(sizes_mb, reverse=True), *sorted(more_sizes_mb, reverse=True)]
    lowest, highest = min(sizes) / LEFT_ROOM, max(sizes) * RIGHT_ROOM
    px_per_octave = width_px(ax) / np.log2(highest / lowest)
    labelled: list[int] = []
    for size in sizes:
        if all(abs(np.log2(size / other)) * px_per_octave >= SIZE_LABEL_PX for other in labelled):
            labelled.append(size)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sorted(labelled))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    ax.xaxis.set_minor_locator(FixedLocator(sizes))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlim(lowest, highest)
    ax.set_xlabel("Memory (MB)")


def _star(axes: Axes, point: tuple[float, float], decided: bool, color: str) -> None:
    fill = color if decided else "white"
    (star,) = axes.plot(*point, "*", markersize=16, markerfacecolor=fill, markeredgecolor=color, zorder=4)
    star.set_clip_on(False)


def _draw_prediction(ax: Axes, right: Axes, prediction: Prediction, tuning: TuningResult) -> None:
    table = prediction.table
    ax.plot(table.index, table["duration_ms"], "--", color=DURATION_COLOR, zorder=1)
    right.plot(table.index, table["cost_usd"] * MILLION, "--", color=COST_COLOR, zorder=1)
    text = "predicted"
    # Sizes that a prediction was made from do not judge it, and a run may have no other.
    if set(_measured_sizes_mb(tuning)) - set(prediction.source_sizes):
        text += f", error {prediction.error(tuning):.1%}"
    right.plot([], [], "--", color="black", label=text)
    right.legend(loc="upper center")


def _name_failures(right: Axes, tuning: TuningResult) -> None:
    failed = tuning.table[tuning.table["n"] == 0]
    for memory_mb, kinds in zip(failed.index.to_numpy(), failed["failure"], strict=True):
        note(right, kinds, (memory_mb, 0), (0, 6), rotation=90)


def _measured_sizes_mb(tuning: TuningResult) -> list[int]:
    return [int(size) for size in tuning.table.index[tuning.table["n"] > 0]]
