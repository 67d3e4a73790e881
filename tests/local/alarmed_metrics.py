"""Alarms on metrics of their own, for tests."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from helpers.waiting import wait_until

NAMESPACE = "Test/Alarms"


@dataclass
class Alarms:
    """Alarms on a metric of their own. `client` is a boto3 client of CloudWatch."""

    client: Any
    metric: str = field(default_factory=lambda: f"m-{secrets.token_hex(4)}")
    names: list[str] = field(default_factory=list)

    def put(self, **parameters: Any) -> str:
        """An alarm on one period of a minute in which the average is above 10; returns its name."""
        name = parameters.setdefault("AlarmName", f"test-{secrets.token_hex(4)}")
        defaults = {
            "Namespace": NAMESPACE,
            "MetricName": self.metric,
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 10.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "Statistic": "Average",
        }
        self.client.put_metric_alarm(
            **{key: value for key, value in {**defaults, **parameters}.items() if value is not None}
        )
        self.names.append(name)
        return str(name)

    def publish(self, value: float, minutes_ago: int = 1, **parameters: Any) -> None:
        """A value in the middle of a minute that is over."""
        time_s = int(time.time()) // 60 * 60 - 60 * minutes_ago + 30
        datum = {"MetricName": self.metric, "Value": value, "Timestamp": time_s, **parameters}
        self.client.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])

    def described(self, name: str) -> dict[str, Any]:
        [alarm] = self.client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return dict(alarm)

    def wait_for(self, name: str, state: str) -> dict[str, Any]:
        return wait_until(
            lambda: self.described(name), f"{state} of {name}", lambda alarm: alarm["StateValue"] == state
        )

    def history(self, name: str, item_type: str) -> list[dict[str, Any]]:
        """Newest first, with HistoryData read."""
        answer = self.client.describe_alarm_history(AlarmName=name, HistoryItemType=item_type)
        items = answer["AlarmHistoryItems"]
        return [{**item, "HistoryData": json.loads(item["HistoryData"])} for item in items]


@pytest.fixture
def alarms(make_client: Callable[..., Any]) -> Iterator[Alarms]:
    made = Alarms(make_client("cloudwatch"))
    yield made
    made.client.delete_alarms(AlarmNames=made.names)


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """Code and message of the error that `call` is answered with."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]
