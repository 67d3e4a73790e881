"""Secrets are rotated by a function that is really called."""

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from deployed import DeployedFunction
from secrets_and_roles import allow, client_of_role, make_secret  # noqa: F401

from helpers.refusals import refusal
from helpers.waiting import wait_for_messages, wait_until

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
# Reports each step to a queue. The current value says in which step the function fails.
ROTATION = """
import boto3, json, os

secrets, sqs = boto3.client("secretsmanager"), boto3.client("sqs")

def handler(event, context):
    secret, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))
    stages = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"]
    assert "AWSPENDING" in stages[token], "a pending version is there before the first step"
    value = secrets.get_secret_value(SecretId=secret)["SecretString"]
    if value == f"fails in {step}":
        raise RuntimeError(value)
    if step == "createSecret":
        secrets.put_secret_value(
            SecretId=secret, ClientRequestToken=token, SecretString="new", VersionStages=["AWSPENDING"])
    if step == "testSecret":
        pending = secrets.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
        assert pending["SecretString"] == "new"
    if step == "finishSecret":
        current = next(each for each, labels in stages.items() if "AWSCURRENT" in labels)
        secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current)
        secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSPENDING", RemoveFromVersionId=token)
"""


@dataclass(frozen=True)
class Rotator:
    """A rotation function that Secrets Manager may invoke, and what it was called with."""

    arn: str
    function: DeployedFunction
    queue_url: str
    sqs: Any

    def calls(self, expected: int) -> list[dict[str, Any]]:
        """The next events, at least `expected` of them."""
        return wait_for_messages(self.sqs, self.queue_url, expected)


@pytest.fixture
def rotator(make_client: Callable[..., Any], deploy: Callable[..., DeployedFunction]) -> Iterator[Rotator]:
    iam, sqs = make_client("iam"), make_client("sqs")
    name = f"test-rotator-{uuid.uuid4().hex[:8]}"
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    statement = allow(["secretsmanager:*", "sqs:SendMessage"], "*")
    role, policy = (json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, statement))
    role_arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=role)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=policy)
    function = deploy(ROTATION, Role=role_arn, Environment={"Variables": {"QUEUE_URL": queue_url}})
    arn = function.client.get_function_configuration(FunctionName=function.name)["FunctionArn"]
    permit(function)
    yield Rotator(arn, function, queue_url, sqs)
    sqs.delete_queue(QueueUrl=queue_url)
    iam.delete_role_policy(RoleName=name, PolicyName="test")
    iam.delete_role(RoleName=name)


def permit(function: DeployedFunction, **conditions: str) -> None:
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        **conditions,
    )


@pytest.fixture
def secrets(make_client: Callable[..., Any]) -> Any:
    return make_client("secretsmanager")


def value_of(secrets: Any, arn: str, stage: str = "AWSCURRENT") -> str:
    return str(secrets.get_secret_value(SecretId=arn, VersionStage=stage)["SecretString"])


def rotated(secrets: Any, arn: str) -> Any:
    """The description of the secret, once it was rotated."""
    return wait_until(
        lambda: secrets.describe_secret(SecretId=arn),
        "the secret to be rotated",
        lambda description: "LastRotatedDate" in description,
    )


def test_a_rotation_calls_the_function_four_times(
    secrets: Any,
    rotator: Rotator,
    make_secret: Callable[..., str],  # noqa: F811
) -> None:
    """User guide, "Lambda rotation functions": the steps, the event, the versions' staging labels."""
    arn = make_secret(SecretString="old")
    before = secrets.get_secret_value(SecretId=arn)["VersionId"]
    answer = secrets.rotate_secret(
        SecretId=arn, RotationLambdaARN=rotator.arn, RotationRules={"AutomaticallyAfterDays": 30}
    )
    events = rotator.calls(4)
    assert [event["Step"] for event in events] == STEPS
    assert {event["SecretId"] for event in events} == {arn}
    assert {event["ClientRequestToken"] for event in events} == {answer["VersionId"]}
    description = rotated(secrets, arn)
    assert description["RotationEnabled"] is True
    assert description["VersionIdsToStages"] == {answer["VersionId"]: ["AWSCURRENT"], before: ["AWSPREVIOUS"]}
    assert (value_of(secrets, arn), value_of(secrets, arn, "AWSPREVIOUS")) == ("new", "old")
    in_thirty_days = (datetime.now(UTC) + timedelta(days=30)).date()
    assert description["NextRotationDate"].astimezone(UTC).date() == in_thirty_days


