"""What belongs to which metric, in PutMetricData, GetMetricStatistics and GetMetricData.

Restores: namespaces that begin with AWS/ belong to AWS; a request without dimensions means the
metric without dimensions, not the sum over all of that name. Amazon CloudWatch user guide, "Metrics
concepts": a metric is a namespace, a name and its dimensions, and CloudWatch does not aggregate
across dimensions.
"""

from typing import Any

from ministack.services import cloudwatch

from helpers.local import contract

_original_put_metric_data: Any = None
_original_dimensions: Any = None
_parameter = contract.expect(cloudwatch, "_p", ("params", "key", "default"))
_error = contract.expect(cloudwatch, "_error", ("code", "message", "status", "use_json", "use_cbor"))


def install() -> None:
    global _original_put_metric_data, _original_dimensions
    parameters = ("params", "cbor_data", "is_cbor", "is_json")
    _original_put_metric_data = contract.replace(cloudwatch, "_put_metric_data", parameters, _put_metric_data)
    _original_dimensions = contract.replace(
        cloudwatch, "_dims_from_list", ("dimensions",), _requested_dimensions
    )


def _put_metric_data(
    params: dict[str, Any], cbor_data: dict[str, Any], is_cbor: bool, is_json: bool = False
) -> Any:
    given = cbor_data.get("Namespace", "") if is_cbor or is_json else _parameter(params, "Namespace")
    if given.startswith("AWS/"):
        message = f"The value {given} for parameter Namespace is invalid."
        return _error("InvalidParameterValue", message, 400, use_json=is_json, use_cbor=is_cbor)
    return _original_put_metric_data(params, cbor_data, is_cbor, is_json)


class _RequestedDimensions(dict[str, str]):
    """The emulator tests whether it is true, and takes an empty one for a wildcard."""

    def __bool__(self) -> bool:
        return True


def _requested_dimensions(dimensions: list[dict[str, str]]) -> _RequestedDimensions:
    return _RequestedDimensions(_original_dimensions(dimensions))
