"""An execution is waited for, and its billed state transitions are counted from its history."""

import json
from collections import Counter
from typing import Any

import pytest

from helpers import permissions
from helpers.waiting import NotObserved
from helpers.workflows import Execution, execute
from helpers.workshop import Workshop


def machine(workshop: Workshop, states: dict[str, Any]) -> str:
    """ARN of a standard workflow that begins with the first of `states`."""
    role = permissions.create_role(workshop.client("iam"), workshop.name("states"), "states.amazonaws.com")
    definition = {"StartAt": next(iter(states)), "States": states}
    created = workshop.client("stepfunctions").create_state_machine(
        name=workshop.name("order"), definition=json.dumps(definition), roleArn=role
    )
    return str(created["stateMachineArn"])


def test_each_step_is_a_transition_and_its_time_does_not_matter(workshop: Workshop) -> None:
    """AWS Step Functions pricing page: a transition is counted each time a step is executed."""
    arn = machine(
        workshop,
        {
            "Ship": {"Type": "Pass", "Next": "Wait"},
            "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Confirm"},
            "Confirm": {"Type": "Pass", "End": True},
        },
    )
    execution = execute(workshop.client("stepfunctions"), arn, {"order": 1})
    assert (execution.status, execution.output) == ("SUCCEEDED", {"order": 1})
    assert execution.took_s >= 1
    assert execution.state_transitions == 3


def test_a_retry_is_a_transition_too(workshop: Workshop) -> None:
    """AWS Step Functions pricing page: each retry is charged as an additional state transition."""
    reading = {"TableName": workshop.name("missing"), "Key": {"id": {"S": "1"}}}
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}
    task = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:getItem", "Parameters": reading}
    arn = machine(
        workshop,
        {
            "Read": {
                **task,
                "Retry": [retry],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Give up"}],
                "End": True,
            },
            "Give up": {"Type": "Fail", "Error": "NothingThere"},
        },
    )
    execution = execute(workshop.client("stepfunctions"), arn, {})
    assert (execution.status, execution.output) == ("FAILED", None)
    assert execution.events["TaskScheduled"] == 2
    assert execution.state_transitions == 3


def test_a_task_that_is_never_scheduled_is_a_step_all_the_same() -> None:
    """Step Functions developer guide, "Handling errors": States.ParameterPathFailure."""
    history = ["TaskStateEntered", "TaskStateExited", "FailStateEntered", "ExecutionFailed"]
    assert Execution("FAILED", None, 0.1, Counter(history)).state_transitions == 2


def test_an_execution_that_goes_on_is_told(workshop: Workshop) -> None:
    arn = machine(workshop, {"Wait": {"Type": "Wait", "Seconds": 5, "End": True}})
    with pytest.raises(NotObserved, match="the end of arn:aws:states:"):
        execute(workshop.client("stepfunctions"), arn, {}, timeout_s=0)
