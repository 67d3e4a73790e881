"""Roles of functions that may do no more than a test says."""

import json
import secrets
from collections.abc import Callable
from typing import Any


def create_role(make_client: Callable[..., Any], actions: list[str]) -> str:
    """ARN of a role for functions that may do `actions`, and write logs."""
    iam = make_client("iam")
    name = f"function-{secrets.token_hex(4)}"
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    allow_only(make_client, arn, actions)
    return str(arn)


def allow_only(make_client: Callable[..., Any], role_arn: str, actions: list[str]) -> None:
    """Take from the role all but `actions` and the writing of logs."""
    statement = {"Effect": "Allow", "Action": ["logs:*", *actions], "Resource": "*"}
    make_client("iam").put_role_policy(
        RoleName=role_arn.rpartition("/")[2],
        PolicyName="actions",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
