"""Roles allow what is named, and IAM agrees."""

import json

import pytest

from helpers import permissions
from helpers.permissions import TooMuchAllowed, allow
from helpers.workshop import Workshop

TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"


def test_a_statement() -> None:
    assert allow("dynamodb:PutItem", on=TABLE) == {
        "Effect": "Allow",
        "Action": ["dynamodb:PutItem"],
        "Resource": [TABLE],
    }


@pytest.mark.parametrize("action", ["*", "dynamodb:*"])
def test_all_actions_are_refused(action: str) -> None:
    with pytest.raises(TooMuchAllowed, match="name the ones"):
        allow(action, on=TABLE)


def test_all_resources_are_refused_unless_a_condition_narrows_them() -> None:
    with pytest.raises(TooMuchAllowed, match="name the ARNs"):
        allow("sqs:SendMessage", on="*")
    condition = {"StringEquals": {"aws:ResourceTag/workshop-run": "w01-3f9a2c"}}
    assert allow("sqs:SendMessage", on="*", condition=condition)["Condition"] == condition


def test_a_role_may_do_what_it_names_and_nothing_else(workshop: Workshop) -> None:
    """IAM User Guide, "Policy evaluation logic": what no policy allows is denied."""
    sqs, iam, sts = workshop.client("sqs"), workshop.client("iam"), workshop.client("sts")
    allowed, other = (
        sqs.create_queue(QueueName=workshop.name(label))["QueueUrl"] for label in ("allowed", "other")
    )
    arn = f"arn:aws:sqs:{workshop.region}:{workshop.account_id}:{workshop.name('allowed')}"
    role = permissions.create_role(
        iam, workshop.name("sender"), "lambda.amazonaws.com", allow("sqs:SendMessage", arn)
    )
    trust = {"Effect": "Allow", "Principal": {"AWS": workshop.account_id}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(RoleName=workshop.name("sender"), PolicyDocument=permissions.policy(trust))
    credentials = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    sender = workshop.client("sqs", credentials=credentials)
    sender.send_message(QueueUrl=allowed, MessageBody="text")
    for refused in (
        lambda: sender.send_message(QueueUrl=other, MessageBody="text"),
        lambda: sender.receive_message(QueueUrl=allowed),
    ):
        with pytest.raises(sqs.exceptions.ClientError, match="AccessDenied"):
            refused()


def test_a_function_may_write_its_own_log_group_only() -> None:
    statement = permissions.write_logs("orders", "eu-west-1", "111122223333")
    assert set(statement["Resource"]) == {
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/orders",
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/orders:*",
    }


def test_only_the_named_service_may_assume_the_role(workshop: Workshop) -> None:
    iam = workshop.client("iam")
    permissions.create_role(iam, workshop.name("role"), "states.amazonaws.com")
    document = iam.get_role(RoleName=workshop.name("role"))["Role"]["AssumeRolePolicyDocument"]
    assert document == json.loads(permissions.trust("states.amazonaws.com"))
    assert [statement["Principal"] for statement in document["Statement"]] == [
        {"Service": "states.amazonaws.com"}
    ]
