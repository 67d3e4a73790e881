"""DescribeLogGroups and DescribeLogStreams tell how much is stored, without reading it.

Restores: `storedBytes` counts what is still kept, in the bytes that CloudWatch Logs bills (MiniStack reads
every event of every stream and counts characters); that of a log stream is always 0; log groups are
filtered by their class and by identifiers. CloudWatch Logs API reference, "DescribeLogGroups",
"DescribeLogStreams" and "LogStream".
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region, json_response
from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.functions.refusal import Refused, Response, not_implemented, refusing
from helpers.local.patches.log_ingestion import EVENT_OVERHEAD_BYTES
from helpers.local.services.logs_insights.event_index import index_of

MAXIMUM_PAGE = 50

_log_groups = contract.expect(cloudwatch_logs, "_log_groups")
_metric_filters = contract.expect(cloudwatch_logs, "_metric_filters")
_group_arn: Callable[[str], str] = contract.expect(cloudwatch_logs, "_make_group_arn_no_star", ("name",))
_name_of_arn = contract.expect(cloudwatch_logs, "_log_group_name_from_identifier_arn", ("identifier",))
_decode_token: Callable[[str | None], int] = contract.expect(cloudwatch_logs, "_decode_token", ("token",))
_encode_token: Callable[[int], str] = contract.expect(cloudwatch_logs, "_encode_token", ("offset",))


def install() -> None:
    contract.replace(cloudwatch_logs, "_describe_log_groups", ("data",), refusing(_describe_log_groups))
    contract.replace(cloudwatch_logs, "_describe_log_streams", ("data",), refusing(_describe_log_streams))


def _describe_log_groups(data: dict[str, Any]) -> Response:
    if data.get("includeLinkedAccounts") or data.get("accountIdentifiers"):
        raise not_implemented("DescribeLogGroups of linked accounts: it has no monitoring accounts")
    prefix, pattern = data.get("logGroupNamePrefix"), data.get("logGroupNamePattern")
    if prefix and pattern:
        raise _invalid("logGroupNamePrefix and logGroupNamePattern exclude each other: give one of them")
    groups: dict[str, dict[str, Any]] = dict(_log_groups.items())
    names = sorted(groups)
    if prefix:
        names = [name for name in names if name.startswith(prefix)]
    if pattern:
        names = [name for name in names if pattern.lower() in name.lower()]
    if data.get("logGroupIdentifiers"):
        named = {_name_of_arn(each) or each for each in data["logGroupIdentifiers"]}
        names = [name for name in names if name in named]
    if data.get("logGroupClass"):
        names = [name for name in names if _class_of(groups[name]) == data["logGroupClass"]]
    page, token = _page(names, data)
    return _answer({"logGroups": [_log_group(name, groups[name]) for name in page]} | token)


def _log_group(name: str, group: dict[str, Any]) -> dict[str, Any]:
    described = {
        "logGroupName": name,
        "arn": group["arn"],
        "logGroupArn": _group_arn(name),
        "creationTime": group["creationTime"],
        "storedBytes": sum(_stored_bytes(stream["events"]) for stream in list(group["streams"].values())),
        "metricFilterCount": sum(key[0] == name for key in _metric_filters),
        "logGroupClass": _class_of(group),
    }
    optional = {key: group[key] for key in ("retentionInDays", "kmsKeyId") if group.get(key) is not None}
    return described | optional


def _stored_bytes(events: Any) -> int:
    count = len(events)
    sizes = index_of(events).records(events, count)["size_bytes"]
    return int(sizes.sum()) + count * EVENT_OVERHEAD_BYTES


def _class_of(group: dict[str, Any]) -> str:
    return group.get("logGroupClass") or "STANDARD"


def _describe_log_streams(data: dict[str, Any]) -> Response:
    identifier = data.get("logGroupName") or data.get("logGroupIdentifier") or ""
    group_name = (_name_of_arn(identifier) if identifier.startswith("arn:") else None) or identifier
    group = _log_groups.get(group_name)
    if group is None:
        raise Refused(
            "ResourceNotFoundException", f"The specified log group does not exist: {identifier}", 400
        )
    prefix, order = data.get("logStreamNamePrefix"), data.get("orderBy", "LogStreamName")
    if prefix and order == "LastEventTime":
        raise _invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    streams = dict(group["streams"])
    names = sorted(name for name in streams if name.startswith(prefix or ""))
    if order == "LastEventTime":
        names.sort(key=lambda name: streams[name]["lastEventTimestamp"] or 0)
    if data.get("descending"):
        names.reverse()
    page, token = _page(names, data)
    return _answer({"logStreams": [_log_stream(group_name, name, streams[name]) for name in page]} | token)


def _log_stream(group_name: str, name: str, stream: dict[str, Any]) -> dict[str, Any]:
    location = f"arn:aws:logs:{get_region()}:{get_account_id()}"
    described = {
        "logStreamName": name,
        "creationTime": stream["creationTime"],
        "storedBytes": 0,
        "uploadSequenceToken": stream["uploadSequenceToken"],
        "arn": f"{location}:log-group:{group_name}:log-stream:{name}",
    }
    times = ("firstEventTimestamp", "lastEventTimestamp", "lastIngestionTime")
    return described | {key: stream[key] for key in times if stream[key] is not None}


def _page(names: list[str], data: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """The names that one answer describes, and `nextToken` when there are more."""
    limit = data.get("limit", MAXIMUM_PAGE)
    if not 1 <= limit <= MAXIMUM_PAGE:
        raise _invalid(f"limit must be between 1 and {MAXIMUM_PAGE}, not {limit}")
    first = _decode_token(data.get("nextToken"))
    end = first + limit
    return names[first:end], {"nextToken": _encode_token(end)} if end < len(names) else {}


def _invalid(message: str) -> Refused:
    return Refused("InvalidParameterException", message, 400)


def _answer(content: dict[str, Any]) -> Response:
    answer: Response = json_response(content)
    return answer