def test_a_repeated_token_starts_nothing(
    secrets: Any,
    rotator: Rotator,
    make_secret: Callable[..., str],  # noqa: F811
) -> None:
    """API reference, "RotateSecret", ClientRequestToken: it prevents that a version is created twice."""
    arn, token = make_secret(SecretString="old"), str(uuid.uuid4())
    for _ in range(2):
        answer = secrets.rotate_secret(SecretId=arn, RotationLambdaARN=rotator.arn, ClientRequestToken=token)
        assert answer["VersionId"] == token
    rotated(secrets, arn)
    assert secrets.rotate_secret(SecretId=arn, ClientRequestToken=token)["VersionId"] == token
    # The next rotation's events come right after those of the first.
    secrets.rotate_secret(SecretId=arn)
    tokens = [event["ClientRequestToken"] for event in rotator.calls(8)]
    assert tokens[:4] == [token] * 4
    assert token not in tokens[4:]


def test_a_failing_step_leaves_the_current_value_and_is_retried(
    secrets: Any,
    rotator: Rotator,
    make_secret: Callable[..., str],  # noqa: F811
) -> None:
    """API reference, "DescribeSecret": the entire process is retried. "RotateSecret": while AWSPENDING is at
    another version than AWSCURRENT, a previous rotation is taken to be in progress."""
    arn = make_secret(SecretString="fails in setSecret")
    token = secrets.rotate_secret(SecretId=arn, RotationLambdaARN=rotator.arn)["VersionId"]
    steps = [event["Step"] for event in rotator.calls(4)]
    assert steps[:4] == ["createSecret", "setSecret", "createSecret", "setSecret"]
    assert value_of(secrets, arn) == "fails in setSecret"
    assert value_of(secrets, arn, "AWSPENDING") == "new"
    assert "LastRotatedDate" not in secrets.describe_secret(SecretId=arn)
    in_progress = (
        "InvalidRequestException: A previous rotation isn't complete. That rotation will be reattempted."
    )
    assert refusal(secrets.rotate_secret, SecretId=arn) == in_progress
    # What made it fail is repaired: one of the attempts that follow succeeds.
    secrets.put_secret_value(SecretId=arn, SecretString="repaired")

    def reattempt() -> bool:
        if pending_version_of(secrets, arn) is None:
            return True
        with contextlib.suppress(secrets.exceptions.InvalidRequestException):
            secrets.rotate_secret(SecretId=arn)
        return False

    wait_until(reattempt, "the pending version to become the current one")
    assert value_of(secrets, arn) == "new"
    assert token in secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]


def pending_version_of(secrets: Any, arn: str) -> str | None:
    versions = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
    return next((token for token, stages in versions.items() if stages == ["AWSPENDING"]), None)


def test_without_rotate_immediately_only_the_test_step_runs(
    secrets: Any,
    rotator: Rotator,
    make_secret: Callable[..., str],  # noqa: F811
) -> None:
    """API reference, "RotateSecret", RotateImmediately: testSecret, with a version that is removed."""
    arn = make_secret(SecretString="old")
    token = secrets.rotate_secret(
        SecretId=arn,
        RotationLambdaARN=rotator.arn,
        RotateImmediately=False,
        RotationRules={"ScheduleExpression": "rate(10 days)"},
    )["VersionId"]
    assert [event["Step"] for event in rotator.calls(1)] == ["testSecret"]
    wait_until(
        lambda: secrets.describe_secret(SecretId=arn)["VersionIdsToStages"],
        "the pending version of the test to be removed",
        lambda versions: token not in versions,
    )
    assert value_of(secrets, arn) == "old"
    # Nothing came between the test and the rotation that starts now.
    secrets.rotate_secret(SecretId=arn)
    assert [event["Step"] for event in rotator.calls(4)] == STEPS


