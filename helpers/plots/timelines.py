"""What execution environments do over time."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from helpers.plots.style import legend_above, new_axes, strip_below, styled

INIT_STYLE: dict[str, Any] = {
    "facecolor": "white",
    "edgecolor": "#000000",
    "hatch": "/////",
    "linewidth": 0.8,
}
COLD_STYLE: dict[str, Any] = {"facecolor": "#0072B2", "edgecolor": "#0072B2", "linewidth": 0.8}
WARM_STYLE: dict[str, Any] = {"facecolor": "#E69F00", "edgecolor": "#E69F00", "linewidth": 0.8}
ROW_HEIGHT = 0.7
STRIP_SHARE = 0.3
MS_PER_S = 1000


@styled
def environments(timeline: pd.DataFrame, ax: Axes | None = None, title: str = "") -> Axes:
    """One row an execution environment with its INIT and INVOKE phases; below, how many are busy at once.

    `timeline` has one row an invocation, with columns environment (an id), started_s (of INIT when the start
    was cold, else of INVOKE), init_duration_ms (missing when warm), duration_ms, cold_start. Environments are
    numbered in the order of their first start. The title defaults to their number and the largest number busy
    at once. Raises ValueError without any invocation, and for axes that were placed by hand, which cannot be
    split in two.
    """
    if timeline.empty:
        raise ValueError("A timeline of environments needs one invocation at least, and this one has none.")
    ax = ax or new_axes()
    strip = strip_below(ax, STRIP_SHARE)
    invocations = timeline.sort_values("started_s")
    row = pd.factorize(invocations["environment"])[0] + 1
    started_s = invocations["started_s"].to_numpy(dtype=float)
    invoked_s = started_s + invocations["init_duration_ms"].fillna(0).to_numpy(dtype=float) / MS_PER_S
    ended_s = invoked_s + invocations["duration_ms"].to_numpy(dtype=float) / MS_PER_S
    cold = invocations["cold_start"].to_numpy(dtype=bool)
    for label, style, chosen, begin_s, end_s in (
        ("INIT", INIT_STYLE, invoked_s > started_s, started_s, invoked_s),
        ("INVOKE, cold start", COLD_STYLE, cold, invoked_s, ended_s),
        ("INVOKE, warm start", WARM_STYLE, ~cold, invoked_s, ended_s),
    ):
        if chosen.any():
            begin_s, length_s = begin_s[chosen], (end_s - begin_s)[chosen]
            ax.barh(row[chosen], length_s, left=begin_s, height=ROW_HEIGHT, label=label, **style)
    count = int(row.max())
    ax.set_ylim(count + 0.5, 0.5)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.grid(visible=False, axis="y")
    ax.set_ylabel("Environment")
    most = _draw_busy(strip, started_s, ended_s)
    noun = "environment" if count == 1 else "environments"
    legend_above(ax, title or f"{count} {noun}, at most {most} busy at once")
    return ax


def _draw_busy(strip: Axes, started_s: np.ndarray, ended_s: np.ndarray) -> int:
    """The number of busy environments over time; returns the largest.

    An invocation that ends when the next one starts does not overlap with it.
    """
    moments_s = np.concatenate([ended_s, started_s])
    changes = np.repeat([-1, 1], [len(ended_s), len(started_s)])
    order = np.argsort(moments_s, kind="stable")
    busy = np.cumsum(changes[order])
    strip.step(moments_s[order], busy, where="post", color="black", linewidth=1)
    strip.fill_between(moments_s[order], busy, step="post", color="black", alpha=0.15, linewidth=0)
    strip.set_ylim(0, busy.max() * 1.1)
    strip.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=3))
    strip.set_ylabel("Busy")
    strip.set_xlabel("Time (s)")
    strip.set_xlim(left=0)
    return int(busy.max())
