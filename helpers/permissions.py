"""Roles that allow what is named and nothing else."""

import json
from typing import Any

from botocore.client import BaseClient

POLICY_VERSION = "2012-10-17"


class TooMuchAllowed(ValueError):
    """A statement would allow more than it names; the message says which part."""


def allow(
    actions: str | list[str], on: str | list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A policy statement: `allow("dynamodb:PutItem", on=table_arn)`.

    Raises TooMuchAllowed for `*` and `service:*` as an action, and for `*` as a resource where no
    condition narrows it.
    """
    actions = [actions] if isinstance(actions, str) else actions
    resources = [on] if isinstance(on, str) else on
    for action in actions:
        if action == "*" or action.endswith(":*"):
            raise TooMuchAllowed(
                f"{action!r} allows every action of a service: name the ones that are needed."
            )
    if "*" in resources and condition is None:
        raise TooMuchAllowed(
            f"{', '.join(actions)} on '*' allows every resource: name the ARNs. "
            "For the few actions that know no resources, write the statement by hand."
        )
    statement: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def write_logs(function_name: str, region: str, account_id: str) -> dict[str, Any]:
    """The statement with which a function writes its own log group, and no other."""
    log_group = f"arn:aws:logs:{region}:{account_id}:log-group:/aws/lambda/{function_name}"
    return allow(
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], on=[log_group, f"{log_group}:*"]
    )


def policy(*statements: dict[str, Any]) -> str:
    """A policy document, as the JSON text that IAM and resource policies take."""
    return json.dumps({"Version": POLICY_VERSION, "Statement": list(statements)})


def trust(service: str, condition: dict[str, Any] | None = None) -> str:
    """The trust policy with which a service such as "lambda.amazonaws.com" may assume a role."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return policy(statement | ({"Condition": condition} if condition else {}))


def create_role(iam: BaseClient, name: str, service: str, *statements: dict[str, Any]) -> str:
    """Create a role that `service` assumes and that may do what `statements` allow; return its ARN.

    Returns when IAM knows the role. Other services may need some seconds more on AWS; clients of
    Workshop wait for them (see eventual_consistency).
    """
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=policy(*statements))
    iam.get_waiter("role_exists").wait(RoleName=name)
    return arn
