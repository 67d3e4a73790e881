"""CloudFormation creates and updates functions by the rules of the Lambda API.

AWS behaviour restored (CloudFormation user guide, AWS::Lambda::Function): a property that Lambda
refuses fails the resource with Lambda's message; between the calls that make up an update
CloudFormation waits until the function has settled.
"""

import functools
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

from helpers.local import contract
from helpers.local.functions import function_rules, states
from helpers.local.functions.refusal import Refused, invalid_parameter
from helpers.local.functions.runtime_names import check_runtime
from helpers.local.patches.lambda_validation import check_role

FUNCTION = "AWS::Lambda::Function"


def install() -> None:
    handlers = contract.expect(provisioners, "_RESOURCE_HANDLERS")
    for kind, handler in handlers.items():
        if kind.startswith("AWS::Lambda::"):
            for operation in ("create", "update"):
                if operation in handler:
                    handler[operation] = _waiting(handler[operation])
    create = contract.expect(provisioners, "_lambda_create", ("logical_id", "props", "stack_name"))
    handlers[FUNCTION]["create"] = _checked(_waiting(create))


def _waiting(operation: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operation)
    def wait(*arguments: Any, **keywords: Any) -> Any:
        with states.waiting():
            return operation(*arguments, **keywords)

    return wait


def _checked(create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def checked(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        try:
            _check(props)
        except Refused as refused:
            # What the emulator's engine takes as the reason for which a resource failed.
            raise ValueError(refused.message) from None
        return create(logical_id, props, stack_name)

    return checked


def _check(props: dict[str, Any]) -> None:
    function_rules.check_settings(props)
    if not props.get("Runtime") or not props.get("Handler"):
        raise invalid_parameter(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    check_runtime(props["Runtime"])
    check_role(props.get("Role", ""))
