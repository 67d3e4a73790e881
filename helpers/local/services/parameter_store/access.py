"""On which resources a request to Parameter Store is authorised.

AWS: Systems Manager user guide, "Restricting access to Parameter Store parameters using IAM policies";
Service authorization reference, "Actions, resources, and condition keys for AWS Systems Manager": the
parameter's ARN, without the slash at its beginning doubled and without a selector; the ARN of the path for
GetParametersByPath, whatever is below it; each of the parameters of GetParameters and DeleteParameters.
"""

import json

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import ssm

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.patches import resource_arns
from helpers.local.patches.resource_arns import Request
from helpers.local.services import key_use
from helpers.local.services.parameter_store.names import constraint_broken

MAXIMUM_NAMES = 10
_OF_NAMES = ("GetParameters", "DeleteParameters")
_OF_NAME = (
    *("PutParameter", "GetParameter", "GetParameterHistory", "DeleteParameter"),
    *("LabelParameterVersion", "UnlabelParameterVersion"),
)

_split_selector = contract.expect(ssm, "_split_selector", ("name_or_arn",))


def install() -> None:
    resource_arns.register("ssm", _resource_arn)


def check_every_name(headers: dict[str, str], body: bytes) -> None:
    """The first name of a request is authorised with all requests, the others here: all or nothing."""
    action = _action_of(headers)
    if action not in _OF_NAMES:
        return
    names = json.loads(body or b"{}").get("Names") or []
    if len(names) > MAXIMUM_NAMES:
        constraint = f"Member must have length less than or equal to {MAXIMUM_NAMES}"
        raise constraint_broken(f"[{', '.join(names)}]", "names", constraint)
    if not app.AUTH:
        return
    for name in names[1:]:
        arn = _arn_of(name, get_region(), get_account_id())
        denied = key_use.caller_denied(f"ssm:{action}", "ssm", arn)
        if denied is not None:
            message = key_use.denial_message(denied, f"ssm:{action}", arn)
            raise Refused("AccessDeniedException", message, 400)


def _resource_arn(request: Request) -> str | None:
    action = _action_of(request.headers)
    if action == "DescribeParameters":
        return f"arn:aws:ssm:{request.region}:{request.account_id}:*"
    if action not in (*_OF_NAMES, *_OF_NAME, "GetParametersByPath"):
        return None
    named = _named_first(action, request.body)
    return None if named is None else _arn_of(named, request.region, request.account_id)


def _named_first(action: str, body: bytes) -> str | None:
    """None when the request cannot be read, which its handler says."""
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return None
    if action == "GetParametersByPath":
        named = data.get("Path")
    else:
        named = (data.get("Names") or [None])[0] if action in _OF_NAMES else data.get("Name")
    return named if isinstance(named, str) and named else None


def _arn_of(named: str, region: str, account_id: str) -> str:
    base, _ = _split_selector(named)
    if base.startswith("arn:"):
        return str(base)
    return f"arn:aws:ssm:{region}:{account_id}:parameter/{base.removeprefix('/')}"


def _action_of(headers: dict[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]
