"""StartQuery, GetQueryResults, StopQuery, DescribeQueries and GetLogRecord.

AWS: CloudWatch Logs API reference, under these names.
"""

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response, new_uuid
from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.services.logs_insights.compiler import MAXIMUM_LIMIT
from helpers.local.services.logs_insights.engine import prepare, run_query
from helpers.local.services.logs_insights.events import StreamEvents
from helpers.local.services.logs_insights.json_fields import fields_of_json
from helpers.local.services.logs_insights.pointers import Pointer
from helpers.local.services.logs_insights.requests import (
    RequestError,
    StartQueryRequest,
    invalid,
    not_found,
)
from helpers.local.services.logs_insights.runs import STATUSES, QueryRun
from helpers.local.services.logs_insights.scope import LAMBDA_FIELDS, SYSTEM_FIELDS
from helpers.local.services.logs_insights.syntax import MalformedQuery

Response: TypeAlias = tuple[Any, ...]
Operation: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]

MAXIMUM_PAGE = 10_000
MAXIMUM_DESCRIBED = 1000
MAXIMUM_CONCURRENT = 100
RUNS_KEPT = 100

_log_groups = contract.expect(cloudwatch_logs, "_log_groups")
_runs = contract.expect(cloudwatch_logs, "_queries")


def answering(operation: Operation) -> Callable[[dict[str, Any]], Response]:
    """The handler of an operation: its answer, or the error that it raises, as an HTTP response."""

    def handle(data: dict[str, Any]) -> Response:
        try:
            response: Response = json_response(operation(data))
        except RequestError as error:
            response = error_response_json(error.code, str(error), 400, error.members)
        return response

    return handle


def start_query(parameters: dict[str, Any]) -> dict[str, Any]:
    request = StartQueryRequest.of(parameters, get_account_id(), get_region(), MAXIMUM_LIMIT)
    streams = [stream for name in request.log_groups for stream in _streams(name)]
    try:
        plan = prepare(request.query, request.limit)
    except MalformedQuery as error:
        location = {"startCharOffset": error.start, "endCharOffset": error.end}
        compile_error = {"location": location, "message": str(error)}
        members = {"queryCompileError": compile_error}
        raise RequestError("MalformedQueryException", str(error), members) from error
    if sum(not run.ended for run in _runs.values()) >= MAXIMUM_CONCURRENT:
        message = f"You can have up to {MAXIMUM_CONCURRENT} concurrent CloudWatch Logs Insights queries"
        raise RequestError("LimitExceededException", message)
    run = QueryRun(new_uuid(), request.query, request.log_groups, int(time.time() * 1000))
    _forget_oldest()
    _runs[run.query_id] = run
    run.start(plan, [replace(stream, start_ms=request.start_ms, end_ms=request.end_ms) for stream in streams])
    return {"queryId": run.query_id}


def get_query_results(parameters: dict[str, Any]) -> dict[str, Any]:
    run = _run(parameters)
    count = parameters.get("maxItems", MAXIMUM_PAGE)
    if not isinstance(count, int) or not 1 <= count <= MAXIMUM_PAGE:
        raise invalid(f"maxItems must be between 1 and {MAXIMUM_PAGE}, not {count}")
    first = _position(parameters)
    # Read once: the thread that runs the query replaces it, after which the status changes.
    status, result = run.status, run.result
    rows = result.rows[first : first + count]
    answer = {
        "queryLanguage": "CWLI",
        "status": status,
        "results": [[{"field": name, "value": value} for name, value in row] for row in rows],
        "statistics": {
            "recordsMatched": float(result.records_matched),
            "recordsScanned": float(result.records_scanned),
            "bytesScanned": float(result.bytes_scanned),
            "estimatedRecordsSkipped": 0.0,
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": float(len(run.log_groups)),
            "resultCount": float(len(result.rows)),
        },
    }
    return answer | _next_token(first + count, len(result.rows))


