"""The state that an alarm's data points put it into.

AWS: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data" and "Avoiding premature
transitions to alarm state".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from helpers.local.services.alarms.datapoints import Datapoint
from helpers.local.services.alarms.definition import (
    ALARM,
    BREACHING,
    IGNORE,
    INSUFFICIENT_DATA,
    NOT_BREACHING,
    OK,
    Definition,
)


@dataclass(frozen=True)
class Evaluation:
    """`state` is None when the alarm stays in the state that it is in.

    `datapoints` are those that were evaluated, newest first, as many as the alarm's evaluation periods.
    """

    state: str | None
    datapoints: tuple[Datapoint, ...]

    @property
    def present(self) -> list[Datapoint]:
        return [each for each in self.datapoints if each.value is not None]

    @property
    def missing(self) -> int:
        """How many data points were filled in."""
        return len(self.datapoints) - len(self.present)


def evaluate(definition: Definition, evaluation_range: Sequence[Datapoint]) -> Evaluation:
    """`evaluation_range` is newest first, and longer than the evaluation periods."""
    needed = definition.evaluation_periods
    # Data that is there goes before data that is missing, however old it is.
    present = [each for each in evaluation_range if each.value is not None][:needed]
    absent = [each for each in evaluation_range if each.value is None][: needed - len(present)]
    datapoints = sorted([*present, *absent], key=lambda each: each.start_s, reverse=True)
    state = _state(definition, evaluation_range, present, len(absent))
    return Evaluation(state, tuple(datapoints))


def _state(
    definition: Definition, evaluation_range: Sequence[Datapoint], present: list[Datapoint], missing: int
) -> str | None:
    treatment, needed = definition.treat_missing, definition.datapoints_to_alarm
    breaching = sum(each.value is not None and definition.breaches(each.value) for each in present)
    if missing and treatment == BREACHING:
        breaching += missing
    if breaching >= needed:
        return ALARM
    if not missing or treatment in (BREACHING, NOT_BREACHING) or breaching < len(present):
        return OK
    if treatment == IGNORE:
        return None
    if not present:
        return INSUFFICIENT_DATA
    # All that is there breaches, but it is not enough. The next value may be within the threshold, so
    # the alarm waits, though only until the oldest of them is as old as those that it takes.
    age = list(evaluation_range).index(present[-1]) + 1
    return ALARM if age >= needed else None
