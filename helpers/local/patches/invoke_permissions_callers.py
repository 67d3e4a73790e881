"""Load balancers and user pools invoke a function only when the function's policy lets them.

AWS behaviour restored (Elastic Load Balancing user guide, "Lambda functions as targets", permissions
to invoke the function; Cognito developer guide, "Customizing user pool workflows with Lambda
triggers", permissions): without the permission a target cannot be registered, and a trigger fails.
"""

import contextvars
import functools
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import alb, cognito, lambda_svc

from helpers.local import contract
from helpers.local.functions.invocation_rights import Invoker, may_invoke

_TRIGGERS = (
    "_apply_pretoken_trigger",
    "_apply_presignup_trigger",
    "_apply_inbound_federation_trigger",
    "_apply_custom_message_trigger",
    "_invoke_define_auth_challenge_trigger",
    "_invoke_create_auth_challenge_trigger",
    "_invoke_verify_auth_challenge_trigger",
)

_parameter = contract.expect(alb, "_p")
_targets_of = contract.expect(alb, "_parse_targets_param", ("params", "prefix"))
_error = contract.expect(alb, "_error", ("code", "message", "status"))

_invoker: contextvars.ContextVar[Invoker | None] = contextvars.ContextVar("invoker", default=None)


def install() -> None:
    execute = contract.expect(lambda_svc, "_execute_function", ("func", "event"))

    def execute_function(func: dict[str, Any], event: Any) -> dict[str, Any]:
        invoker = _invoker.get()
        arn = func["config"]["FunctionArn"]
        if invoker is not None and not may_invoke(arn, invoker):
            body = {
                "errorType": "AccessDeniedException",
                "errorMessage": f"{invoker.service} may not invoke {arn}",
            }
            return {"error": True, "function_error": "Unhandled", "body": body, "log": ""}
        result: dict[str, Any] = execute(func, event)
        return result

    lambda_svc._execute_function = execute_function
    for name in _TRIGGERS:
        setattr(cognito, name, _trigger(contract.expect(cognito, name)))
    register = contract.expect(alb, "_register_targets", ("params",))
    contract.expect(alb, "_ACTION_MAP")["RegisterTargets"] = _checking_targets(register)
    alb._invoke_lambda_target = _target(contract.expect(alb, "_invoke_lambda_target"))


def _trigger(original: Callable[..., Any]) -> Callable[..., Any]:
    """The pool is the first argument: its id, or its description."""

    @functools.wraps(original)
    def invoke(pool: Any, *arguments: Any, **keywords: Any) -> Any:
        pool_id = pool if isinstance(pool, str) else pool["Id"]
        region = pool_id.partition("_")[0]
        source_arn = f"arn:aws:cognito-idp:{region}:{get_account_id()}:userpool/{pool_id}"
        token = _invoker.set(Invoker("cognito-idp.amazonaws.com", source_arn, get_account_id()))
        try:
            return original(pool, *arguments, **keywords)
        finally:
            _invoker.reset(token)

    return invoke


def _target(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The permission may have been taken back since the target was registered."""

    @functools.wraps(original)
    async def invoke(function_ref: str, tg_arn: str, *arguments: Any, **keywords: Any) -> Any:
        token = _invoker.set(_group_as_invoker(tg_arn))
        try:
            return await original(function_ref, tg_arn, *arguments, **keywords)
        finally:
            _invoker.reset(token)

    return invoke


def _group_as_invoker(group_arn: str) -> Invoker:
    return Invoker("elasticloadbalancing.amazonaws.com", group_arn, group_arn.split(":")[4])


def _checking_targets(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def register(params: Any) -> Any:
        group_arn = _parameter(params, "TargetGroupArn")
        invoker = _group_as_invoker(group_arn)
        for target in _targets_of(params):
            if ":function:" in target["Id"] and not may_invoke(target["Id"], invoker):
                return _error(
                    "AccessDenied",
                    f"elasticloadbalancing principal does not have permission to invoke {target['Id']} "
                    f"from target group {group_arn}",
                    403,
                )
        return original(params)

    return register
