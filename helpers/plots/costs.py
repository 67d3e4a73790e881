"""What a load costs, and from which load on another choice is the cheaper one."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, PercentFormatter

from helpers import pricing
from helpers.break_even import break_evens
from helpers.plots.labels import BELOW_RIGHT, place_note
from helpers.plots.style import (
    legend_above,
    line_style,
    marker,
    new_axes,
    note,
    number_text,
    series_color,
    set_x_label,
    styled,
    width_px,
)

ARCHITECTURES: tuple[pricing.Architecture, ...] = ("x86_64", "arm64")
DASHES_AND_LINES = (("--", "-"), (":", "-."))
HOUR_S = 3600
MILLION = 1_000_000
LOGARITHMIC_FROM = 30
LOAD_LABEL_PX = 60
BREAK_EVEN_NOTE_DISTANCE = 6
POINTS = 500

CostByLoad = Callable[[float], float] | pd.Series


@styled
def provisioned_break_even(ax: Axes | None = None) -> Axes:
    """What an environment of 1 GB costs in an hour, by how busy it is: on demand against provisioned.

    A dot marks the utilization from which on provisioned concurrency is cheaper, for both architectures.
    """
    ax = ax or new_axes()
    utilization = np.linspace(0, 1, 101)
    for number, architecture in enumerate(ARCHITECTURES):
        on_demand = HOUR_S * utilization * pricing.price(f"lambda.duration.{architecture}").usd
        capacity = HOUR_S * pricing.price(f"lambda.provisioned.capacity.{architecture}").usd
        busy = HOUR_S * utilization * pricing.price(f"lambda.provisioned.duration.{architecture}").usd
        color, (dashes, line) = series_color(number), DASHES_AND_LINES[number]
        ax.plot(utilization, on_demand, dashes, color=color, label=f"{architecture}, on demand")
        ax.plot(utilization, capacity + busy, line, color=color, label=f"{architecture}, provisioned")
        break_even = pricing.provisioned_break_even(architecture)
        cost = float(np.interp(break_even, utilization, on_demand))
        ax.plot(break_even, cost, marker(number), color=color, markersize=8)
        note(ax, f"{break_even:.0%}", (break_even, cost), (8, -14), ha="left")
        saving = pricing.provisioned_saving(1, architecture)
        note(ax, f"−{saving:.1%}", (1, on_demand[-1]), (4, -10), ha="left")
    ax.set_xlim(0, 1.08)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set_ylabel("USD per hour and GB")
    set_x_label(ax, "Share of the time that the environment is busy")
    legend_above(ax, "From which load on does provisioned concurrency pay?")
    return ax


@styled
def cost_by_load(
    costs: Mapping[str, CostByLoad],
    ax: Axes | None = None,
    loads: tuple[float, float] = (1_000, 1_000_000_000),
    quantity: str = "Requests per month",
    unit: str = "USD per month",
    title: str = "Which variant is the cheapest at which load?",
) -> Axes:
    """What several variants cost by load, with a dot where another one becomes the cheapest.

    Each cost is in `unit`: a function of the load, or a Series by load with straight lines between its
    points, which are marked. Variants are drawn over `loads` (from, to), or the part of it that every Series
    covers. An axis that spans more than a factor of 30 is logarithmic; a cost of nothing is then below it.
    Raises ValueError when there is no variant or no range of positive loads.
    """
    ax = ax or new_axes()
    grid = _loads_of_all(costs, loads)
    functions = {label: _function_of_load(cost) for label, cost in costs.items()}
    drawn = {label: np.array([cost(load) for load in grid]) for label, cost in functions.items()}
    changes = break_evens(functions, list(grid))
    for number, (label, usd) in enumerate(drawn.items()):
        begins = [_load_text(change.load) for change in changes if change.cheapest == label]
        text = f"{label}, cheapest from {' and '.join(begins)}" if begins else label
        ax.plot(grid, usd, label=text, **line_style(number), **_marked_points(costs[label], grid, number))
    for change in changes:
        ax.plot(change.load, change.usd, "o", color="black", markersize=8, zorder=4)
    if _spans_decades(grid):
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(numticks=width_px(ax) // LOAD_LABEL_PX))
    if _spans_decades(np.concatenate(list(drawn.values()))):
        ax.set_yscale("log")
    else:
        ax.set_ylim(bottom=0)
    ax.set_xlim(grid[0], grid[-1])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda load, _: _load_text(load)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda usd, _: number_text(usd)))
    # From right to left, so that no note is already where the dot of its right neighbour needs its own.
    for change in reversed(changes):
        point = (change.load, change.usd)
        place_note(ax, _load_text(change.load), point, BELOW_RIGHT, BREAK_EVEN_NOTE_DISTANCE)
    ax.set_ylabel(unit)
    set_x_label(ax, quantity)
    legend_above(ax, title)
    return ax


def _loads_of_all(costs: Mapping[str, CostByLoad], loads: tuple[float, float]) -> np.ndarray:
    """Loads between the ends that all variants share, with every point of a Series among them."""
    points = [cost.index.to_numpy(dtype=float) for cost in costs.values() if isinstance(cost, pd.Series)]
    low = max([loads[0], *(of_series.min() for of_series in points)])
    high = min([loads[1], *(of_series.max() for of_series in points)])
    if not 0 < low < high:
        raise ValueError(
            f"Costs are compared over a range of positive loads that all variants cover, and from {low:g} to "
            f"{high:g} is none: give other `loads`, or Series with more points."
        )
    inner = np.concatenate([np.geomspace(low, high, POINTS), *points])
    return np.unique(inner[(inner >= low) & (inner <= high)])


def _function_of_load(cost: CostByLoad) -> Callable[[float], float]:
    if not isinstance(cost, pd.Series):
        return cost
    ordered = cost.sort_index()
    known_loads, known_usd = ordered.index.to_numpy(dtype=float), ordered.to_numpy(dtype=float)
    return lambda load: float(np.interp(load, known_loads, known_usd))


def _marked_points(cost: CostByLoad, grid: np.ndarray, number: int) -> dict[str, Any]:
    """How to mark the points of a Series on its line; a function has none."""
    if not isinstance(cost, pd.Series):
        return {}
    return {"marker": marker(number), "markevery": np.isin(grid, cost.index)}


def _spans_decades(values: np.ndarray) -> bool:
    positive = values[values > 0]
    return bool(positive.size) and positive.max() > LOGARITHMIC_FROM * positive.min()


def _load_text(load: float) -> str:
    return f"{number_text(load / MILLION)} M" if load >= MILLION else number_text(load)
