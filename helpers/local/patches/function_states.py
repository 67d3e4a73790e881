"""A function is Pending after its creation and being updated after an update, as on AWS.

AWS behaviour restored (developer guide, "Lambda function states"): a new function cannot be
invoked or changed while it is Pending; an update leaves the function Active, with
LastUpdateStatus InProgress, and a second one is refused until the first is through. Code that
does not wait would fail on AWS, so it fails here. AWS needs about a second, this a fifth of one:
long enough to catch who does not wait, and short for a tuning run, which waits at every size.
"""

import contextvars
import functools
import re
import threading
from typing import Any
from urllib.parse import unquote

from ministack.core.responses import json_response, new_uuid
from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions import states
from helpers.local.functions.refusal import Handler, Refused, Response, preceded_by

SETTLE_S = 0.2

_INVOCATION_PATH = re.compile(r"/[0-9-]+/functions/([^/]+)/(?:invocations|response-streaming-invocations)/?")
_functions = contract.expect(lambda_svc, "_functions")
_resolve_name = contract.expect(lambda_svc, "_resolve_request_scoped_name", ("name_or_arn",))


def install() -> None:
    contract.replace(lambda_svc, "_schedule_state_transition", ("func_name", "delay"), _settle_after)
    create = contract.expect(lambda_svc, "_create_function", ("data",))
    lambda_svc._create_function = _created(create)
    for name in ("_update_config", "_update_code"):
        update = contract.expect(lambda_svc, name, ("name", "data"))
        setattr(lambda_svc, name, preceded_by(_check_settled, _updated(update)))
    handle = contract.expect(
        lambda_svc, "handle_request", ("method", "path", "headers", "body", "query_params")
    )
    lambda_svc.handle_request = _refusing_pending(handle)


def _check_settled(name: str, data: dict[str, Any]) -> None:
    function = _functions.get(name)
    if function is not None:
        states.check_settled(function["config"])


def _created(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def handle(data: dict[str, Any]) -> Response:
        response = handler(data)
        function = _functions.get(data.get("FunctionName"))
        if response[0] != 201 or function is None:
            return response
        states.begin_creation(function["config"])
        answer: Response = json_response(function["config"], 201)
        return answer

    return handle


def _updated(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def handle(name: str, data: dict[str, Any]) -> Response:
        response = handler(name, data)
        function = _functions.get(name)
        if response[0] != 200 or function is None or data.get("DryRun"):
            return response
        states.begin_update(function["config"])
        answer: Response = json_response(function["config"])
        return answer

    return handle


def _settle_after(func_name: str, delay: float) -> None:
    """In place of the emulator's own timer and its `delay`: the function of the current account."""
    function = _functions.get(func_name)
    if function is None:
        return

    def settle() -> None:
        if _functions.get(func_name) is not function:
            return
        for record in (function, *function["versions"].values()):
            if record["config"].get("LastUpdateStatus") != "Successful":
                states.settle(record["config"], new_uuid())

    context = contextvars.copy_context()
    timer = threading.Timer(SETTLE_S, context.run, args=(settle,))
    timer.daemon = True
    timer.start()


def _refusing_pending(handler: Any) -> Any:
    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, list[str]]
    ) -> Any:
        match = _INVOCATION_PATH.fullmatch(unquote(path)) if method == "POST" else None
        function = _functions.get(_resolve_name(match[1])) if match else None
        if function is not None:
            try:
                states.check_active(function["config"])
            except Refused as refused:
                return refused.response()
        return await handler(method, path, headers, body, query_params)

    return handle
