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
from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions.routing import LATEST

_functions = contract.expect(lambda_svc, "_functions")


@dataclass(frozen=True)
class Invoker:
    """A service, and the resource on whose behalf it invokes, such as a rule or an API's method."""

    service: str
    source_arn: str
    source_account: str


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


def find(function_arn: str) -> dict[str, Any] | None:
    """The emulator's record of a function in whatever account and Region."""
    parts = function_arn.split(":")
    if len(parts) < 7:
        return None
    found: dict[str, Any] | None = _functions.get_scoped(parts[4], parts[3], parts[6])
    return found
