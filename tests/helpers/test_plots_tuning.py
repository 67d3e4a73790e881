"""Charts of power tuning runs: curves, intervals, winners, predictions and differences."""

from collections.abc import Iterator
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from charts import (
    OUT_OF_MEMORY,
    SIZES_MB,
    architectures,
    best_at,
    legend,
    prediction,
    right_axes,
    strip_axes,
    texts,
    tick_labels,
    title,
    tuning,
)

from helpers import plots, published
from helpers.prediction import predict
from helpers.tuning_comparison import compare
from helpers.tuning_result import Failure


@pytest.fixture(autouse=True)
def no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_power_tuning_shows_duration_and_cost_with_intervals() -> None:
    result = tuning("resize")
    ax = plots.power_tuning(result)
    right = right_axes(ax)
    assert (ax.get_ylabel(), right.get_ylabel()) == ("Duration (ms)", "Cost (USD per million)")
    assert title(ax) == "resize"
    assert tick_labels(ax) == ["128", "256", "512", "1,024", "1,769", "3,008"]
    assert list(ax.containers[0].lines[0].get_ydata()) == pytest.approx(list(result.table["mean_ms"]))
    assert list(right.containers[0].lines[0].get_ydata()) == pytest.approx(
        list(result.table["cost_usd"] * 1_000_000)
    )
    assert all(container.has_yerr for container in (*ax.containers, *right.containers))


def test_a_winner_is_a_filled_star_and_has_its_name() -> None:
    ax = plots.power_tuning(tuning(cpu_ms=1, wait_ms=40))
    right = right_axes(ax)
    star = right.lines[-1]
    assert (star.get_marker(), list(star.get_xdata())) == ("*", [128])
    assert star.get_markerfacecolor() == star.get_markeredgecolor()
    assert texts(right)[1] == "cheapest"


def test_an_undecided_winner_is_an_open_star_with_a_question_mark() -> None:
    ax = plots.power_tuning(tuning("flat"))
    right = right_axes(ax)
    star = right.lines[-1]
    assert star.get_marker() == "*"
    # Cost is flat up to one vCPU, so that no size is the cheapest for certain.
    assert star.get_markerfacecolor() == "white"
    assert texts(right)[1] == "cheapest?"


@pytest.mark.parametrize(("columns", "decided"), [(1, True), (2, False)])
@pytest.mark.parametrize("others", [1.1, 2, 8])
@pytest.mark.parametrize(
    ("cheapest_mb", "fastest_mb"), [(128, 128), (128, 256), (512, 512), (1769, 3008), (3008, 3008)]
)
def test_the_names_of_both_stars_hide_neither_each_other_nor_a_star(
    cheapest_mb: int, fastest_mb: int, others: float, decided: bool, columns: int
) -> None:
    """At the same and at neighbouring sizes, at both edges, at many heights, in a whole and half a figure."""
    result = best_at(cheapest_mb, fastest_mb, others, decided)
    assert [result.best(strategy).memory_mb for strategy in ("cost", "speed")] == [cheapest_mb, fastest_mb]
    ax = plots.power_tuning(result, plots.grid(1, columns, height_px=380)[0, -1])
    right = right_axes(ax)
    ax.figure.canvas.draw()
    fastest, cheapest = right.texts
    assert (fastest.get_text(), cheapest.get_text()) == (
        ("fastest", "cheapest") if decided else ("fastest?", "cheapest?")
    )
    fastest_box, cheapest_box = fastest.get_window_extent(), cheapest.get_window_extent()
    assert not fastest_box.overlaps(cheapest_box)
    for box in (fastest_box, cheapest_box):
        assert not any(box.overlaps(star.get_window_extent()) for star in (ax.lines[-1], right.lines[-1]))
        assert ax.bbox.x0 <= box.x0 and ax.bbox.y0 <= box.y0
        assert box.x1 <= ax.bbox.x1 and box.y1 <= ax.bbox.y1


def test_failed_sizes_are_named() -> None:
    twice = Failure(128, 2, "Sandbox.Timedout", "Task timed out after 3.00 seconds")
    ax = plots.power_tuning(tuning(failures=(OUT_OF_MEMORY, twice)))
    assert "Runtime.OutOfMemory, Sandbox.Timedout" in texts(right_axes(ax))
    assert tick_labels(ax)[0] == "128"


def test_a_run_in_which_every_size_failed_is_refused() -> None:
    with pytest.raises(ValueError, match="No memory size of resize could be measured"):
        plots.power_tuning(tuning(sizes_mb=(128,), failures=(OUT_OF_MEMORY,)))


def test_samples_without_any_spread_are_drawn() -> None:
    """Their mean may differ from the ends of its interval by rounding, in either direction."""
    ax = plots.power_tuning(tuning(cpu_ms=0.1 + 0.2, spread=0))
    assert len(ax.containers[0].lines[0].get_ydata()) == len(SIZES_MB)


