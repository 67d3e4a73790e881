"""The resource that a request is authorized on, by service.

AWS behaviour restored (Service authorization reference, "Actions, resources, and condition keys for AWS
services"): an action is authorized on the ARN of its resource type. MiniStack derives the ARNs of all
services in one function. Where that does not do what AWS does, a function is registered for the service.
"""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_actions

from helpers.local import contract


@dataclass(frozen=True)
class Request:
    """What MiniStack derives an ARN from, under the names that its function takes.

    `service` is MiniStack's name for it, such as "ssm". `query_params` has the fields of a form, too: each a
    text, or a list of texts.
    """

    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query_params: dict[str, Any]
    region: str
    account_id: str


_PARAMETERS = tuple(field.name for field in dataclasses.fields(Request))
_derived = contract.expect(iam_actions, "extract_resource_arn", _PARAMETERS)
_by_service: dict[str, Callable[[Request], str | None]] = {}


def install() -> None:
    contract.replace(iam_actions, "extract_resource_arn", _PARAMETERS, _resource_arn)


def register(service: str, arn_of: Callable[[Request], str | None]) -> None:
    """Have requests to `service` authorized on what `arn_of` returns; None leaves it to MiniStack.

    Raises ValueError when the service has a function already.
    """
    if service in _by_service:
        raise ValueError(
            f"{_by_service[service].__module__} already says on which resource requests to {service} are "
            f"authorized. Expected one function a service: extend that one instead of {arn_of.__module__}."
        )
    _by_service[service] = arn_of


def derived_arn(request: Request) -> str:
    """What MiniStack derives: "*" when it knows no resource."""
    return str(_derived(**vars(request)))


@functools.wraps(_derived)
def _resource_arn(*arguments: Any, **keywords: Any) -> str:
    request = Request(*arguments, **keywords)
    arn_of = _by_service.get(request.service)
    arn = arn_of(request) if arn_of is not None else None
    return derived_arn(request) if arn is None else arn
