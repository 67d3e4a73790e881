"""What the charts share: the style sheet, new axes, how one series differs from the next, and legends."""

import functools
import textwrap
from collections.abc import Callable, Sequence, Sized
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike

from helpers.statistics import Estimate

STYLE_PATH = Path(__file__).parent.parent / "workshop.mplstyle"

DURATION_COLOR, COST_COLOR, PUBLISHED_COLOR = "#0072B2", "#D55E00", "#666666"
BAR_GREY = "#999999"
LINE_STYLES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (3, 1, 1, 1)), (0, (1, 0.6)))
MARKERS = "osD^vPX"
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---", "+++")

NOTE_SIZE = 9
ABOVE_LINES_BELOW_SPINES = 2.4
NOTE_STYLE: dict[str, Any] = {
    "fontsize": NOTE_SIZE,
    "path_effects": [withStroke(linewidth=3, foreground="white")],
    "zorder": ABOVE_LINES_BELOW_SPINES,
}
NOTE_CHARACTER_PX, LABEL_CHARACTER_PX, TITLE_CHARACTER_PX = 7, 8, 9
CELL_MARGIN_PX = 10
LEGEND_HANDLE_PX = 68
LEGEND_LABEL_CHARACTERS = 36
CATEGORY_CHARACTERS = 24

# Values, low ends and high ends.
Intervals = tuple[ArrayLike, ArrayLike, ArrayLike]
Inputs = ParamSpec("Inputs")
Drawn = TypeVar("Drawn")


def styled(chart: Callable[Inputs, Drawn]) -> Callable[Inputs, Drawn]:
    """Draw a chart in the style of the workshop, and leave the reader's own style as it is."""

    @functools.wraps(chart)
    def draw(*inputs: Inputs.args, **named_inputs: Inputs.kwargs) -> Drawn:
        with plt.style.context(STYLE_PATH):
            drawn = chart(*inputs, **named_inputs)
            interactive = matplotlib.is_interactive()
        # A notebook's backend switches this on with the first figure; leaving the style must not undo it.
        matplotlib.interactive(interactive)
        return drawn

    return draw


@styled
def grid(rows: int, columns: int, height_px: int) -> np.ndarray:
    """New axes for several charts side by side, as an array of that shape, 800 px wide together."""
    dots_per_inch = plt.rcParams["figure.dpi"]
    size = (plt.rcParams["figure.figsize"][0], height_px / dots_per_inch)
    axes: np.ndarray = plt.subplots(rows, columns, figsize=size, squeeze=False)[1]
    return axes


def require_any(given: Sized, what: str) -> None:
    """Raise ValueError when there is nothing to draw."""
    if len(given) == 0:
        raise ValueError(f"This chart needs at least one {what}, and was given none.")


def new_axes() -> Axes:
    return plt.subplots()[1]


def strip_below(ax: Axes, share: float) -> Axes:
    """New axes below `ax` on the same x-axis, which take this share of its height.

    Raises ValueError for axes that were placed by hand, because only the cell of a grid can be split.
    """
    cell = ax.get_subplotspec()
    if cell is None:
        raise ValueError(
            "This chart has two panels and splits the cell of a grid: give it axes of plots.grid or "
            "plt.subplots, not axes placed by hand."
        )
    panels = cell.subgridspec(2, 1, height_ratios=(1 - share, share))
    ax.set_subplotspec(panels[0])
    strip: Axes = ax.figure.add_subplot(panels[1], sharex=ax)
    ax.tick_params(labelbottom=False)
    return strip


def series_color(number: int) -> str:
    """A colour of the style; Matplotlib's "C0" would be looked up when the style is no longer in force."""
    colors: list[str] = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    return colors[number % len(colors)]


def line_style(number: int) -> dict[str, Any]:
    """Colour and dashes of a line, by the number of its series: no two of seven share either."""
    return {"color": series_color(number), "linestyle": LINE_STYLES[number % len(LINE_STYLES)]}


