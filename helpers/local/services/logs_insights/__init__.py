"""CloudWatch Logs Insights over the local AWS's logs.

MiniStack understands a fragment of the query language and returns raw log events as `Complete` for
the rest. Here a query is read by a grammar (`grammar.lark`, `parser.py`), compiled to SQL
(`compiler.py`) and executed by DuckDB (`engine.py`); what is not implemented is refused by name.

AWS: CloudWatch Logs user guide, "CloudWatch Logs Insights language query syntax".
"""

import json
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.services.logs_insights import api
from helpers.local.services.logs_insights.event_index import StoredEvent, index_of

_HANDLE_REQUEST_PARAMETERS = ("method", "path", "headers", "body", "query_params")


class _NothingRecorded(AccountRegionScopedDict):
    """MiniStack keeps every log event a second time, by its pointer. Ours say themselves where they point."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


def install() -> None:
    for name, operation in (
        ("_start_query", api.start_query),
        ("_get_query_results", api.get_query_results),
        ("_stop_query", api.stop_query),
        ("_get_log_record", api.get_log_record),
    ):
        contract.replace(cloudwatch_logs, name, ("data",), api.answering(operation))
    contract.expect(cloudwatch_logs, "_log_records")
    cloudwatch_logs._log_records = _NothingRecorded()
    _add_describe_queries()
    _index_events_on_arrival()


def _add_describe_queries() -> None:
    """MiniStack has no DescribeQueries."""
    handle = contract.expect(cloudwatch_logs, "handle_request", _HANDLE_REQUEST_PARAMETERS)
    describe_queries = api.answering(api.describe_queries)

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any
    ) -> Any:
        if headers.get("x-amz-target", "").endswith(".DescribeQueries"):
            return describe_queries(json.loads(body or b"{}"))
        return await handle(method, path, headers, body, query_params)

    cloudwatch_logs.handle_request = handle_request


def _index_events_on_arrival() -> None:
    append = contract.expect(cloudwatch_logs, "_append_log_events", ("stream", "events"))

    def append_log_events(stream: dict[str, Any], events: list[StoredEvent]) -> None:
        append(stream, events)
        stored = stream["events"]
        index_of(stored).catch_up(stored)

    cloudwatch_logs._append_log_events = append_log_events
