"""Run a Step Functions workflow to its end and count what it is billed by."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from helpers.waiting import wait_until

TASK_SCHEDULED = ("TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled")


@dataclass(frozen=True)
class Execution:
    """An execution that has ended: `output` is None unless it succeeded, `events` counts history by type."""

    status: str
    output: Any
    took_s: float
    events: Counter[str]

    @property
    def state_transitions(self) -> int:
        """Steps that were executed, and retries of tasks: what a standard workflow is billed by.

        Source: AWS Step Functions pricing page. A task that is tried again is scheduled again, but its state
        is entered once. One whose input cannot be read is entered and never scheduled; where there is such a
        task, a retry of another one is not counted.
        """
        entered = sum(count for event, count in self.events.items() if event.endswith("StateEntered"))
        attempts = sum(self.events[event] for event in TASK_SCHEDULED)
        return entered + max(0, attempts - self.events["TaskStateEntered"])


def execute(stepfunctions: Any, state_machine_arn: str, payload: Any, timeout_s: float = 60.0) -> Execution:
    """Start a standard workflow with `payload` (any JSON value) and wait for its end.

    Raises NotObserved when it still runs after `timeout_s`.
    """
    arn = stepfunctions.start_execution(stateMachineArn=state_machine_arn, input=json.dumps(payload))[
        "executionArn"
    ]
    ended = wait_until(
        lambda: stepfunctions.describe_execution(executionArn=arn),
        f"the end of {arn}",
        lambda execution: execution["status"] != "RUNNING",
        timeout_s,
    )
    pages = stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn)
    return Execution(
        status=ended["status"],
        output=json.loads(ended["output"]) if ended["status"] == "SUCCEEDED" else None,
        took_s=(ended["stopDate"] - ended["startDate"]).total_seconds(),
        events=Counter(event["type"] for page in pages for event in page["events"]),
    )
