"""Rotation of secrets by a function, which MiniStack answers without ever calling the function.

AWS: AWS Secrets Manager user guide, "Rotate AWS Secrets Manager secrets", "Lambda rotation functions",
"Rotation schedules" and "Troubleshoot AWS Secrets Manager rotation"; API reference, "RotateSecret",
"CancelRotateSecret" and "DescribeSecret".
"""

import functools
import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import secretsmanager

from helpers.local import contract
from helpers.local.functions.refusal import Handler, Refused, Response
from helpers.local.services import key_use
from helpers.local.services.secret_rotation import api
from helpers.local.services.secret_rotation.timer import RotationTimer


def install() -> None:
    timer = RotationTimer()
    operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "RotateSecret": functools.partial(api.rotate_secret, timer),
        "CancelRotateSecret": api.cancel_rotate_secret,
    }
    parameters = ("method", "path", "headers", "body", "query_params")
    handle = contract.expect(secretsmanager, "handle_request", parameters)

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any
    ) -> Any:
        key_use.remember_caller(headers, query_params)
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation not in operations:
            return await handle(method, path, headers, body, query_params)
        try:
            return json_response(operations[operation](json.loads(body or b"{}")))
        except Refused as refused:
            return refused.response()

    secretsmanager.handle_request = handle_request
    describe = contract.expect(secretsmanager, "_describe_secret", ("data",))
    secretsmanager._describe_secret = _with_dates(describe, lambda answer: [answer])
    list_all = contract.expect(secretsmanager, "_list_secrets", ("data",))
    secretsmanager._list_secrets = _with_dates(list_all, lambda answer: answer["SecretList"])


def _with_dates(handler: Handler, entries_of: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> Handler:
    """A handler whose descriptions of secrets tell of their rotation, too."""

    @functools.wraps(handler)
    def describe(data: dict[str, Any]) -> Response:
        status, headers, body = handler(data)
        if status >= 300:
            return status, headers, body
        answer = json.loads(body)
        for entry in entries_of(answer):
            entry.update(api.rotation_of(entry["ARN"]))
        return status, headers, json.dumps(answer).encode()

    return describe
