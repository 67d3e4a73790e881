"""What each chart shows: its curves, intervals, labels and units. The pictures were looked at by eye."""

import math
from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from nbclient import NotebookClient

from helpers import plots, pricing, published
from helpers.tuning_result import INVOCATION_COLUMNS, Failure, TuningResult

matplotlib.use("agg")

SIZES_MB = (128, 512, 1769, 3008)


@pytest.fixture(autouse=True)
def no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def tuning(name: str, duration_of_full_vcpu_ms: float, failures: tuple[Failure, ...] = ()) -> TuningResult:
    noise = np.random.default_rng(5)
    rows = []
    for size in SIZES_MB:
        if size in [failure.memory_mb for failure in failures]:
            continue
        for number in range(1, 11):
            duration = duration_of_full_vcpu_ms * max(1, 1769 / size) * noise.normal(1, 0.01)
            usd = pricing.invocation_usd(duration, size)
            rows.append((number, size, duration, math.nan, math.ceil(duration), 30, usd))
    invocations = pd.DataFrame(rows, columns=list(INVOCATION_COLUMNS))
    return TuningResult(name, "x86_64", 0.2, invocations, failures, None)


def tick_labels(ax: Axes) -> list[str]:
    ax.figure.canvas.draw()
    return [label.get_text() for label in ax.get_xticklabels()]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: Axes) -> list[str]:
    shown = ax.get_legend()
    assert shown is not None
    return [text.get_text() for text in shown.get_texts()]


def test_a_figure_is_800_pixels_wide() -> None:
    figure = plots.provisioned_break_even().figure
    assert list(figure.get_size_inches() * figure.dpi) == [800, 450]


def test_a_chart_draws_into_the_axes_it_is_given() -> None:
    axes = plots.grid(1, 2, height_px=300)
    assert plots.provisioned_break_even(axes[0, 1]) is axes[0, 1]
    assert not axes[0, 0].lines
    figure = axes[0, 0].figure
    assert list(figure.get_size_inches() * figure.dpi) == [800, 300]


def test_the_style_does_not_leak() -> None:
    before = plt.rcParams["axes.grid"], plt.rcParams["figure.figsize"]
    plots.provisioned_break_even()
    assert (plt.rcParams["axes.grid"], plt.rcParams["figure.figsize"]) == before


def test_every_chart_is_shown_in_a_notebook() -> None:
    draw = "from helpers import plots\nplots.provisioned_break_even();"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(draw) for _ in range(2)])
    NotebookClient(notebook, kernel_name="python3").execute()
    for cell in notebook.cells:
        assert [list(output.data) for output in cell.outputs] == [["text/plain", "image/png"]]


def test_power_tuning_shows_duration_and_cost_with_intervals() -> None:
    result = tuning("resize", 20)
    ax = plots.power_tuning(result)
    right = next(other for other in ax.figure.axes if other is not ax)
    assert (ax.get_ylabel(), right.get_ylabel()) == ("Duration (ms)", "Cost (USD per million)")
    assert ax.get_title(loc="left") == "resize"
    assert tick_labels(ax) == ["128", "512", "1,769", "3,008"]
    assert list(ax.containers[0].lines[0].get_ydata()) == pytest.approx(list(result.table["mean_ms"]))
    assert list(right.containers[0].lines[0].get_ydata()) == pytest.approx(
        list(result.table["cost_usd"] * 1_000_000)
    )
    assert all(container.has_yerr for container in (*ax.containers, *right.containers))
    assert (texts(ax), texts(right)) == (["fastest"], ["cheapest"])


def test_an_undecided_winner_is_an_open_star() -> None:
    ax = plots.power_tuning(tuning("flat", 20))
    right = next(other for other in ax.figure.axes if other is not ax)
    star = right.lines[-1]
    assert star.get_marker() == "*"
    # Cost is flat up to one vCPU, so that no size is the cheapest for certain.
    assert star.get_markerfacecolor() == "white"


def test_failed_sizes_are_named() -> None:
    failure = Failure(128, 1, "Runtime.ExitError", "signal: killed")
    ax = plots.power_tuning(tuning("hog", 20, (failure,)))
    assert "Runtime.ExitError" in texts(ax)
    assert tick_labels(ax)[0] == "128"


def test_memory_law_beside_measurements_and_published_shares() -> None:
    ax = plots.memory_law({"CPU-bound": tuning("cpu", 20)})
    assert legend(ax) == ["memory law", "on AWS, published", "CPU-bound"]
    law, shares = ax.lines[0], ax.lines[1]
    assert law.get_ydata()[0] == pytest.approx(1769 / 128)
    assert len(shares.get_xdata()) == len(published.cpu_shares())
    measured = ax.containers[0].lines[0]
    assert measured.get_ydata()[0] == pytest.approx(1769 / 128, rel=0.05)


def test_memory_law_needs_the_size_of_one_vcpu() -> None:
    failure = Failure(1769, 1, "Runtime.ExitError", "signal: killed")
    with pytest.raises(ValueError, match=r"1,769 MB, which CPU-bound lacks: \[128, 512, 3008\]"):
        plots.memory_law({"CPU-bound": tuning("cpu", 20, (failure,))})


def test_distributions_have_a_band() -> None:
    ours = {"plain": [1.0, 2.0, 3.0, 4.0], "with boto3": [5.0, 6.0]}
    ax = plots.distributions(ours, {"on AWS": {50: 3.0, 99: 7.0}})
    assert legend(ax) == ["plain (n=4)", "with boto3 (n=2)", "on AWS"]
    assert list(zip(*ax.lines[2].get_data(), strict=True)) == [(3.0, 0.5), (7.0, 0.99)]
    assert ax.get_xlabel() == "Init Duration (ms)"
    assert list(ax.lines[0].get_ydata()) == [0.25, 0.5, 0.75, 1.0]
    assert len(ax.collections) == 2


def test_percentile_bars_say_what_they_cannot_show() -> None:
    ours = list(np.random.default_rng(2).normal(50, 5, size=40))
    on_aws = published.init_percentiles("python3.12", 512)
    ax = plots.percentile_bars({"here": ours}, {"on AWS": on_aws})
    assert legend(ax) == ["here (n=40)", "on AWS"]
    assert tick_labels(ax) == ["p50", "p90", "p99"]
    assert texts(ax) == ["needs 368\nsamples, has 40"]
    heights = [bar.get_height() for bar in ax.patches]
    assert float(np.percentile(ours, 90)) in heights
    assert on_aws[99] in heights


def test_init_by_package_size_names_label_and_size() -> None:
    rows = [("small", 0.1, 50.0, 45.0, 56.0), ("large", 20.0, 210.0, 190.0, 240.0)]
    columns = ["label", "package_mb", "init_ms", "init_low_ms", "init_high_ms"]
    ax = plots.init_by_package_size(pd.DataFrame(rows, columns=columns))
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["small\n0.1 MB", "large\n20.0 MB"]
    assert ax.get_xlabel() == "Init Duration, median (ms)"
    assert [bar.get_width() for bar in ax.patches] == [50.0, 210.0]
    assert any(getattr(container, "has_xerr", False) for container in ax.containers)


def test_break_even_is_where_the_lines_cross() -> None:
    ax = plots.provisioned_break_even()
    assert texts(ax) == ["60%", "−16.7%", "60%", "−16.7%"]
    on_demand, provisioned, dot = ax.lines[:3]
    utilization, cost = dot.get_xdata()[0], dot.get_ydata()[0]
    for line in (on_demand, provisioned):
        assert np.interp(utilization, line.get_xdata(), line.get_ydata()) == pytest.approx(cost, rel=1e-6)
