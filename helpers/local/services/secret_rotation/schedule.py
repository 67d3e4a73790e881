"""When a secret is to be rotated.

AWS: Secrets Manager user guide, "Rotation schedules"; API reference, "RotationRulesType". Times are UTC.
"""

import itertools
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ministack.services import eventbridge

from helpers.local import contract
from helpers.local.functions.refusal import Refused

MAXIMUM_DAYS = 1000
# "You can rotate a secret as often as every four hours."
MINIMUM_HOURS = 4
_RATE = re.compile(r"rate\((\d+) (hour|day)s?\)")
_DURATION = re.compile(r"(\d{1,2})h")
_EVERY_HOURS = re.compile(r"cron\((\S+) /")

_parse_cron = contract.expect(eventbridge, "_parse_cron_fields", ("expr",))
_next_of_cron = contract.expect(eventbridge, "_cron_next_fire", ("fields", "after_dt"))


@dataclass(frozen=True)
class Window:
    """The secret is rotated between these two times; here as soon as the window opens."""

    start: datetime
    end: datetime


def check_rules(rules: dict[str, Any]) -> None:
    """Raises ValidationException or InvalidParameterException."""
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    if days is not None and expression is not None:
        raise invalid(
            "Specify either AutomaticallyAfterDays or ScheduleExpression in RotationRules, not both."
        )
    if days is not None and days > MAXIMUM_DAYS:
        raise Refused(
            "ValidationException",
            f"1 validation error detected: Value '{days}' at 'rotationRules.automaticallyAfterDays' failed "
            f"to satisfy constraint: Member must have value less than or equal to {MAXIMUM_DAYS}",
            400,
        )
    if expression is not None:
        _check_expression(expression)
    duration = rules.get("Duration")
    if duration is not None:
        _check_duration(duration, rules)


def next_window(rules: dict[str, Any], after: datetime) -> Window | None:
    """The first window that opens after `after`, or the day, from which an interval is counted.

    None when the schedule never comes round again.
    """
    day = after.replace(hour=0, minute=0, second=0, microsecond=0)
    expression = rules.get("ScheduleExpression", f"rate({rules.get('AutomaticallyAfterDays')} days)")
    rate = _RATE.fullmatch(expression)
    if rate is None:
        start = _next_of_cron(_fields_of(expression), after)
    elif rate[2] == "day":
        start = day + timedelta(days=int(rate[1]))
    else:
        interval = timedelta(hours=int(rate[1]))
        start = day + interval * ((after - day) // interval + 1)
    return Window(start, _end(start, rules, expression)) if start else None


def _end(start: datetime, rules: dict[str, Any], expression: str) -> datetime:
    if "Duration" in rules:
        return start + timedelta(hours=_hours_of(rules["Duration"]))
    if _is_hourly(expression):
        return start + timedelta(hours=1)
    return start.replace(hour=23, minute=59, second=59)


def _is_hourly(expression: str) -> bool:
    """Whether the schedule comes round several times a day."""
    rate = _RATE.fullmatch(expression)
    return rate[2] == "hour" if rate else len(_fields_of(expression)[1]) > 1


def _fields_of(expression: str) -> Any:
    """None when it is not a cron expression. Secrets Manager writes /8 for every 8 hours, EventBridge 0/8."""
    return _parse_cron(_EVERY_HOURS.sub(r"cron(\1 0/", expression))


def _check_expression(expression: str) -> None:
    rate = _RATE.fullmatch(expression)
    if rate is not None:
        number, is_hours = int(rate[1]), rate[2] == "hour"
        if is_hours and number < MINIMUM_HOURS:
            raise invalid(f"ScheduleExpression: a secret can be rotated every {MINIMUM_HOURS} hours at most.")
        if number == 0 or number > MAXIMUM_DAYS * (24 if is_hours else 1):
            raise invalid(f"ScheduleExpression: a rate has 1 to {MAXIMUM_DAYS} days, not {expression}.")
        return
    fields = _fields_of(expression)
    if fields is None:
        raise invalid(
            f"ScheduleExpression {expression} is not valid. Use rate(10 days), rate(12 hours), or a cron "
            "expression such as cron(0 8 1 * ? *)."
        )
    minutes, hours, years = fields[0], sorted(fields[1]), fields[5]
    if minutes != {0} or years is not None:
        raise invalid("ScheduleExpression: the minutes of a cron expression must be 0, the year *.")
    if any(later - sooner < MINIMUM_HOURS for sooner, later in itertools.pairwise(hours)):
        raise invalid(f"ScheduleExpression: a secret can be rotated every {MINIMUM_HOURS} hours at most.")


def _check_duration(duration: str, rules: dict[str, Any]) -> None:
    if not _DURATION.fullmatch(duration) or not 1 <= _hours_of(duration) <= 24:
        raise invalid(f"Duration is a number of hours from 1h to 24h, not {duration}.")
    expression = rules.get("ScheduleExpression")
    if expression is None:
        return
    window = next_window(rules, datetime.now(UTC))
    if window is not None and window.end > _midnight_after(window.start):
        raise invalid(f"Duration: the rotation window of {duration} must not extend into the next UTC day.")
    following = next_window(rules, window.start) if window is not None else None
    if window is not None and following is not None and window.end > following.start:
        raise invalid(f"Duration: the rotation window of {duration} must not extend into the next window.")


def _midnight_after(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _hours_of(duration: str) -> int:
    return int(duration.removesuffix("h"))


def invalid(message: str) -> Refused:
    return Refused("InvalidParameterException", message, 400)
