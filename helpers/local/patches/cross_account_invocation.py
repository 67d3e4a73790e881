"""A function of another account can be called by its ARN when its policy allows the caller.

AWS behaviour restored (developer guide, "Granting function access to other accounts" and "Granting
function access to an organization"): the ARN decides whose function is meant; the caller's own
policies and the function's resource-based policy must both allow, also for the root user of the
other account, and with the condition aws:PrincipalOrgID for every account of an organization.
What is invoked under a version or alias is authorized under its qualified ARN.
"""

import re
from typing import Any
from urllib.parse import unquote

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import lambda_svc, organizations

from helpers.local import contract
from helpers.local.functions.invocation_rights import find
from helpers.local.functions.refusal import Refused, not_found
from helpers.local.patches import resource_arns
from helpers.local.patches.resource_arns import Request, derived_arn

_FUNCTION_PATH = re.compile(r"/[0-9-]+/functions/(arn:[^/]+)(/.*)?")
_INVOCATION_PATH = re.compile(r"/[0-9-]+/functions/[^/]+/(?:invocations|response-streaming-invocations)/?")

_action_of = contract.expect(iam_actions, "extract_iam_action")
_accounts = contract.expect(organizations, "_accounts")
_organizations = contract.expect(organizations, "_orgs")


def install() -> None:
    contract.replace(lambda_svc, "function_policy_for_arn", ("resource_arn",), _policy_and_owner)
    contract.replace(iam_evaluator, "_principal_org_id", ("account_id",), _organization_of)
    resource_arns.register("lambda", _authorized_arn)
    parameters = ("method", "path", "headers", "body", "query_params")
    handle = contract.expect(lambda_svc, "handle_request", parameters)

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Any:
        match = _FUNCTION_PATH.fullmatch(unquote(path))
        if match is None:
            return await handle(method, path, headers, body, query_params)
        _, _, _, region, account_id, *_ = match[1].split(":")
        try:
            if region != get_region():
                raise not_found(
                    f"Functions from '{region}' are not reachable in this region ('{get_region()}')"
                )
            if account_id != get_account_id():
                action = _action_of("lambda", method, path, headers, body, query_params)
                _check_foreign_caller(_qualified(match[1], query_params), action or "")
        except Refused as refused:
            return refused.response()
        with request_scope(account_id, region):
            return await handle(method, path, headers, body, query_params)

    lambda_svc.handle_request = handle_request


def _policy_and_owner(resource_arn: str) -> tuple[dict[str, Any], str] | None:
    """Asked by the emulator's authorization, for the function that the ARN names."""
    function = find(unquote(resource_arn))
    return (function["policy"], resource_arn.split(":")[4]) if function is not None else None


def _check_foreign_caller(function_arn: str, action: str) -> None:
    """The emulator has checked the caller's own policies, and lets root users do everything."""
    if not app.AUTH:
        return
    caller = iam_evaluator.caller_arn()
    context = iam_evaluator.EvalContext(
        principal_arn=caller,
        principal_type="Root" if caller.endswith(":root") else "AssumedRole",
        principal_account=get_account_id(),
        action=action,
        resource_arn=function_arn,
        region=get_region(),
    )
    function = find(function_arn) or {}
    allowed = iam_evaluator.evaluate_resource_policy(function.get("policy"), context)
    if allowed.decision != "Allow":
        raise Refused(
            "AccessDeniedException",
            f"User: {caller} is not authorized to perform: {action} on resource: {function_arn} "
            f"because no resource-based policy allows the {action} action",
            403,
        )


def _organization_of(account_id: str) -> str | None:
    """The organization that an account belongs to: as a member, or as its management account."""
    managers = [manager for manager, member in _accounts.to_dict() if member == account_id]
    # The emulator makes an organization for every account that asks for one: membership goes first.
    for manager in sorted(managers, key=lambda each: each == account_id):
        organization = _organizations.get_scoped(manager, None, "self")
        if organization is not None:
            return str(organization["Id"])
    return None


def _authorized_arn(request: Request) -> str | None:
    if request.method != "POST" or not _INVOCATION_PATH.fullmatch(unquote(request.path)):
        return None
    return _qualified(derived_arn(request), request.query_params)


def _qualified(function_arn: str, query_params: dict[str, Any]) -> str:
    given = query_params.get("Qualifier")
    qualifier = given[0] if isinstance(given, list) else given
    if not qualifier or len(function_arn.split(":")) > 7:
        return function_arn
    return f"{function_arn}:{qualifier}"
