"""Charts of samples: distributions and percentiles, with what is not known about them."""

import math
from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from charts import latencies, legend, texts, tick_labels, title
from matplotlib.axes import Axes

from helpers import plots, published
from helpers.statistics import percentile_interval


@pytest.fixture(autouse=True)
def no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_distributions_have_a_band() -> None:
    ours = {"plain": [1.0, 2.0, 3.0, 4.0], "with boto3": [5.0, 6.0]}
    ax = plots.distributions(ours, {"on AWS": {50: 3.0, 99: 7.0}}, title="How long does INIT take?")
    assert legend(ax) == ["plain (n=4)", "with boto3 (n=2)", "on AWS"]
    assert title(ax) == "How long does INIT take?"
    assert list(zip(*ax.lines[2].get_data(), strict=True)) == [(3.0, 0.5), (7.0, 0.99)]
    assert ax.get_xlabel() == "Init Duration (ms)"
    assert list(ax.lines[0].get_xdata()) == [1.0, 1.0, 2.0, 3.0, 4.0]
    assert list(ax.lines[0].get_ydata()) == [0, 0.25, 0.5, 0.75, 1.0]
    assert len(ax.collections) == 2


def test_distributions_differ_in_more_than_colour() -> None:
    ax = plots.distributions({"plain": [1.0, 2.0], "with boto3": [5.0, 6.0]})
    assert len({line.get_linestyle() for line in ax.lines}) == 2


def test_percentile_bars_say_what_they_cannot_show() -> None:
    ours = list(np.random.default_rng(2).normal(50, 5, size=40))
    on_aws = published.init_percentiles("python3.12", 512)
    ax = plots.percentile_bars({"here": ours}, {"on AWS": on_aws})
    assert legend(ax) == ["here (n=40)", "on AWS"]
    assert tick_labels(ax) == ["p50", "p90", "p99"]
    assert texts(ax) == ["needs 368, has 40"]
    heights = [bar.get_height() for bar in ax.patches]
    assert float(np.percentile(ours, 90)) in heights
    assert on_aws[99] in heights


def test_percentile_bars_have_the_interval_of_their_percentile() -> None:
    ours = latencies(40, 400)
    ax = plots.percentile_bars({"here": ours}, percents=(50, 99), quantity="Latency (ms)")
    assert ax.get_ylabel() == "Latency (ms)"
    intervals = [container for container in ax.containers if getattr(container, "has_yerr", False)]
    for container, percent in zip(intervals, (50, 99), strict=True):
        (segment,) = container.lines[2][0].get_segments()
        estimate = percentile_interval(ours, percent)
        assert estimate is not None
        assert list(segment[:, 1]) == pytest.approx([estimate.low, estimate.high])


def test_percentile_bars_say_what_was_not_published() -> None:
    ax = plots.percentile_bars({"here": latencies(40, 400)}, {"on AWS": {50: 42.0}}, percents=(50, 99))
    assert texts(ax) == ["not published"]
    (note,) = ax.texts
    published_p50, published_p99 = ax.patches[-2:]
    assert published_p50.get_height() == 42
    assert note.xy[0] == pytest.approx(published_p99.get_x() + published_p99.get_width() / 2)


@pytest.mark.parametrize("chart", [plots.distributions, plots.percentile_bars])
def test_samples_with_missing_values_are_refused(chart: Callable[..., Axes]) -> None:
    with pytest.raises(ValueError, match="1 of the 3 samples of here are missing values, such as the Init"):
        chart({"there": [1.0], "here": [1.0, math.nan, 2.0]})


@pytest.mark.parametrize("chart", [plots.distributions, plots.percentile_bars])
def test_a_chart_of_samples_needs_some(chart: Callable[..., Axes]) -> None:
    with pytest.raises(ValueError, match="This chart needs at least one list of samples, and was given none"):
        chart({})


def test_published_percentiles_can_stand_alone() -> None:
    ax = plots.percentile_bars({}, {"on AWS": {50: 42.0}}, percents=(50,))
    assert [bar.get_height() for bar in ax.patches] == [42]


def test_measured_and_published_bars_differ_in_more_than_colour() -> None:
    ours = {"plain": latencies(40, 40), "with boto3": latencies(90, 40)}
    ax = plots.percentile_bars(ours, {"on AWS": {50: 60.0}}, percents=(50,))
    assert len({bar.get_hatch() for bar in ax.patches}) == 3
    assert ax.patches[-1].get_facecolor() == (1, 1, 1, 1)
