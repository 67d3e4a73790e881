"""Which AWS services a function's resource-based policy lets invoke it.

AWS Lambda developer guide, "Viewing resource-based IAM policies in Lambda" and "Granting Lambda
function access to AWS services": a service may invoke when a statement names it, and the source
that it acts for satisfies the statement's conditions.
"""

from dataclasses import dataclass
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import iam, lambda_svc

from helpers.local import contract
from helpers.local.functions.routing import LATEST

_functions = contract.expect(lambda_svc, "_functions")


@dataclass(frozen=True)
class Invoker:
    """A service, and the resource on whose behalf it invokes, such as a rule or an API's method."""

    service: str
    source_arn: str
    source_account: str


class InvocationDenied(Exception):
    """The function does not exist, or its policy does not let the service invoke it.

    `code` is that of a dead letter of EventBridge: "RESOURCE_NOT_FOUND" or "NO_PERMISSIONS".
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_invoker(function_arn: str, invoker: Invoker) -> None:
    """Raises InvocationDenied."""
    if find(function_arn) is None:
        raise InvocationDenied("RESOURCE_NOT_FOUND", f"Function not found: {function_arn}")
    if not may_invoke(function_arn, invoker):
        raise InvocationDenied(
            "NO_PERMISSIONS",
            f"User: {invoker.service} is not authorized to perform: lambda:InvokeFunction on resource: "
            f"{function_arn} because no resource-based policy allows the lambda:InvokeFunction action",
        )


def may_invoke(function_arn: str, invoker: Invoker) -> bool:
    """Whether `invoker` may invoke the function, version or alias; always where IAM is not enforced.

    A permission counts for what it was given for: one on the function does not cover an alias.
    """
    if not app.AUTH:
        return True
    function = find(function_arn)
    if function is None:
        return False
    arn = function_arn.removesuffix(f":{LATEST}")
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=arn,
        region=get_region(),
        service_context={
            "aws:sourcearn": invoker.source_arn,
            "aws:sourceaccount": invoker.source_account,
        },
    )
    decision = iam_evaluator.evaluate_resource_policy(
        function.get("policy"), context, service=invoker.service
    )
    return bool(decision.decision == "Allow")


def role_trusts(role_arn: str, service: str) -> bool:
    """Whether the role exists and `service` may assume it; always where IAM is not enforced."""
    if not app.AUTH:
        return True
    if role_arn.count(":") < 5:
        return False
    _, _, _, _, account_id, name = role_arn.split(":", 5)
    role = iam._roles.get_scoped(account_id, None, name.rpartition("/")[2])
    if role is None or role["Arn"] != role_arn:
        return False
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=get_region(),
    )
    trust = role["AssumeRolePolicyDocument"]
    decision = iam_evaluator.evaluate_resource_policy(trust, context, service=service)
    return bool(decision.decision == "Allow")


def find(function_arn: str) -> dict[str, Any] | None:
    """The emulator's record of a function in whatever account and Region."""
    parts = function_arn.split(":")
    if len(parts) < 7:
        return None
    found: dict[str, Any] | None = _functions.get_scoped(parts[4], parts[3], parts[6])
    return found
