"""The state of an alarm by the data points that are there and those that are missing.

AWS: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data" (its tables) and
"Avoiding premature transitions to alarm state".
"""

from dataclasses import replace

import pytest

from helpers.local.services.alarms.datapoints import (
    HIGH_RESOLUTION_S,
    STANDARD_RESOLUTION_S,
    Datapoint,
    evaluation_range,
)
from helpers.local.services.alarms.definition import (
    ALARM,
    BREACHING,
    COMPARISONS,
    IGNORE,
    INSUFFICIENT_DATA,
    MISSING,
    NOT_BREACHING,
    OK,
    TREATMENTS,
    Definition,
)
from helpers.local.services.alarms.evaluation import evaluate
from helpers.local.services.alarms.reasons import reason

KEPT = None
THREE_OF_THREE = Definition("Average", None, 60, 3, 3, 10.0, COMPARISONS["GreaterThanThreshold"], MISSING)
TWO_OF_THREE = replace(THREE_OF_THREE, datapoints_to_alarm=2)
# 2026-01-01T00:00:00Z.
START_S = 1_767_225_600


def periods(drawn: str) -> list[Datapoint]:
    """As the user guide draws them, the newest on the right: 0 is within the threshold, X breaches it."""
    values = {"0": 5.0, "X": 15.0, "-": None}
    oldest_first = [
        Datapoint(START_S + 60 * number, values[each]) for number, each in enumerate(drawn.split())
    ]
    return oldest_first[::-1]


def states(definition: Definition, drawn: str) -> list[str | None]:
    """For each treatment of missing data, in the order of TREATMENTS."""
    treated = [replace(definition, treat_missing=each) for each in TREATMENTS]
    return [evaluate(each, periods(drawn)).state for each in treated]


def test_treatments_are_in_the_order_of_the_tables() -> None:
    assert TREATMENTS == (MISSING, IGNORE, BREACHING, NOT_BREACHING)


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ("0 - X - X", [OK, OK, OK, OK]),
        ("0 - - - -", [OK, OK, OK, OK]),
        ("- - - - -", [INSUFFICIENT_DATA, KEPT, ALARM, OK]),
        ("0 X X - X", [ALARM, ALARM, ALARM, ALARM]),
        ("- - X - -", [ALARM, KEPT, ALARM, OK]),
    ],
)
def test_three_out_of_three(drawn: str, expected: list[str | None]) -> None:
    """The first table of the page."""
    assert states(THREE_OF_THREE, drawn) == expected


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ("0 - X - X", [ALARM, ALARM, ALARM, ALARM]),
        ("0 0 X 0 X", [ALARM, ALARM, ALARM, ALARM]),
        ("0 - X - -", [OK, OK, ALARM, OK]),
        ("- - - - 0", [OK, OK, ALARM, OK]),
        ("- - - X -", [ALARM, KEPT, ALARM, OK]),
    ],
)
def test_two_out_of_three(drawn: str, expected: list[str | None]) -> None:
    """The second table of the page."""
    assert states(TWO_OF_THREE, drawn) == expected


@pytest.mark.parametrize("drawn", ["- - - - X", "- - - X -"])
def test_a_first_value_that_breaches_is_no_alarm_yet(drawn: str) -> None:
    """The page's examples of data that does not immediately put an alarm into the state ALARM."""
    assert states(THREE_OF_THREE, drawn)[:2] == [KEPT, KEPT]


def test_only_the_newest_periods_count_when_none_is_missing() -> None:
    assert set(states(THREE_OF_THREE, "X X X X 0")) == {OK}
    assert set(states(THREE_OF_THREE, "0 0 X X X")) == {ALARM}


