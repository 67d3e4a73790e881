"""AWS's AppConfig agent layer can be attached to functions, and brings an agent of ours.

AWS behaviour restored (AppConfig user guide, "Adding the AWS AppConfig Agent Lambda extension" and
"Available versions of the AWS AppConfig Agent Lambda extension"): the layer belongs to an account of AWS,
another one in each Region, and anybody may attach it. The layer's content is AWS's, and is not handed out.
"""

import base64
import hashlib
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions.extensions.appconfig.layer import AgentLayer, package
from helpers.local.functions.refusal import not_implemented, preceded_by

_layers = contract.expect(lambda_svc, "_layers")
_denied = contract.expect(lambda_svc, "_layer_access_denied", ("layer_arn",))
_functions = contract.expect(lambda_svc, "_functions")
_DEFAULT_ARCHITECTURES = ["x86_64"]
_PUBLIC = {"Sid": "public", "Effect": "Allow", "Principal": "*", "Action": "lambda:GetLayerVersion"}


def install() -> None:
    resolve = contract.expect(lambda_svc, "_resolve_layer_version_for_attachment", ("layer_arn",))

    def resolve_for_attachment(layer_arn: str) -> Any:
        layer = AgentLayer.of_arn(layer_arn)
        if layer is None or not layer.is_aws_own:
            return _denied(layer_arn) if layer is not None else resolve(layer_arn)
        _publish(layer, layer_arn)
        return resolve(layer_arn)

    lambda_svc._resolve_layer_version_for_attachment = resolve_for_attachment
    by_arn = contract.expect(lambda_svc, "_get_layer_version_by_arn", ("arn",))
    lambda_svc._get_layer_version_by_arn = preceded_by(_refuse_content, by_arn)
    create = contract.expect(lambda_svc, "_create_function", ("data",))
    lambda_svc._create_function = preceded_by(_check_create, create)
    update = contract.expect(lambda_svc, "_update_config", ("name", "data"))
    lambda_svc._update_config = preceded_by(_check_update, update)


def _publish(layer: AgentLayer, arn: str) -> None:
    """Put a version of the layer where the emulator keeps that account's layers, if it is not there yet."""
    with request_scope(layer.account_id, layer.region):
        published = _layers.setdefault(layer.name, {"versions": [], "next_version": 1})
        if any(version["Version"] == layer.version for version in published["versions"]):
            return
        content = package()
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        published["versions"].append(
            {
                "LayerArn": arn.rpartition(":")[0],
                "LayerVersionArn": arn,
                "Version": layer.version,
                "CompatibleArchitectures": [layer.architecture],
                "Content": {"CodeSize": len(content), "CodeSha256": digest},
                "_zip_data": content,
                "_policy": {
                    "Version": "2012-10-17",
                    "Id": "default",
                    "Statement": [{**_PUBLIC, "Resource": arn}],
                },
            }
        )


def _refuse_content(arn: str) -> None:
    layer = AgentLayer.of_arn(arn)
    if layer is not None and layer.is_aws_own:
        raise not_implemented(
            f"hand out the content of {arn}, which is AWS's. A function with this layer gets an agent of the "
            "local AWS's own."
        )


def _check_create(data: dict[str, Any]) -> None:
    _check_architecture(data.get("Layers") or [], data.get("Architectures") or _DEFAULT_ARCHITECTURES)


def _check_update(name: str, data: dict[str, Any]) -> None:
    function = _functions.get(name)
    if function is not None:
        architectures = function["config"].get("Architectures") or _DEFAULT_ARCHITECTURES
        _check_architecture(data.get("Layers") or [], architectures)


def _check_architecture(layers: list[Any], architectures: list[str]) -> None:
    """AWS takes it and the agent then fails to start; here it would start."""
    for arn in layers:
        layer = AgentLayer.of_arn(str(arn))
        if layer is not None and layer.is_aws_own and layer.architecture not in architectures:
            raise not_implemented(
                f"run {layer.name}, whose programs are for {layer.architecture}, in a function for "
                f"{architectures[0]}. On AWS its extension cannot be started there."
            )
