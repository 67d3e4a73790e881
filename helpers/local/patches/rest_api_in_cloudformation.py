"""CloudFormation fails a method of a REST API whose integration API Gateway refuses.

MiniStack's provisioner does not look at the answers. CloudFormation user guide, AWS::ApiGateway::Method.
"""

import functools
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.patches.rest_api_configuration import refusals

METHOD_RESOURCE = "AWS::ApiGateway::Method"


def install() -> None:
    handler = contract.expect(provisioners, "_RESOURCE_HANDLERS")[METHOD_RESOURCE]
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
