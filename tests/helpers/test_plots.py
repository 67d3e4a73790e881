"""What holds of every chart: its size, its axes, its style, and that a notebook shows it."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import nbformat
import pytest
from charts import architectures, latencies, timeline
from matplotlib.colors import to_rgb
from nbclient import NotebookClient

from helpers import plots
from helpers.plots.style import bar_style, line_style, marker, styled


@pytest.fixture(autouse=True)
def no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_a_figure_is_800_pixels_wide() -> None:
    figure = plots.provisioned_break_even().figure
    assert list(figure.get_size_inches() * figure.dpi) == [800, 450]


def test_a_chart_draws_into_the_axes_it_is_given() -> None:
    axes = plots.grid(1, 2, height_px=300)
    assert plots.provisioned_break_even(axes[0, 1]) is axes[0, 1]
    assert not axes[0, 0].lines
    figure = axes[0, 0].figure
    assert list(figure.get_size_inches() * figure.dpi) == [800, 300]


def test_a_chart_with_two_panels_stays_in_its_cell() -> None:
    axes = plots.grid(1, 2, height_px=450)
    ax = plots.environments(timeline(2, 3), axes[0, 1])
    ax.figure.canvas.draw()
    assert ax is axes[0, 1]
    strip = ax.figure.axes[-1]
    assert strip.get_position().y1 < ax.get_position().y0
    assert strip.get_position().x0 == pytest.approx(ax.get_position().x0)
    assert strip.get_position().x0 > axes[0, 0].get_position().x1


def test_a_chart_with_two_panels_refuses_axes_that_it_cannot_split() -> None:
    placed_by_hand = plt.figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with pytest.raises(ValueError, match=r"splits the cell of a grid: give it axes of plots\.grid"):
        plots.comparison(architectures(), placed_by_hand)


def test_the_style_does_not_leak() -> None:
    before = plt.rcParams["axes.grid"], plt.rcParams["figure.figsize"]
    plots.provisioned_break_even()
    assert (plt.rcParams["axes.grid"], plt.rcParams["figure.figsize"]) == before


def test_seven_series_differ_in_more_than_their_colours() -> None:
    @styled
    def styles() -> list[tuple[object, ...]]:
        lines, bars = [line_style(n) for n in range(7)], [bar_style(n) for n in range(7)]
        return [
            tuple(style["color"] for style in lines),
            tuple(style["linestyle"] for style in lines),
            tuple(style["facecolor"] for style in bars),
            tuple(style["hatch"] for style in bars),
            tuple(marker(n) for n in range(7)),
        ]

    assert [len(set(of_seven)) for of_seven in styles()] == [7, 7, 7, 7, 7]


def test_a_black_interval_can_be_seen_on_every_bar() -> None:
    ax = plots.percentile_bars({f"variant {n}": latencies(40, 100) for n in range(7)}, percents=(50,))
    intervals = [container for container in ax.containers if getattr(container, "has_yerr", False)]
    assert {tuple(to_rgb(bars.get_color()[0])) for _, _, (bars,) in intervals} == {(0, 0, 0)}
    # "Web Content Accessibility Guidelines 2.1", section 1.4.11: graphics differ by a contrast of 3 to 1.
    assert min(contrast(bar.get_facecolor()[:3], (0, 0, 0)) for bar in ax.patches) >= 3


def contrast(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """The contrast ratio of two sRGB colours (WCAG 2.1, "contrast ratio" and "relative luminance")."""
    linear = [
        [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
        for color in (first, second)
    ]
    low, high = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in linear)
    return (high + 0.05) / (low + 0.05)


def test_every_chart_is_shown_in_a_notebook() -> None:
    draw = "from helpers import plots\nplots.provisioned_break_even();"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(draw) for _ in range(2)])
    NotebookClient(notebook, kernel_name="python3").execute()
    for cell in notebook.cells:
        assert [list(output.data) for output in cell.outputs] == [["text/plain", "image/png"]]
