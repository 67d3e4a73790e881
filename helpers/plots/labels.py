"""Notes that find their own place beside a point of the data.

The library for that, adjustText, does not do it on twin axes (its issue 124), and wants to be called when the
layout is final (its wiki). Power tuning has twin axes, and its chart may be a part of a larger figure.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox, BboxBase

from helpers.plots.style import NOTE_STYLE

# Where a note stands, seen from its point: left, centred or right of it; below, level with or above it.
Side = tuple[Literal[-1, 0, 1], Literal[-1, 0, 1]]

ABOVE: Side = (0, 1)
BELOW: Side = (0, -1)
BELOW_RIGHT: Side = (1, -1)
SIDES: Sequence[Side] = (ABOVE, BELOW, (1, 1), (-1, 1), BELOW_RIGHT, (-1, -1), (1, 0), (-1, 0))

HORIZONTAL = {-1: "right", 0: "center", 1: "left"}
VERTICAL = {-1: "top", 0: "center", 1: "bottom"}
CLEARANCE_PX = 2
# A note two or three times as far away seems to be of no point: only where there is no other place.
STEPS = (1, 2, 3)


def place_note(
    ax: Axes,
    text: str,
    point: tuple[float, float],
    preferred: Side,
    distance: float,
    *beside: Axes,
    **style: Any,
) -> None:
    """A `note` at a distance in points from a point of the data, at the side of it where it does least harm.

    It keeps inside of `ax` and clear of everything that `ax`, and other axes at the same place (`beside`),
    have when it is added: of words, legends and single marks first, of lines and intervals second. It stands
    nearer to its point than to any other single mark. Of sides that are equally good it takes the preferred
    one. With `xycoords` the point is one of other axes.
    """
    others = [artist for axes in (ax, *beside) for artist in axes.get_children() if artist.get_visible()]
    ax.add_artist(_PlacedNote(text, point, preferred, distance, ax.bbox, others, **style))


class _PlacedNote(Annotation):
    """Chooses its side whenever the figure is drawn: the layout, and so what lies where, is not known before.

    Of other artists, those above it in order would hide it; of those below, it would hide the lines.
    """

    def __init__(
        self,
        text: str,
        point: tuple[float, float],
        preferred: Side,
        distance: float,
        inside: BboxBase,
        others: Sequence[Any],
        **style: Any,
    ) -> None:
        style = {**NOTE_STYLE, **style}
        super().__init__(text, point, (0, 0), textcoords="offset points", clip_on=False, **style)
        self._sides = sorted(SIDES, key=lambda side: side != preferred)
        self._distance = distance
        self._inside = inside
        self._above = [artist for artist in others if artist.get_zorder() >= self.get_zorder()]
        below = (artist for artist in others if artist.get_zorder() < self.get_zorder())
        self._lines = [artist for artist in below if _is_drawn_line(artist)]
        self._marks = [artist for artist in self._above if isinstance(artist, Line2D)]

    def update_positions(self, renderer: RendererBase) -> None:
        super().update_positions(renderer)
        boxes = [_box_px(artist, renderer) for artist in self._above]
        paths = [path for artist in self._lines for path in _paths_px(artist)]
        marks = [artist.get_transform().transform(artist.get_xydata()) for artist in self._marks]
        point = self.get_transform().transform((0, 0))

        def harm(candidate: tuple[Side, int]) -> tuple[int, int, int]:
            side, steps = candidate
            place = self._stand(side, steps, renderer).padded(CLEARANCE_PX)
            reach_px = _distance_px(place, point) - CLEARANCE_PX
            misread = any(_distance_px(place, mark) < reach_px for points in marks for mark in points)
            return (
                sum(place.overlaps(box) for box in boxes) + misread,
                steps,
                sum(path.intersects_bbox(place, filled=False) for path in paths),
            )

        side, steps = min(product(self._sides, STEPS), key=harm)
        self._stand(side, steps, renderer)

    def _stand(self, side: Side, steps: int, renderer: RendererBase) -> Bbox:
        """Stand at a side of the point, moved into the axes if need be; returns the place in px."""
        horizontal, vertical = side
        offset = steps * self._distance * np.array(side)
        self.set(position=offset, ha=HORIZONTAL[horizontal], va=VERTICAL[vertical])
        place = Text.get_window_extent(self, renderer)
        inside = self._inside.padded(-2 * CLEARANCE_PX)
        too_low, too_high = np.subtract(inside.min, place.min), np.subtract(place.max, inside.max)
        shift_px = np.maximum(too_low, 0) - np.maximum(too_high, 0)
        self.set(position=offset + shift_px / renderer.points_to_pixels(1))
        return place.translated(*shift_px)


def _box_px(artist: Any, renderer: RendererBase) -> Bbox:
    # Notes are drawn in the order in which they were added: an earlier one has its place already.
    extent = Text.get_window_extent if isinstance(artist, _PlacedNote) else type(artist).get_window_extent
    return extent(artist, renderer)


def _distance_px(box: Bbox, point: np.ndarray) -> float:
    """How far a point outside of a box is from its nearest side or corner."""
    return float(np.hypot(*np.maximum(np.subtract(box.min, point), np.subtract(point, box.max)).clip(0)))


def _is_drawn_line(artist: Any) -> bool:
    """Whether it has lines from point to point, which caps of intervals have not."""
    if isinstance(artist, Line2D):
        return artist.get_linestyle() != "None"
    return isinstance(artist, LineCollection)


def _paths_px(artist: Line2D | LineCollection) -> list[Path]:
    paths = [artist.get_path()] if isinstance(artist, Line2D) else artist.get_paths()
    return [artist.get_transform().transform_path(path) for path in paths]
