"""When a secret is rotated next, and that it is."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import secretsmanager

from helpers.local.services.secret_rotation import timer as timer_module
from helpers.local.services.secret_rotation.schedule import next_window
from helpers.local.services.secret_rotation.timer import SCHEDULED_FROM, RotationTimer, window_of
from helpers.waiting import wait_until

# A Wednesday.
NOW = datetime(2026, 4, 15, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "start", "end"),
    [
        ({"AutomaticallyAfterDays": 30}, "2026-05-15 00:00:00", "2026-05-15 23:59:59"),
        ({"AutomaticallyAfterDays": 30, "Duration": "3h"}, "2026-05-15 00:00:00", "2026-05-15 03:00:00"),
        ({"ScheduleExpression": "rate(10 days)"}, "2026-04-25 00:00:00", "2026-04-25 23:59:59"),
        ({"ScheduleExpression": "rate(4 hours)"}, "2026-04-15 12:00:00", "2026-04-15 13:00:00"),
        ({"ScheduleExpression": "cron(0 8 1 * ? *)"}, "2026-05-01 08:00:00", "2026-05-01 23:59:59"),
        ({"ScheduleExpression": "cron(0 16 ? * SUN#2 *)"}, "2026-05-10 16:00:00", "2026-05-10 23:59:59"),
        ({"ScheduleExpression": "cron(0 /8 * * ? *)"}, "2026-04-15 16:00:00", "2026-04-15 17:00:00"),
        (
            {"ScheduleExpression": "cron(0 1 ? * MON-FRI *)", "Duration": "2h"},
            "2026-04-16 01:00:00",
            "2026-04-16 03:00:00",
        ),
    ],
)
def test_windows_follow_the_schedule(rules: dict[str, Any], start: str, end: str) -> None:
    """User guide, "Rotation schedules", rotation windows, and "Schedule expressions"."""
    window = next_window(rules, NOW)
    assert window is not None
    assert (f"{window.start:%Y-%m-%d %H:%M:%S}", f"{window.end:%Y-%m-%d %H:%M:%S}") == (start, end)


def secret_of(**members: Any) -> dict[str, Any]:
    """A record as the local AWS keeps it, of a secret that is rotated every day."""
    return {
        "Name": f"test-{uuid.uuid4().hex[:8]}",
        "ARN": f"arn:aws:secretsmanager:us-east-1:111122223333:secret:{uuid.uuid4()}",
        "CreatedDate": 0,
        "DeletedDate": None,
        "RotationEnabled": True,
        "RotationRules": {"AutomaticallyAfterDays": 1},
        "Versions": {"first": {"Stages": ["AWSCURRENT"], "CreatedDate": 0}},
        **members,
    }


def test_a_new_value_counts_as_a_rotation() -> None:
    """API reference, "RotationRulesType", AutomaticallyAfterDays: PutSecretValue is considered a rotation."""
    secret = secret_of(**{SCHEDULED_FROM: (NOW - timedelta(days=5)).timestamp()})
    secret["Versions"]["first"]["CreatedDate"] = NOW.timestamp()
    window = window_of(secret)
    assert window is not None
    assert window.start.date() == (NOW + timedelta(days=1)).date()


@pytest.mark.parametrize("members", [{"RotationEnabled": False}, {"RotationRules": None}, {"DeletedDate": 1}])
def test_a_secret_without_a_schedule_has_no_window(members: dict[str, Any]) -> None:
    """API reference, "DescribeSecret", NextRotationDate."""
    assert window_of(secret_of(**members)) is None


def test_a_secret_is_rotated_when_its_window_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """User guide, "Rotation schedules". What is due is started once, what is not due is left alone."""
    started: list[str] = []

    class Started:
        def __init__(self, secret: dict[str, Any], token: str) -> None:
            self._name = secret["Name"]

        def start(self) -> None:
            started.append(self._name)

    monkeypatch.setattr(timer_module, "Rotation", Started)
    due = secret_of(**{SCHEDULED_FROM: time.time() - timedelta(days=2).total_seconds()})
    not_due = secret_of(**{SCHEDULED_FROM: time.time()})
    with request_scope("111122223333", "us-east-1"):
        for secret in (due, not_due):
            secretsmanager._secrets[secret["Name"]] = secret
        timer = RotationTimer()
        try:
            timer.look_again()
            wait_until(lambda: list(started), "the secret that is due to be rotated")
            window = window_of(due)
            assert window is not None and window.start > datetime.now(UTC)
            timer.look_again()
        finally:
            for secret in (due, not_due):
                del secretsmanager._secrets[secret["Name"]]
    assert started == [due["Name"]]