def test_a_prediction_is_dashed_under_the_measured_curve_and_prints_its_error() -> None:
    measured, predicted = tuning(wait_ms=5), prediction()
    ax = plots.power_tuning(measured, prediction=predicted)
    right = right_axes(ax)
    for axes, column, scale in ((ax, "duration_ms", 1), (right, "cost_usd", 1_000_000)):
        curve = axes.containers[0].lines[0]
        dashed = next(line for line in axes.lines if line.get_linestyle() == "--" and len(line.get_xdata()))
        assert list(dashed.get_xdata()) == list(predicted.table.index)
        assert list(dashed.get_ydata()) == pytest.approx(list(predicted.table[column] * scale))
        assert dashed.get_zorder() < curve.get_zorder()
    assert legend(right) == [f"predicted, error {predicted.error(measured):.1%}"]


def test_a_prediction_beside_nothing_but_its_source_has_no_error() -> None:
    source = tuning(sizes_mb=(1769,))
    ax = plots.power_tuning(source, prediction=predict(source, sizes=SIZES_MB))
    assert legend(right_axes(ax)) == ["predicted"]
    assert tick_labels(ax) == ["128", "256", "512", "1,024", "1,769", "3,008"]


def test_every_size_has_a_tick_and_those_with_room_a_label() -> None:
    sizes_mb = range(128, 3009, 64)
    ax = plots.comparison(compare(tuning(sizes_mb=sizes_mb), tuning(sizes_mb=(128, 3008)), ("all", "two")))
    strip = strip_axes(ax)
    labels = tick_labels(strip)
    assert 6 <= len(labels) <= 20
    assert labels[-1] == "3,008"
    assert set(sizes_mb) <= {*strip.get_xticks(), *strip.get_xticks(minor=True)}


def test_memory_law_beside_measurements_and_published_shares() -> None:
    ax = plots.memory_law({"CPU-bound": tuning()})
    assert legend(ax) == ["memory law", "on AWS, published", "CPU-bound"]
    law, shares = ax.lines[0], ax.lines[1]
    assert law.get_ydata()[0] == pytest.approx(1769 / 128)
    assert len(shares.get_xdata()) == len(published.cpu_shares())
    measured = ax.containers[0].lines[0]
    assert measured.get_ydata()[0] == pytest.approx(1769 / 128, rel=0.05)


def test_memory_law_needs_the_size_of_one_vcpu() -> None:
    failure = Failure(1769, 1, "Runtime.ExitError", "signal: killed")
    with pytest.raises(ValueError, match=r"1,769 MB, which CPU-bound lacks: \[128, 256, 512, 1024, 3008\]"):
        plots.memory_law({"CPU-bound": tuning(failures=(failure,))})


def test_memory_law_needs_a_run() -> None:
    with pytest.raises(
        ValueError, match="This chart needs at least one power tuning run, and was given none"
    ):
        plots.memory_law({})


def test_a_comparison_shows_both_runs_and_asks_its_question() -> None:
    of_two = architectures()
    ax = plots.comparison(of_two)
    assert title(ax) == "Is arm64 faster or cheaper than x86_64?"
    assert legend(ax) == ["x86_64", "arm64"]
    first, second = (container.lines[0] for container in ax.containers)
    assert list(first.get_ydata()) == pytest.approx(list(of_two.first.table["mean_ms"]))
    assert list(second.get_ydata()) == pytest.approx(list(of_two.second.table["mean_ms"]))
    assert (first.get_linestyle(), second.get_linestyle()) == ("--", "-")


def test_a_comparison_shows_the_change_with_its_interval() -> None:
    of_two = architectures()
    strip = strip_axes(plots.comparison(of_two))
    table = of_two.table
    of_durations, of_costs = strip.containers[: len(table)], strip.containers[len(table) :]
    for containers, measure in ((of_durations, "duration"), (of_costs, "cost")):
        for container, (_, row) in zip(containers, table.iterrows(), strict=True):
            (segment,) = container.lines[2][0].get_segments()
            shown = [container.lines[0].get_ydata()[0], *segment[:, 1]]
            assert shown == pytest.approx([row[f"{measure}_change{end}"] for end in ("", "_low", "_high")])
    assert strip.get_ylabel() == "Change"


def test_a_change_is_filled_only_where_its_interval_leaves_out_zero() -> None:
    strip = strip_axes(plots.comparison(architectures()))
    filled = [container.lines[0].get_markerfacecolor() != "white" for container in strip.containers]
    table = architectures().table
    certain = [
        low > 0 or high < 0
        for name in ("duration_change", "cost_change")
        for low, high in zip(table[f"{name}_low"], table[f"{name}_high"], strict=True)
    ]
    assert filled == certain
    # arm64 is cheaper at every size here, and not faster at every size.
    assert all(certain[len(SIZES_MB) :]) and not all(certain[: len(SIZES_MB)])


def test_a_change_without_an_interval_is_not_shown_as_certain() -> None:
    """Below five invocations a size there is no bootstrap interval."""
    every = tuning()
    few = replace(every, invocations=every.invocations[every.invocations["round"] <= 3])
    strip = strip_axes(plots.comparison(compare(few, tuning(cpu_ms=40), ("few", "slow"))))
    assert {container.lines[0].get_markerfacecolor() for container in strip.containers} == {"white"}
    assert np.isfinite([container.lines[0].get_ydata()[0] for container in strip.containers]).all()