def test_a_cancelled_rotation_calls_no_further_step(
    secrets: Any,
    rotator: Rotator,
    make_secret: Callable[..., str],  # noqa: F811
) -> None:
    """API reference, "CancelRotateSecret": the pending version is answered, and its label stays."""
    arn = make_secret(SecretString="fails in createSecret")
    token = secrets.rotate_secret(SecretId=arn, RotationLambdaARN=rotator.arn)["VersionId"]
    rotator.calls(1)
    assert secrets.cancel_rotate_secret(SecretId=arn)["VersionId"] == token
    description = secrets.describe_secret(SecretId=arn)
    assert description["RotationEnabled"] is False
    assert "NextRotationDate" not in description
    assert description["VersionIdsToStages"][token] == ["AWSPENDING"]
    # Once its label is removed, another rotation can start, and the cancelled one is not taken up again.
    secrets.update_secret_version_stage(SecretId=arn, VersionStage="AWSPENDING", RemoveFromVersionId=token)
    secrets.put_secret_value(SecretId=arn, SecretString="repaired")
    secrets.rotate_secret(SecretId=arn)
    events = [event for event in rotator.calls(4) if event["ClientRequestToken"] != token]
    assert [event["Step"] for event in events] == STEPS
    rotated(secrets, arn)


def test_the_function_must_let_secrets_manager_invoke_it(
    secrets: Any,
    rotator: Rotator,
    make_secret: Callable[..., str],  # noqa: F811
) -> None:
    """User guide, "Troubleshoot rotation", access denied when rotation is configured; "Permissions for
    rotation": conditions on the source account."""
    arn = make_secret(SecretString="old")
    rotator.function.client.remove_permission(FunctionName=rotator.function.name, StatementId="rotation")
    denied = (
        "AccessDeniedException: Secrets Manager cannot invoke the specified Lambda function. Ensure that the "
        "function policy grants access to the principal secretsmanager.amazonaws.com."
    )
    assert refusal(secrets.rotate_secret, SecretId=arn, RotationLambdaARN=rotator.arn) == denied
    permit(rotator.function, SourceAccount="444455556666")
    assert refusal(secrets.rotate_secret, SecretId=arn, RotationLambdaARN=rotator.arn) == denied
    rotator.function.client.remove_permission(FunctionName=rotator.function.name, StatementId="rotation")
    permit(rotator.function, SourceAccount=arn.split(":")[4], SourceArn=arn)
    secrets.rotate_secret(SecretId=arn, RotationLambdaARN=rotator.arn)
    rotated(secrets, arn)


def test_the_caller_must_be_allowed_to_invoke_the_function(
    rotator: Rotator,
    make_secret: Callable[..., str],  # noqa: F811
    client_of_role: Callable[..., Any],  # noqa: F811
) -> None:
    """API reference, "RotateSecret": lambda:InvokeFunction is required, too."""
    arn = make_secret(SecretString="old")
    caller = client_of_role("secretsmanager", allow("secretsmanager:RotateSecret", arn))
    message = refusal(caller.rotate_secret, SecretId=arn, RotationLambdaARN=rotator.arn)
    assert message.startswith("AccessDeniedException: User: ")
    assert f"is not authorized to perform: lambda:InvokeFunction on resource: {rotator.arn}" in message


def test_a_secret_without_a_function_cannot_be_rotated(
    secrets: Any,
    make_secret: Callable[..., str],  # noqa: F811
) -> None:
    """API reference, "RotateSecret", InvalidRequestException."""
    message = refusal(secrets.rotate_secret, SecretId=make_secret(SecretString="old"))
    assert message == (
        "InvalidRequestException: No Lambda rotation function ARN is associated with this secret."
    )


@pytest.mark.parametrize(
    ("rules", "part_of_message"),
    [
        ({"AutomaticallyAfterDays": 1001}, "less than or equal to 1000"),
        ({"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(2 days)"}, "not both"),
        ({"ScheduleExpression": "rate(3 hours)"}, "every 4 hours"),
        ({"ScheduleExpression": "every day"}, "is not valid"),
        ({"ScheduleExpression": "cron(30 8 * * ? *)"}, "minutes of a cron expression must be 0"),
        ({"ScheduleExpression": "cron(0 0/2 * * ? *)"}, "every 4 hours"),
        ({"ScheduleExpression": "cron(0 20 * * ? *)", "Duration": "5h"}, "next UTC day"),
        ({"ScheduleExpression": "rate(4 hours)", "Duration": "5h"}, "Duration"),
    ],
)
def test_schedules_that_aws_does_not_know_are_refused(
    secrets: Any,
    make_secret: Callable[..., str],  # noqa: F811
    rules: dict[str, Any],
    part_of_message: str,
) -> None:
    """User guide, "Rotation schedules"; API reference, "RotationRulesType"."""
    function_arn = "arn:aws:lambda:us-east-1:111122223333:function:none"
    message = refusal(
        secrets.rotate_secret,
        SecretId=make_secret(SecretString="old"),
        RotationLambdaARN=function_arn,
        RotationRules=rules,
    )
    assert part_of_message in message
