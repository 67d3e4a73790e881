"""Charts of bars: amounts, parts of a latency, Init Duration by package."""

from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from charts import packages, parts, texts, title
from matplotlib.axes import Axes

from helpers import plots
from helpers.statistics import Estimate


@pytest.fixture(autouse=True)
def no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def row_labels(ax: Axes) -> list[str]:
    ax.figure.canvas.draw()
    return [label.get_text() for label in ax.get_yticklabels()]


def test_amounts_are_written_at_their_bars() -> None:
    values = pd.Series({"no filter": 12_345, "filter": 1_234.5, "small": 0.01234, "none": 0})
    ax = plots.amounts(values, "Invocations", title="How many invocations does the filter save?")
    assert [bar.get_width() for bar in ax.patches] == [12_345, 1_234.5, 0.01234, 0]
    assert texts(ax) == ["12,345", "1,234", "0.0123", "0"]
    assert row_labels(ax) == ["no filter", "filter", "small", "none"]
    assert ax.get_xlabel() == "Invocations"
    assert title(ax) == "How many invocations does the filter save?"


def test_the_first_variant_is_at_the_top() -> None:
    ax = plots.amounts(pd.Series({"first": 1, "second": 2}), "Invocations")
    first, second = ax.patches
    assert first.get_window_extent().y0 > second.get_window_extent().y1


def test_the_parts_of_a_latency_follow_each_other() -> None:
    ax = plots.latency_breakdown(parts())
    assert row_labels(ax) == ["through a function", "direct integration"]
    bars = [bar for container in ax.containers for bar in container.patches]
    through_function, direct = bars[0::2], bars[1::2]
    assert [(bar.get_x(), bar.get_width()) for bar in through_function] == [
        (0, 12),
        (12, 25),
        (37, 8.5),
        (45.5, 1),
    ]
    # A part that a variant lacks takes no time.
    assert [(bar.get_x(), bar.get_width()) for bar in direct] == [(0, 11), (11, 0), (11, 8.5), (19.5, 1)]
    assert len({bar.get_hatch() for bar in through_function}) == 4
    assert ax.get_xlabel() == "Latency (ms)"


def test_numbers_are_written_where_a_part_has_room_for_them() -> None:
    assert sorted(texts(plots.latency_breakdown(parts()))) == ["11", "12", "25", "8.5", "8.5"]


def test_a_total_is_shown_with_its_interval() -> None:
    ax = plots.latency_breakdown(parts(), totals={"direct integration": Estimate(21, 19.5, 24)})
    container = next(container for container in ax.containers if getattr(container, "has_xerr", False))
    (segment,) = container.lines[2][0].get_segments()
    assert segment.tolist() == [[19.5, 1], [24, 1]]
    assert list(container.lines[0].get_xdata()) == [21]


def test_a_total_of_an_unknown_variant_is_refused() -> None:
    with pytest.raises(ValueError, match="one of the variants through a function, direct integration, not"):
        plots.latency_breakdown(parts(), totals={"directly": Estimate(21, 19.5, 24)})


def test_init_by_package_size_names_label_and_size() -> None:
    ax = plots.init_by_package_size(packages())
    assert row_labels(ax) == ["small\n0.1 MB", "large\n20.0 MB"]
    assert ax.get_xlabel() == "Init Duration, median (ms)"
    assert [bar.get_width() for bar in ax.patches] == [50.0, 210.0]
    assert any(getattr(container, "has_xerr", False) for container in ax.containers)


@pytest.mark.parametrize(
    ("draw", "what"),
    [
        (lambda: plots.amounts(pd.Series(dtype=float), "Invocations"), "variant"),
        (lambda: plots.latency_breakdown(parts().iloc[:0]), "variant"),
        (lambda: plots.init_by_package_size(packages().iloc[:0]), "package"),
    ],
)
def test_bars_of_nothing_are_refused(draw: Callable[[], Axes], what: str) -> None:
    with pytest.raises(ValueError, match=f"This chart needs at least one {what}, and was given none"):
        draw()
