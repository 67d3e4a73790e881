"""Notes that find their own place: in the axes, and clear of what is there before them."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from helpers.plots.labels import ABOVE, BELOW, BELOW_RIGHT, Side, place_note

MIDDLE = (0.5, 0.5)


@pytest.fixture
def ax() -> Iterator[Axes]:
    ax = plt.subplots(figsize=(8, 4.5), layout="constrained")[1]
    ax.set(xlim=(0, 1), ylim=(0, 1))
    yield ax
    plt.close("all")


def placed(
    ax: Axes, point: tuple[float, float] = MIDDLE, preferred: Side = ABOVE, *beside: Axes
) -> tuple[Bbox, tuple[float, float]]:
    """Where a new note stands, and where its point is, in px."""
    place_note(ax, "a note", point, preferred, 10, *beside)
    ax.figure.canvas.draw()
    return ax.texts[-1].get_window_extent(), tuple(ax.transData.transform(point))


def test_a_note_stands_at_the_preferred_side_where_that_is_free(ax: Axes) -> None:
    above, (_, y) = placed(ax, preferred=ABOVE)
    assert above.y0 > y
    below, (x, y) = placed(ax, preferred=BELOW)
    assert below.y1 < y and below.x0 < x < below.x1
    at_the_right, (x, y) = placed(ax, (0.8, 0.5), preferred=BELOW_RIGHT)
    assert at_the_right.y1 < y and at_the_right.x0 > x


def test_a_note_leaves_a_line_free(ax: Axes) -> None:
    ax.plot([0.4, 0.6], [0.55, 0.55])
    place, (_, y) = placed(ax, preferred=ABOVE)
    assert place.y1 < y


def test_a_note_leaves_an_interval_free(ax: Axes) -> None:
    ax.errorbar([0.5], [0.5], yerr=[0.2], fmt="none")
    place, (x, _) = placed(ax, preferred=ABOVE)
    assert not place.x0 <= x <= place.x1


def test_a_note_leaves_free_what_other_axes_have_at_the_same_place(ax: Axes) -> None:
    right = ax.twinx()
    right.set_ylim(0, 100)
    right.plot([0.4, 0.6], [55, 55])
    place, (_, y) = placed(ax, MIDDLE, ABOVE, right)
    assert place.y1 < y


def test_a_line_gives_way_to_another_word(ax: Axes) -> None:
    """Of lines everywhere, and a word above, the note rather hides a line."""
    for height in (0.42, 0.45, 0.5, 0.55, 0.58):
        ax.plot([0, 1], [height, height])
    first, _ = placed(ax, preferred=ABOVE)
    second, _ = placed(ax, preferred=ABOVE)
    assert not first.overlaps(second)


def test_a_note_stands_nearer_to_its_point_than_to_another_mark(ax: Axes) -> None:
    """Below its point on the right, the note would stand beside a dot that is there."""
    ax.plot(*MIDDLE, "o", zorder=4)
    ax.plot(0.51, 0.46, "o", zorder=4)
    place, (x, y) = placed(ax, preferred=BELOW_RIGHT)
    assert not (place.x0 > x and place.y1 < y)


def test_several_notes_of_one_point_stand_apart(ax: Axes) -> None:
    places = [placed(ax)[0] for _ in range(10)]
    assert all(
        not place.overlaps(other) for number, place in enumerate(places) for other in places[number + 1 :]
    )


@pytest.mark.parametrize("point", [(0, 0), (0, 1), (1, 0), (1, 1), (0.99, 0.5), (0.5, 0.01)])
def test_a_note_stays_in_its_axes(ax: Axes, point: tuple[float, float]) -> None:
    place, _ = placed(ax, point)
    assert ax.bbox.count_contains(place.corners()) == 4


def test_a_note_finds_its_place_anew_in_a_figure_of_another_size(ax: Axes) -> None:
    """Two points that are apart in a wide figure are neighbours in a narrow one."""
    for x in (0.5, 0.58):
        place_note(ax, "a rather long note", (x, 0.5), ABOVE, 10)
    for width in (30, 8, 4):
        ax.figure.set_size_inches(width, 4.5)
        ax.figure.canvas.draw()
        first, second = (note.get_window_extent() for note in ax.texts)
        assert not first.overlaps(second)
        assert (first.y0 == second.y0) == (width == 30)