def stop_query(parameters: dict[str, Any]) -> dict[str, Any]:
    run = _run(parameters)
    if not run.stop():
        raise invalid(f"The specified query is not running: {run.query_id} is {run.status}")
    return {"success": True}


def describe_queries(parameters: dict[str, Any]) -> dict[str, Any]:
    """Newest first. Queries are kept until RUNS_KEPT more have been started."""
    group, status = parameters.get("logGroupName"), parameters.get("status")
    if status not in (None, *STATUSES):
        raise invalid(f"status must be one of {', '.join(STATUSES)}, not {status}")
    if parameters.get("queryLanguage", "CWLI") != "CWLI":
        return {"queries": []}
    count, first = parameters.get("maxResults", MAXIMUM_DESCRIBED), _position(parameters)
    if not isinstance(count, int) or not 1 <= count <= MAXIMUM_DESCRIBED:
        raise invalid(f"maxResults must be between 1 and {MAXIMUM_DESCRIBED}, not {count}")
    runs: list[QueryRun] = [
        run
        for run in reversed(_runs.values())
        if group in (None, *run.log_groups) and status in (None, run.status)
    ]
    queries = [
        {
            "queryLanguage": "CWLI",
            "queryId": run.query_id,
            "queryString": run.query_string,
            "status": run.status,
            "createTime": run.created_ms,
            "logGroupName": group or run.log_groups[0],
            "queryDuration": run.duration_ms,
            "bytesScanned": float(run.result.bytes_scanned),
        }
        for run in runs[first : first + count]
    ]
    return {"queries": queries} | _next_token(first + count, len(runs))


def get_log_record(parameters: dict[str, Any]) -> dict[str, Any]:
    try:
        pointer = Pointer.decode(parameters.get("logRecordPointer") or "")
    except ValueError:
        raise invalid("logRecordPointer must be the value of @ptr in the results of a query") from None
    account_id, _, group = pointer.log.partition(":")
    if account_id != get_account_id():
        raise not_found(f"The log event of this logRecordPointer is in account {account_id}")
    stream = next((each for each in _streams(group) if each.log_stream == pointer.log_stream), None)
    index = pointer.find(stream.events) if stream else None
    if stream is None or index is None:
        raise not_found("The log event of this logRecordPointer does not exist any more")
    event = stream.events[index]
    query = f"fields {', '.join([*SYSTEM_FIELDS, *LAMBDA_FIELDS])}"
    [row] = run_query(query, [replace(stream, events=[event], count=1)]).rows
    json_fields = fields_of_json(event["message"], stream.from_lambda) if stream.discovery else {}
    return {"logRecord": dict(row) | json_fields}


def _streams(group_name: str) -> list[StreamEvents]:
    """What the streams of a log group hold now. Raises RequestError when there is no such group."""
    group = _log_groups.get(group_name)
    if group is None:
        raise not_found(f"Log group '{group_name}' does not exist for account ID '{get_account_id()}'")
    log = f"{get_account_id()}:{group_name}"
    discovery = group.get("logGroupClass", "STANDARD") == "STANDARD"
    stored = [(name, stream["events"]) for name, stream in list(group["streams"].items())]
    return [StreamEvents(log, name, events, len(events), discovery) for name, events in stored]


def _run(parameters: dict[str, Any]) -> QueryRun:
    run: QueryRun | None = _runs.get(parameters.get("queryId"))
    if run is None:
        raise not_found(f"The specified query does not exist: {parameters.get('queryId')}")
    return run


def _forget_oldest() -> None:
    ended = [query_id for query_id, run in _runs.items() if run.ended]
    for query_id in ended[: max(0, len(ended) - RUNS_KEPT + 1)]:
        del _runs[query_id]


def _position(parameters: dict[str, Any]) -> int:
    token = parameters.get("nextToken")
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except ValueError:
        raise invalid("nextToken must be what the previous page returned") from None


def _next_token(position: int, total: int) -> dict[str, str]:
    if position >= total:
        return {}
    return {"nextToken": base64.b64encode(str(position).encode()).decode()}