@pytest.mark.parametrize(
    ("name", "below", "equal", "above"),
    [
        ("GreaterThanThreshold", False, False, True),
        ("GreaterThanOrEqualToThreshold", False, True, True),
        ("LessThanThreshold", True, False, False),
        ("LessThanOrEqualToThreshold", True, True, False),
    ],
)
def test_comparisons(name: str, below: bool, equal: bool, above: bool) -> None:
    """API reference, "PutMetricAlarm", ComparisonOperator: the statistic is the first operand."""
    definition = replace(THREE_OF_THREE, comparison=COMPARISONS[name])
    assert [definition.breaches(value) for value in (9.9, 10.0, 10.1)] == [below, equal, above]


@pytest.mark.parametrize(
    ("definition", "drawn", "expected"),
    [
        (
            TWO_OF_THREE,
            "0 0 X 0 X",
            "Threshold Crossed: 2 out of the last 3 datapoints [15.0 (01/01/26 00:04:00), "
            "15.0 (01/01/26 00:02:00)] were greater than the threshold (10.0) "
            "(minimum 2 datapoints for OK -> ALARM transition).",
        ),
        (
            THREE_OF_THREE,
            "X X X 0 X",
            "Threshold Crossed: 1 out of the last 3 datapoints [5.0 (01/01/26 00:03:00)] was not greater "
            "than the threshold (10.0) (minimum 1 datapoint for ALARM -> OK transition).",
        ),
        (THREE_OF_THREE, "- - - - -", "Insufficient Data: 3 datapoints were unknown."),
        (
            replace(THREE_OF_THREE, treat_missing=BREACHING),
            "- - - - -",
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were "
            "treated as [Breaching].",
        ),
        (
            replace(THREE_OF_THREE, treat_missing=NOT_BREACHING),
            "- - - - X",
            "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were "
            "treated as [NonBreaching].",
        ),
    ],
)
def test_reasons(definition: Definition, drawn: str, expected: str) -> None:
    """User guide, "Alarm events and EventBridge", `reason` of the examples."""
    assert reason(definition, evaluate(definition, periods(drawn))) == expected


def point(time_s: float, value: float, unit: str = "None") -> dict[str, object]:
    return {"Timestamp": time_s, "Value": value, "Count": 1.0, "Unit": unit}


def test_periods_end_with_the_last_whole_minute() -> None:
    """User guide, "Evaluating an alarm": at the end of minute 6 on the minutes 2 to 6."""
    definition = replace(THREE_OF_THREE, period_s=300, statistic="Sum")
    points = [point(START_S + 60 * minute, 10.0**minute) for minute in range(7)]
    newest, older, *rest = evaluation_range(definition, points, START_S + 6 * 60 + 59, STANDARD_RESOLUTION_S)
    assert (newest.start_s, newest.value, newest.sample_count) == (START_S + 60, 111_110.0, 5.0)
    assert (older.start_s, older.value) == (START_S - 240, 1.0)
    assert [each.value for each in rest] == [None, None, None]


def test_values_of_standard_resolution_count_to_the_beginning_of_their_minute() -> None:
    """API reference, "PutMetricAlarm", Period: no data for the attempts that do not correspond to it."""
    definition = replace(THREE_OF_THREE, period_s=10)
    points, now_s = [point(START_S + 25, 1.0)], START_S + 30
    by_the_minute = evaluation_range(definition, points, now_s, STANDARD_RESOLUTION_S)
    by_the_second = evaluation_range(definition, points, now_s, HIGH_RESOLUTION_S)
    assert [each.value for each in by_the_minute] == [None, None, 1.0, None, None]
    assert [each.value for each in by_the_second] == [1.0, None, None, None, None]


def test_only_values_of_the_unit_count_when_one_is_given() -> None:
    """API reference, "PutMetricAlarm", Unit."""
    points = [point(START_S, 1.0, "Count"), point(START_S, 9.0, "Seconds")]
    both = evaluation_range(THREE_OF_THREE, points, START_S + 60, STANDARD_RESOLUTION_S)
    counts = evaluation_range(
        replace(THREE_OF_THREE, unit="Count"), points, START_S + 60, STANDARD_RESOLUTION_S
    )
    assert (both[0].value, counts[0].value) == (5.0, 1.0)
