"""Charts of costs, and the loads at which another variant becomes the cheapest."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from charts import legend, texts, title

from helpers import plots, pricing


@pytest.fixture(autouse=True)
def no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def by_the_request(requests: float) -> float:
    return 2e-6 * requests


def by_the_month(requests: float) -> float:
    return 36.0


def test_break_even_is_where_the_lines_cross() -> None:
    ax = plots.provisioned_break_even()
    assert texts(ax) == ["60%", "−16.7%", "60%", "−16.7%"]
    on_demand, provisioned, dot = ax.lines[:3]
    utilization, cost = dot.get_xdata()[0], dot.get_ydata()[0]
    for line in (on_demand, provisioned):
        assert np.interp(utilization, line.get_xdata(), line.get_ydata()) == pytest.approx(cost, rel=1e-6)


def test_the_break_even_of_two_costs_is_marked_and_named() -> None:
    ax = plots.cost_by_load({"function": by_the_request, "container": by_the_month})
    assert legend(ax) == ["function", "container, cheapest from 18 M"]
    assert texts(ax) == ["18 M"]
    dot = ax.lines[-1]
    assert (dot.get_xdata()[0], dot.get_ydata()[0]) == pytest.approx((18_000_000, 36))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Requests per month", "USD per month")
    assert title(ax) == "Which variant is the cheapest at which load?"


def test_the_notes_of_break_evens_that_are_close_stand_apart_and_in_order() -> None:
    ax = plots.cost_by_load(
        {
            "function": by_the_request,
            "container": lambda load: 30 + 2e-7 * load,
            "two containers": lambda load: 33 + 5e-8 * load,
        }
    )
    ax.figure.canvas.draw()
    second, first = (note.get_window_extent() for note in ax.texts)
    assert texts(ax) == ["20 M", "16.7 M"]
    assert not first.overlaps(second)
    assert first.x0 < second.x0


def test_the_note_of_a_break_even_at_the_right_edge_stays_in_the_axes() -> None:
    ax = plots.cost_by_load({"function": by_the_request, "container": lambda load: 1900})
    ax.figure.canvas.draw()
    assert ax.texts[0].get_window_extent().x1 < ax.bbox.x1


def test_costs_that_do_not_cross_have_no_break_even() -> None:
    ax = plots.cost_by_load({"x86_64": by_the_request, "arm64": lambda load: 0.8 * by_the_request(load)})
    assert legend(ax) == ["x86_64", "arm64"]
    assert texts(ax) == []


def test_a_variant_that_is_the_cheapest_twice_says_so() -> None:
    tiers = pd.Series({1e3: 2.0, 1e4: 5.0, 1e5: 200.0, 1e6: 300.0})
    ax = plots.cost_by_load({"tiers": tiers, "function": lambda load: 1e-3 * load})
    assert legend(ax) == ["tiers, cheapest from 2,500 and 212,500", "function, cheapest from 14,286"]


def test_a_series_is_drawn_with_its_points_and_bounds_the_loads() -> None:
    measured = pd.Series({1e6: 20.0, 1e4: 10.0, 1e8: 60.0})
    ax = plots.cost_by_load({"measured": measured, "function": by_the_request})
    line = ax.lines[0]
    marked = np.asarray(line.get_xdata())[np.asarray(line.get_markevery())]
    assert list(marked) == [1e4, 1e6, 1e8]
    assert np.interp(1e6, line.get_xdata(), line.get_ydata()) == 20
    assert ax.get_xlim() == (1e4, 1e8)
    assert list(ax.lines[1].get_xdata()) == list(line.get_xdata())


@pytest.mark.parametrize(
    ("loads", "slope", "scales"),
    [((10, 100), 1, ("linear", "linear")), ((10, 1e6), 1, ("log", "log")), ((10, 1e6), 0, ("log", "linear"))],
)
def test_an_axis_that_spans_decades_is_logarithmic(
    loads: tuple[float, float], slope: float, scales: tuple[str, str]
) -> None:
    ax = plots.cost_by_load({"only": lambda load: 5 + slope * load}, loads=loads)
    assert (ax.get_xscale(), ax.get_yscale()) == scales


def test_a_cost_that_begins_with_a_free_quantity_is_drawn_from_where_it_costs_something() -> None:
    def with_free_tier(requests: float) -> float:
        return pricing.lambda_cost(requests, 100, 512, free_tier=True).usd

    ax = plots.cost_by_load({"free tier": with_free_tier, "container": by_the_month})
    assert ax.get_yscale() == "log"
    assert ax.get_ylim()[0] > 0


@pytest.mark.parametrize("loads", [(0, 10), (10, 10), (20, 10)])
def test_loads_must_be_positive_and_a_range(loads: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="a range of positive loads that all variants cover"):
        plots.cost_by_load({"function": by_the_request}, loads=loads)


def test_series_that_share_no_loads_are_refused() -> None:
    costs = {"small": pd.Series({1e3: 1.0, 1e4: 2.0}), "large": pd.Series({1e5: 1.0, 1e6: 2.0})}
    with pytest.raises(ValueError, match=r"from 100000 to 10000 is none"):
        plots.cost_by_load(costs)
