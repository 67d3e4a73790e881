"""Two power tuning runs side by side: which one is faster, which one is cheaper, and how sure that is."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from helpers.plots.style import (
    COST_COLOR,
    DURATION_COLOR,
    PUBLISHED_COLOR,
    legend_above,
    new_axes,
    points_with_intervals,
    strip_below,
    styled,
)
from helpers.plots.tuning import cost_axis, draw_tuning, leave_headroom, memory_axis
from helpers.tuning_comparison import TuningComparison

STRIP_SHARE = 0.45
SIDESTEP = 1.03


@styled
def comparison(tuning_comparison: TuningComparison, ax: Axes | None = None) -> Axes:
    """Duration and cost of two runs above; below, how much more the second takes and costs than the first.

    Changes are shares of the first run's trimmed mean, with their 95 % intervals: below zero the second
    is faster or cheaper. An open point says that its interval holds zero, so that noise explains the
    difference. Raises ValueError for axes that were placed by hand, which cannot be split in two.
    """
    ax = ax or new_axes()
    strip = strip_below(ax, STRIP_SHARE)
    _draw_both(ax, tuning_comparison)
    table = tuning_comparison.table
    _draw_changes(strip, table, "duration", color=DURATION_COLOR, marker="o", sidestep=1 / SIDESTEP)
    _draw_changes(strip, table, "cost", color=COST_COLOR, marker="s", sidestep=SIDESTEP)
    strip.axhline(0, color=PUBLISHED_COLOR, linewidth=1.2)
    strip.plot([], [], "o", color=DURATION_COLOR, label="duration")
    strip.plot([], [], "s", color=COST_COLOR, label="cost")
    strip.plot([], [], "o", color=PUBLISHED_COLOR, markerfacecolor="white", label="may be zero")
    legend_above(strip)
    strip.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
    strip.set_ylabel("Change")
    memory_axis(strip, [*tuning_comparison.first.table.index, *tuning_comparison.second.table.index])
    return ax


def _draw_both(ax: Axes, tuning_comparison: TuningComparison) -> None:
    first_label, second_label = tuning_comparison.labels
    right = cost_axis(ax)
    right.set_ylabel("USD per million")
    draw_tuning(ax, right, tuning_comparison.first, linestyle="--", markerfacecolor="white")
    draw_tuning(ax, right, tuning_comparison.second)
    ax.plot([], [], "--o", color=PUBLISHED_COLOR, markerfacecolor="white", label=first_label)
    ax.plot([], [], "-o", color=PUBLISHED_COLOR, label=second_label)
    leave_headroom(ax, right)
    legend_above(ax, f"Is {second_label} faster or cheaper than {first_label}?")


def _draw_changes(
    strip: Axes, table: pd.DataFrame, measure: str, color: str, marker: str, sidestep: float
) -> None:
    columns = [f"{measure}_change", f"{measure}_change_low", f"{measure}_change_high"]
    for memory_mb in table.index:
        change, low, high = table.loc[memory_mb, columns].astype(float)
        points_with_intervals(
            strip,
            [memory_mb * sidestep],
            ([change], [low], [high]),
            color=color,
            marker=marker,
            markerfacecolor=color if low > 0 or high < 0 else "white",
        )
