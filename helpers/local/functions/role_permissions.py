"""What a function's execution role allows, asked of the emulator's own policy evaluation."""

from ministack import app
from ministack.core import iam_evaluator
from ministack.services import iam

from helpers.local import contract

_gather_policies = contract.expect(iam_evaluator, "_gather_role_policies", ("role_name", "account_id"))
_boundary = contract.expect(iam_evaluator, "_permissions_boundary", ("store", "name", "account_id"))


def role_allows(role_arn: str, action: str, resource_arn: str, region: str) -> bool:
    """Whether `role_arn` may call `action` on `resource_arn`; always where IAM is not enforced."""
    if not app.AUTH:
        return True
    account_id, role_name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account_id}:assumed-role/{role_name}/lambda",
        principal_type="AssumedRole",
        principal_account=account_id,
        action=action,
        resource_arn=resource_arn,
        region=region,
    )
    policies = _gather_policies(role_name, account_id)
    limits = _boundary(iam._roles, role_name, account_id)
    return bool(iam_evaluator.evaluate(context, policies, *limits).decision == "Allow")
