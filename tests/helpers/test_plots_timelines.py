"""The chart of execution environments: what each does when, and how many at once."""

import math
from collections.abc import Iterator

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from charts import legend, strip_axes, title
from matplotlib.axes import Axes

from helpers import plots

COLUMNS = ["environment", "started_s", "init_duration_ms", "duration_ms", "cold_start"]


@pytest.fixture(autouse=True)
def no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")


def timeline(*invocations: tuple[str, float, float, float, bool]) -> pd.DataFrame:
    return pd.DataFrame(list(invocations), columns=COLUMNS)


def bars(ax: Axes) -> dict[str, list[tuple[int, float, float]]]:
    """Row, begin and end (s) of every bar, by its label."""
    return {
        container.get_label(): [
            (round(bar.get_y() + bar.get_height() / 2), bar.get_x(), bar.get_x() + bar.get_width())
            for bar in container.patches
        ]
        for container in ax.containers
    }


def test_each_environment_has_a_row_with_its_phases() -> None:
    ax = plots.environments(
        timeline(
            ("second", 0.25, 250, 500, True),
            ("first", 0.0, 250, 250, True),
            ("first", 1.0, math.nan, 125, False),
        )
    )
    assert bars(ax) == {
        "INIT": [(1, 0.0, 0.25), (2, 0.25, 0.5)],
        "INVOKE, cold start": [(1, 0.25, 0.5), (2, 0.5, 1.0)],
        "INVOKE, warm start": [(1, 1.0, 1.125)],
    }
    assert legend(ax) == ["INIT", "INVOKE, cold start", "INVOKE, warm start"]
    assert (ax.get_ylabel(), strip_axes(ax).get_xlabel()) == ("Environment", "Time (s)")


def test_the_number_of_busy_environments_is_shown_below() -> None:
    ax = plots.environments(
        timeline(
            ("first", 0.0, math.nan, 1000, False),
            ("second", 0.5, math.nan, 1000, False),
            ("third", 1.0, math.nan, 250, False),
        )
    )
    line = strip_axes(ax).lines[0]
    changes = list(zip(line.get_xdata(), line.get_ydata(), strict=True))
    # The third begins when the first ends, so that never more than two are busy.
    assert changes == [(0.0, 1), (0.5, 2), (1.0, 1), (1.0, 2), (1.25, 1), (1.5, 0)]
    assert title(ax) == "3 environments, at most 2 busy at once"


def test_init_counts_as_busy() -> None:
    ax = plots.environments(
        timeline(("first", 0.0, 500, 100, True), ("second", 0.4, math.nan, 100, False)),
    )
    assert title(ax) == "2 environments, at most 2 busy at once"


def test_the_legend_has_only_what_happened() -> None:
    ax = plots.environments(timeline(("first", 0.0, math.nan, 100, False)))
    assert legend(ax) == ["INVOKE, warm start"]
    assert title(ax) == "1 environment, at most 1 busy at once"


def test_the_rows_can_have_a_title_of_their_own() -> None:
    ax = plots.environments(timeline(("first", 0.0, 200, 100, True)), title="Who starts cold?")
    assert title(ax) == "Who starts cold?"


def test_a_timeline_without_invocations_is_refused() -> None:
    with pytest.raises(ValueError, match="needs one invocation at least"):
        plots.environments(timeline())
