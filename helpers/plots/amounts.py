"""Bars: amounts of something by variant, the parts of a latency, Init Duration by package."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from helpers.plots.style import (
    CATEGORY_CHARACTERS,
    DURATION_COLOR,
    NOTE_CHARACTER_PX,
    bar_style,
    columns,
    legend_above,
    new_axes,
    note,
    number_text,
    points_with_intervals,
    require_any,
    set_title,
    set_x_label,
    styled,
    width_px,
)
from helpers.statistics import Estimate

BAR_HEIGHT = 0.6
NUMBER_ROOM = 0.15


@styled
def amounts(values: pd.Series, unit: str, ax: Axes | None = None, title: str = "") -> Axes:
    """One horizontal bar a variant (the index of `values`), with its value written at its end.

    For what is counted and has no interval, such as invocations or bytes; `unit` names the axis. Raises
    ValueError without any variant.
    """
    require_any(values, "variant")
    ax = ax or new_axes()
    _categories(ax, [str(label) for label in values.index])
    ax.barh(range(len(values)), values, height=BAR_HEIGHT, **bar_style(0))
    for position, value in enumerate(values):
        note(ax, number_text(value), (value, position), (4, 0), ha="left", va="center")
    ax.margins(x=NUMBER_ROOM)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number_text(value)))
    set_x_label(ax, unit)
    if title:
        set_title(ax, title)
    return ax


@styled
def latency_breakdown(
    parts: pd.DataFrame,
    ax: Axes | None = None,
    totals: Mapping[str, Estimate] | None = None,
    title: str = "Where does the time go?",
) -> Axes:
    """Which part of a pattern takes how long: one stacked bar a variant (row), one segment a part (column).

    `parts` is in ms. A diamond with an interval shows what was measured from end to end, in ms, of those
    variants that `totals` has; percentiles of parts need not add up to it. Raises ValueError without any
    variant, and when `totals` has one that `parts` lacks.
    """
    require_any(parts, "variant")
    ax = ax or new_axes()
    variants = [str(variant) for variant in parts.index]
    _categories(ax, variants)
    px_per_ms = width_px(ax) / parts.sum(axis="columns").max()
    start_ms = np.zeros(len(parts))
    for number, part in enumerate(parts.columns):
        part_ms = parts[part].fillna(0).to_numpy(dtype=float)
        ax.barh(range(len(parts)), part_ms, left=start_ms, height=BAR_HEIGHT, label=part, **bar_style(number))
        for position, (start, length) in enumerate(zip(start_ms, part_ms, strict=True)):
            text = number_text(length)
            if length * px_per_ms > (len(text) + 2) * NOTE_CHARACTER_PX:
                note(ax, text, (start + length / 2, position), (0, 0), va="center")
        start_ms = start_ms + part_ms
    if totals:
        rows = [_row_of(variant, variants) for variant in totals]
        intervals = columns(list(totals.values()))
        points_with_intervals(
            ax, rows, intervals, horizontal=True, fmt="D", color="black", linewidth=1.2, label="end to end"
        )
    ax.set_xlim(left=0)
    ax.set_xlabel("Latency (ms)")
    legend_above(ax, title)
    return ax


@styled
def init_by_package_size(measurements: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Median Init Duration of several packages with 95 % intervals; the labels tell their sizes.

    `measurements` has one row a package, drawn from top to bottom, with columns label, package_mb (unzipped),
    init_ms, init_low_ms, init_high_ms. Raises ValueError without any package.
    """
    require_any(measurements, "package")
    ax = ax or new_axes()
    labels = [f"{row.label}\n{row.package_mb:.1f} MB" for row in measurements.itertuples()]
    intervals = (measurements["init_ms"], measurements["init_low_ms"], measurements["init_high_ms"])
    ax.barh(labels, measurements["init_ms"], height=BAR_HEIGHT, color=DURATION_COLOR)
    points_with_intervals(ax, labels, intervals, horizontal=True, fmt="none", color="black", linewidth=1)
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("Init Duration, median (ms)")
    return ax


def _row_of(variant: str, variants: Sequence[str]) -> int:
    if variant not in variants:
        raise ValueError(f"A total is of one of the variants {', '.join(variants)}, not of {variant}.")
    return variants.index(variant)


def _categories(ax: Axes, labels: Sequence[str]) -> None:
    """Rows from top to bottom with these labels, long ones over several lines."""
    wrapped = [textwrap.fill(label, CATEGORY_CHARACTERS) for label in labels]
    ax.set_yticks(range(len(labels)), wrapped)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
