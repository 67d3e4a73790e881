"""Resource policies of secrets are checked before they are stored, or refused where they cannot be.

AWS behaviour restored (AWS Secrets Manager API reference, "PutResourcePolicy" and
"ValidateResourcePolicy"): a policy that IAM does not understand is a MalformedPolicyDocumentException.
Whether a policy grants broad access takes AWS's reasoning about policies, which is not here.
"""

import json
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import secretsmanager

from helpers.local import contract
from helpers.local.functions.refusal import Refused, not_implemented, preceded_by

_problem_of = contract.expect(iam_evaluator, "validate_policy_document", ("doc",))


def install() -> None:
    for name, check in (
        ("_put_resource_policy", _check_policy),
        ("_validate_resource_policy", _refuse_validation),
    ):
        original = contract.expect(secretsmanager, name, ("data",))
        setattr(secretsmanager, name, preceded_by(check, original))


def _check_policy(data: dict[str, Any]) -> None:
    policy = data.get("ResourcePolicy", "")
    problem = _syntax_error(policy)
    if problem is not None:
        raise Refused(
            "MalformedPolicyDocumentException",
            f"This resource policy contains a syntax error: {problem}",
            400,
        )
    if data.get("BlockPublicPolicy"):
        raise not_implemented("find out whether a policy grants broad access (BlockPublicPolicy).")


def _syntax_error(policy: str) -> str | None:
    problem: str | None = _problem_of(policy)
    if problem is not None:
        return problem
    statements = json.loads(policy)["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if "Principal" not in statement and "NotPrincipal" not in statement:
            return "A Statement must contain a Principal or NotPrincipal element"
    return None


def _refuse_validation(data: dict[str, Any]) -> None:
    raise not_implemented("find out whether a policy grants broad access (ValidateResourcePolicy).")
