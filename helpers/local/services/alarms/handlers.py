"""The emulator's handlers of requests about alarms and metrics, with what AWS does beyond them.

AWS: CloudWatch API reference, "PutMetricAlarm", "PutCompositeAlarm", "SetAlarmState", "PutMetricData" and
"DescribeAlarmsForMetric".
"""

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import cloudwatch

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.services.alarms import requests
from helpers.local.services.alarms.evaluator import Evaluator, changing, high_resolution_metrics, metric_key

# Of the emulator: takes parameters of the Query protocol, a body, and whether that is CBOR or JSON.
Handler = Callable[..., Any]
# What a request asks, and what the emulator's handler is called with.
Operation = Callable[[dict[str, Any], tuple[Any, ...]], Any]

# What an alarm keeps when its configuration is overwritten, beside what MiniStack keeps of it.
_KEPT = ("StateReasonData", "StateTransitionedTimestamp")
# By these, DescribeAlarmsForMetric may be narrowed.
_METRIC_FILTERS = ("Statistic", "ExtendedStatistic", "Period", "Unit")

_alarms = contract.expect(cloudwatch, "_alarms")
_composite_alarms = contract.expect(cloudwatch, "_composite_alarms")
_error = contract.expect(cloudwatch, "_error", ("code", "message", "status", "use_json", "use_cbor"))
_cbor_ok = contract.expect(cloudwatch, "_cbor_ok", ("data",))
_cbor_alarm = contract.expect(cloudwatch, "_cbor_alarm", ("alarm",))
_json_ok = contract.expect(cloudwatch, "_json_ok", ("data",))
_xml = contract.expect(cloudwatch, "_xml", ("status", "root_tag", "inner"))


def handler_of(operation: Operation) -> Handler:
    """Alarms do not change meanwhile, and what is refused is answered."""

    def handler(
        params: dict[str, Any], cbor_data: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> Any:
        request = requests.request_of(params, cbor_data)
        try:
            with changing:
                return operation(request, (params, cbor_data, is_cbor, is_json))
        except Refused as refused:
            return _error(refused.code, refused.message, refused.status, use_json=is_json, use_cbor=is_cbor)

    return handler


def putting_metric_alarm(put: Handler) -> Operation:
    def operation(request: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
        requests.check_metric_alarm(request)
        requests.check_name(request["AlarmName"], _composite_alarms)
        previous = _alarms.get(request["AlarmName"]) or {}
        response = put(*arguments)
        if response[0] < 300:
            alarm = _alarms[request["AlarmName"]]
            alarm.update({name: previous[name] for name in _KEPT if name in previous})
            # The emulator does not read them in the Query protocol.
            alarm["InsufficientDataActions"] = request.get("InsufficientDataActions") or []
            if request.get("ExtendedStatistic"):
                # The emulator puts one there that nobody asked for.
                del alarm["Statistic"]
        return response

    return operation


def putting_composite_alarm(put: Handler) -> Operation:
    def operation(request: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
        requests.check_composite_alarm(request)
        requests.check_name(request["AlarmName"], _alarms)
        return put(*arguments)

    return operation


def setting_state(set_state: Handler) -> Operation:
    def operation(request: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
        requests.check_state(request)
        alarm = _alarms.get(request.get("AlarmName"))
        if alarm is not None and not request.get("StateReasonData"):
            alarm.pop("StateReasonData", None)
        return set_state(*arguments)

    return operation


def putting_metric_data(put: Handler, evaluator: Evaluator) -> Operation:
    """Notes which metrics have values by the second, and has the alarms on what was put evaluated."""

    def operation(request: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
        response = put(*arguments)
        if response[0] >= 300:
            return response
        keys = set()
        for datum in request.get("MetricData") or []:
            key = metric_key({**datum, "Namespace": request["Namespace"]})
            keys.add(key)
            if int(datum.get("StorageResolution") or 60) == 1:
                high_resolution_metrics[key] = True
        evaluator.schedule(name for name, alarm in _alarms.items() if metric_key(alarm) in keys)
        return response

    return operation


def describe_alarms_for_metric(request: dict[str, Any], arguments: tuple[Any, ...]) -> Any:
    """An alarm on the same metric with other dimensions is one on another metric."""
    _, _, is_cbor, is_json = arguments
    key = metric_key(request)
    found = [
        alarm
        for alarm in _alarms.values()
        if metric_key(alarm) == key
        # As text: the Query protocol has nothing else.
        and all(str(request[name]) == str(alarm.get(name)) for name in _METRIC_FILTERS if request.get(name))
    ]
    if is_cbor:
        return _cbor_ok({"MetricAlarms": [_cbor_alarm(alarm) for alarm in found]})
    if is_json:
        return _json_ok({"MetricAlarms": found})
    members = "".join(f"<member>{_described(alarm)}</member>" for alarm in found)
    result = "DescribeAlarmsForMetricResult"
    return _xml(
        200,
        "DescribeAlarmsForMetricResponse",
        f"<{result}><MetricAlarms>{members}</MetricAlarms></{result}>",
    )


def _described(alarm: dict[str, Any]) -> str:
    names = ("AlarmName", "AlarmArn", "StateValue")
    return "".join(f"<{name}>{escape(alarm[name])}</{name}>" for name in names)
