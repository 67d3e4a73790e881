"""Parameter Store by AWS's rules for names, sizes, tiers, versions, labels, permissions and keys.

AWS: AWS Systems Manager user guide, "Managing parameter tiers", "Working with parameter hierarchies",
"Restricting access to Parameter Store parameters using IAM policies", "AWS KMS encryption for AWS Systems
Manager Parameter Store SecureString parameters" and "Monitoring or triggering actions based on Parameter
Store events"; API reference of the operations.
"""

import functools
import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import ssm

from helpers.local import contract
from helpers.local.functions.refusal import Handler, Refused, Response, preceded_by, refusing
from helpers.local.services import key_use
from helpers.local.services.parameter_store import access, filters, labels, paths, secure_strings, versions
from helpers.local.services.parameter_store.changes import announce
from helpers.local.services.parameter_store.names import check_characters


def install() -> None:
    access.install()
    describe = contract.expect(ssm, "_param_out", ("param", "with_decryption"))
    ssm._param_out = _described(describe)
    contract.replace(ssm, "_get_parameters_by_path", ("data",), refusing(_get_parameters_by_path))
    for name, wrapped in (
        ("_put_parameter", versions.putting),
        ("_label_parameter_version", _labelling),
        ("_get_parameter_history", _with_history_decrypted),
        ("_delete_parameter", _announcing_deletions),
        ("_delete_parameters", _announcing_deletions),
    ):
        setattr(ssm, name, refusing(wrapped(contract.expect(ssm, name, ("data",)))))
    for name in ("_get_parameter", "_get_parameters"):
        setattr(ssm, name, preceded_by(_check_names, refusing(contract.expect(ssm, name, ("data",)))))
    contract.replace(ssm, "_apply_filter", ("param", "key", "option", "values"), filters.passes)
    describe_all = contract.expect(ssm, "_describe_parameters", ("data",))
    ssm._describe_parameters = preceded_by(filters.check_filters, describe_all)
    parameters = ("method", "path", "headers", "body", "query_params")
    handle = contract.expect(ssm, "handle_request", parameters)

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any
    ) -> Any:
        key_use.remember_caller(headers, query_params)
        try:
            access.check_every_name(headers, body)
        except Refused as refused:
            return refused.response()
        return await handle(method, path, headers, body, query_params)

    ssm.handle_request = handle_request


def _described(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def describe(param: dict[str, Any], with_decryption: bool = False) -> dict[str, Any]:
        answer = original(param, False)
        if with_decryption and param["Type"] == secure_strings.TYPE:
            answer["Value"] = secure_strings.decrypted(param)
        return answer

    return describe


def _check_names(data: dict[str, Any]) -> None:
    for name in data.get("Names") or [data.get("Name", "")]:
        if not name.startswith("arn:"):
            check_characters(name.partition(":")[0])


def _get_parameters_by_path(data: dict[str, Any]) -> Response:
    found, next_token = paths.page(data)
    with_decryption = bool(data.get("WithDecryption"))
    answer: dict[str, Any] = {"Parameters": [ssm._param_out(each, with_decryption) for each in found]}
    if next_token is not None:
        answer["NextToken"] = next_token
    response: Response = json_response(answer)
    return response


def _labelling(original: Handler) -> Handler:
    """Labels that AWS does not take are answered as invalid, and the others are attached."""

    @functools.wraps(original)
    def label(data: dict[str, Any]) -> Response:
        valid, invalid = labels.sorted_out(data)
        status, headers, body = original({**data, "Labels": valid})
        if status >= 300:
            return status, headers, body
        if valid:
            announce("LabelParameterVersion", data["Name"])
        answer = {**json.loads(body), "InvalidLabels": invalid}
        return status, headers, json.dumps(answer).encode()

    return preceded_by(labels.check, label)


def _with_history_decrypted(original: Handler) -> Handler:
    @functools.wraps(original)
    def get_history(data: dict[str, Any]) -> Response:
        status, headers, body = original({**data, "WithDecryption": False})
        if status >= 300 or not data.get("WithDecryption"):
            return status, headers, body
        answer = json.loads(body)
        for entry in answer["Parameters"]:
            if entry["Type"] == secure_strings.TYPE:
                entry["Value"] = secure_strings.decrypted(entry)
        return status, headers, json.dumps(answer).encode()

    return get_history


def _announcing_deletions(original: Handler) -> Handler:
    @functools.wraps(original)
    def delete(data: dict[str, Any]) -> Response:
        names = data.get("Names") or [data.get("Name")]
        existing = [name for name in names if name in ssm._parameters]
        before = {name: ssm._parameters[name] for name in existing}
        response = original(data)
        for name, record in before.items():
            if name not in ssm._parameters:
                announce("Delete", name, record)
        return response

    return delete
