"""Every asynchronous invocation passes one queue, with Lambda's retries and destinations.

AWS behaviour restored (developer guide, "Invoking a Lambda function asynchronously", "How Lambda
handles errors and retries with asynchronous invocation"; API reference, "Invoke"): Invoke with
InvocationType Event answers 202 once the event is queued, with the request id that the function
will see; the payload may have 1 MB.
"""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import unquote

from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions import routing, states, tracing
from helpers.local.functions.asynchronous import AsynchronousInvocations
from helpers.local.functions.invocation_rights import Invoker, check_invoker
from helpers.local.functions.refusal import Refused, Response, not_found, refusing
from helpers.local.patches.invoke_api import OWN_REQUEST_ID
from helpers.local.patches.lambda_execution import execute_record

# Lambda quotas, "Invocation payload": 1 MB asynchronous, since October 2025.
LARGEST_EVENT_BYTES = 1_048_576
_INVOCATION_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")

_functions = contract.expect(lambda_svc, "_functions")
_function_arn = contract.expect(lambda_svc, "_func_arn", ("name",))
_resolve_name = contract.expect(lambda_svc, "_resolve_request_scoped_name_and_qualifier", ("name_or_arn",))


@cache
def invocations() -> AsynchronousInvocations:
    """The queue of this local AWS."""
    return AsynchronousInvocations(execute_record)


def invoke_for(invoker: Invoker, function_arn: str, payload: bytes) -> None:
    """Queue an event that a service sends. Raises InvocationDenied when the function does not let it."""
    check_invoker(function_arn, invoker)
    invocations().enqueue(function_arn, payload)


def install() -> None:
    contract.replace(lambda_svc, "invoke_async_with_retry", ("func", "event"), _invoke_async)
    parameters = ("method", "path", "headers", "body", "query_params")
    handle = contract.expect(lambda_svc, "handle_request", parameters)

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Any:
        match = _INVOCATION_PATH.fullmatch(unquote(path)) if method == "POST" else None
        if match is None or headers.get("x-amz-invocation-type") != "Event":
            return await handle(method, path, headers, body, query_params)
        name, qualifier = _resolve_name(match[1])
        qualifier = qualifier or next(iter(query_params.get("Qualifier", [])), None)
        return refusing(_accept)(name, qualifier, headers, body)

    lambda_svc.handle_request = handle_request


def _accept(name: str, qualifier: str | None, headers: dict[str, str], body: bytes) -> Response:
    """Invoke with InvocationType Event."""
    arn = _function_arn(name) + (f":{qualifier}" if qualifier else "")
    function = _functions.get(name)
    if function is None or routing.resolve(function, qualifier) is None:
        raise not_found(f"Function not found: {arn}")
    states.check_active(function["config"])
    if len(body) > LARGEST_EVENT_BYTES:
        raise Refused(
            "RequestEntityTooLargeException",
            f"{len(body)} byte payload is too large for the Event invocation type "
            f"(limit {LARGEST_EVENT_BYTES} bytes)",
            413,
        )
    try:
        json.loads(body or b"{}")
    except ValueError as error:
        raise Refused(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}", 400
        ) from None
    request_id = invocations().enqueue(arn, body or b"{}", trace_header=headers.get(tracing.HEADER))
    return 202, {OWN_REQUEST_ID: request_id}, b""


def _invoke_async(func: dict[str, Any], event: Any) -> None:
    """What the emulator's services call."""
    invocations().enqueue(func["config"]["FunctionArn"], json.dumps(event).encode())