def bar_style(number: int) -> dict[str, Any]:
    """Colour and hatch of bars, by the number of their series: no two of seven share either.

    Grey takes the place of black, in which black intervals would vanish.
    """
    color = series_color(number)
    return {
        "facecolor": BAR_GREY if color == "#000000" else color,
        "hatch": HATCHES[number % len(HATCHES)],
        "edgecolor": "white",
        "linewidth": 0,
    }


def marker(number: int) -> str:
    return MARKERS[number % len(MARKERS)]


def set_title(ax: Axes, title: str) -> None:
    """Write a title over as many lines as it takes; last, when what stands beside the axes is there."""
    ax.set_title(_title_lines(ax, title))


def set_x_label(ax: Axes, label: str) -> None:
    """Name the x-axis over as many lines as it takes; after the y-axis, which takes room from it."""
    ax.set_xlabel(textwrap.fill(label, width_px(ax) // LABEL_CHARACTER_PX))


def legend_above(ax: Axes, title: str = "") -> None:
    """A legend that hides no data, below the title and in as many columns as fit."""
    handles, labels = ax.get_legend_handles_labels()
    labels = [textwrap.fill(label, LEGEND_LABEL_CHARACTERS) for label in labels]
    longest = max(len(line) for label in labels for line in label.splitlines())
    columns = max(1, width_px(ax) // (longest * NOTE_CHARACTER_PX + LEGEND_HANDLE_PX))
    ax.legend(
        handles,
        labels,
        ncols=min(columns, len(labels)),
        loc="lower left",
        bbox_to_anchor=(0, 1.02),
        borderaxespad=0,
        borderpad=0,
        alignment="left",
        title=_title_lines(ax, title) or None,
        title_fontproperties={
            "size": plt.rcParams["axes.titlesize"],
            "weight": plt.rcParams["axes.titleweight"],
        },
    )


def note(ax: Axes, text: str, point: tuple[float, float], offset: tuple[float, float], **style: Any) -> None:
    """Small text at a distance in points from a point of the data, readable also on top of lines."""
    style = {"ha": "center", **NOTE_STYLE, **style}
    ax.annotate(text, point, xytext=offset, textcoords="offset points", **style)


def points_with_intervals(
    ax: Axes, positions: ArrayLike, intervals: Intervals, horizontal: bool = False, **style: Any
) -> None:
    """Points at `positions` on the x-axis (horizontal: on the y-axis), with the intervals of their values."""
    value, low, high = (np.asarray(column, dtype=float) for column in intervals)
    # Rounding may leave a value a hair outside of its interval, and Matplotlib refuses negative lengths.
    lengths = np.clip([value - low, high - value], 0, None)
    if horizontal:
        ax.errorbar(value, positions, xerr=lengths, **style)
    else:
        ax.errorbar(positions, value, yerr=lengths, **style)


def columns(estimates: Sequence[Estimate]) -> Intervals:
    return (
        [estimate.value for estimate in estimates],
        [estimate.low for estimate in estimates],
        [estimate.high for estimate in estimates],
    )


def number_text(value: float) -> str:
    """A number of three digits or more, with separators of thousands: 0.0123, 4.5, 12,345."""
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def width_px(ax: Axes) -> int:
    """About how wide the axes become: their cell of the figure without what stands beside them."""
    inside = ax.get_window_extent().width
    cell = ax.get_subplotspec()
    if cell is None:
        return int(inside)
    in_cell = (other for other in ax.figure.axes if other.get_subplotspec() == cell)
    extents = (other.get_tightbbox(for_layout_only=True) for other in in_cell)
    with_labels = Bbox.union([extent for extent in extents if extent is not None])
    of_figure = cell.get_topmost_subplotspec()
    share = len(of_figure.colspan) / of_figure.get_gridspec().ncols
    beside = with_labels.width - inside
    return int(ax.figure.bbox.width * share - beside - CELL_MARGIN_PX)


def _title_lines(ax: Axes, title: str) -> str:
    return textwrap.fill(title, width_px(ax) // TITLE_CHARACTER_PX)
