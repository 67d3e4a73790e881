"""CloudFormation fails what API Gateway refuses of a REST API, such as a method's integration.

MiniStack's provisioners do not look at the answers. CloudFormation user guide, AWS::ApiGateway::RestApi,
AWS::ApiGateway::Method, AWS::ApiGateway::Deployment and AWS::ApiGateway::Stage.
"""

import functools
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.patches.rest_api_configuration import refusals

RESOURCES = ("RestApi", "Method", "Deployment", "Stage")


def install() -> None:
    handlers = contract.expect(provisioners, "_RESOURCE_HANDLERS")
    for resource in RESOURCES:
        handler = handlers[f"AWS::ApiGateway::{resource}"]
        for operation in ("create", "update"):
            handler[operation] = _failing_when_refused(handler[operation])


def _failing_when_refused(provision: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(provision)
    def guarded(*arguments: Any, **keywords: Any) -> Any:
        refused: list[Refused] = []
        token = refusals.set(refused)
        try:
            result = provision(*arguments, **keywords)
        finally:
            refusals.reset(token)
        if refused:
            raise ValueError(refused[0].message)
        return result

    return guarded
