"""Every chart beside a reference picture, and its texts where one can read them.

After a change of a chart, draw the pictures anew, and look at each of them before you commit it:

    .venv/bin/pytest tests/helpers -k looks_like --mpl-generate-path tests/helpers/baseline
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from charts import DRAWINGS, EXTREMES, Drawing, drawn_texts
from matplotlib.figure import Figure

from helpers import plots

PICTURES = Path(__file__).parent / "baseline"
# Without hinting, glyphs depend less on the release of FreeType.
STYLE = ["default", {"text.hinting": "none"}]
# Root mean square over all pixels, of 255. Matplotlib 3.11.0 draws what 3.11.2 draws, to the pixel; a star
# that is filled instead of open is 2.4 off, a word that is missing 2.8, a curve without its intervals 2.9.
TOLERANCE = 2
SMALLEST_FONT_PT = 9

ALL_DRAWINGS = {**DRAWINGS, **EXTREMES}


@pytest.fixture(autouse=True)
def no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.mark.mpl_image_compare(style=STYLE, tolerance=TOLERANCE)
@pytest.mark.parametrize("name", DRAWINGS)
def test_looks_like(name: str) -> Figure:
    return DRAWINGS[name](None).figure


def test_pictures_are_compared(pytestconfig: pytest.Config) -> None:
    """Without the option, pytest-mpl lets every picture pass."""
    assert pytestconfig.getoption("--mpl")


def test_every_chart_has_a_picture_and_every_picture_a_chart() -> None:
    charts = set(plots.__all__) - {"grid"}
    assert {chart for chart in charts if not any(name.startswith(chart) for name in DRAWINGS)} == set()
    assert {path.name for path in PICTURES.iterdir()} == {f"test_looks_like_{name}.png" for name in DRAWINGS}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_texts_are_readable_in_a_figure_of_its_own(draw: Drawing) -> None:
    assert_readable(draw(None).figure)


@pytest.mark.parametrize("draw", ALL_DRAWINGS.values(), ids=ALL_DRAWINGS)
def test_texts_are_readable_in_half_a_figure(draw: Drawing) -> None:
    right_half = plots.grid(1, 2, height_px=450)[0, 1]
    assert_readable(draw(right_half).figure)


def assert_readable(figure: Figure) -> None:
    """No text is small, cut at the edge of the figure, or written over another one."""
    shown = list(drawn_texts(figure))
    extents = [text.get_window_extent() for text in shown]
    width_px, height_px = figure.bbox.size
    for text, extent in zip(shown, extents, strict=True):
        assert text.get_fontsize() >= SMALLEST_FONT_PT, text
        assert extent.x0 >= -1 and extent.y0 >= -1, f"{text} is cut at the left or at the bottom"
        assert extent.x1 <= width_px + 1 and extent.y1 <= height_px + 1, f"{text} is cut at the right or top"
    for (text, extent), (other, other_extent) in combinations(zip(shown, extents, strict=True), 2):
        assert not extent.padded(-1).overlaps(other_extent.padded(-1)), f"{text} and {other} overlap"
