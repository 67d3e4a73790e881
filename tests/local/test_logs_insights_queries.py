"""Starting queries, following them, reading their results.

AWS: CloudWatch Logs API reference, "StartQuery", "GetQueryResults", "StopQuery", "DescribeQueries" and
"GetLogRecord".
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import pytest
from insights_logs import DAY, START_MS, InsightsLogs, report_line

from helpers.local.services.logs_insights.engine import Execution, prepare
from helpers.local.services.logs_insights.event_index import StoredEvent
from helpers.local.services.logs_insights.events import StreamEvents

START_S = START_MS // 1000
# Sorting by a text naturally, and taking it apart, is about the most work that a query can make.
SLOW_QUERY = (
    "parse @message /(?<a>\\d+).*?(?<b>\\d+)$/ | fields concat(a, b, @message) as key | sort key | limit 1"
)


@pytest.fixture(scope="module")
def logs(make_client: Callable[..., Any]) -> InsightsLogs:
    return InsightsLogs(make_client("logs"))


@pytest.fixture(scope="module")
def large_group(logs: InsightsLogs) -> str:
    return logs.put([f"{index * 7919 % 10_007} {'abc 12 ' * 20}{index}" for index in range(5_000)])


def test_both_ends_of_the_time_range_are_included(logs: InsightsLogs) -> None:
    """ "The range is inclusive": of milliseconds, to which AWS converts (aws/aws-sdk, issue 280)."""
    start_ms, end_ms = START_S * 1000, (START_S + 10) * 1000
    times = [start_ms - 1, start_ms, start_ms + 5000, end_ms, end_ms + 1]
    group = logs.put([str(at - start_ms) for at in times], times_ms=times)
    rows = logs.ask("fields @message as m | sort @timestamp", group, startTime=START_S, endTime=START_S + 10)
    assert [row["m"] for row in rows] == ["0", "5000", "10000"]
    assert logs.ask("stats count(*) as n", group, startTime=START_S + 20, endTime=START_S + 30) == [
        {"n": "0"}
    ]


def test_late_events_are_found_where_they_belong(logs: InsightsLogs) -> None:
    group = logs.put(["b", "d"], times_ms=[START_MS + 2000, START_MS + 4000])
    logs.put(["a", "c"], group=group, times_ms=[START_MS + 1000, START_MS + 3000])
    query = "fields @message as m | sort @timestamp"
    rows = logs.ask(query, group, startTime=START_S + 1, endTime=START_S + 3)
    assert [row["m"] for row in rows] == ["a", "b", "c"]


def test_several_log_groups_named_in_either_way(logs: InsightsLogs) -> None:
    first, second = logs.put(["1"]), logs.put(["2"])
    query = "fields @message as m, @log | sort m"
    arns = [f"arn:aws:logs:us-east-1:111122223333:log-group:{name}" for name in (first, second)]
    expected = [{"m": str(i), "@log": f"111122223333:{name}"} for i, name in enumerate((first, second), 1)]
    assert logs.ask(query, first, second) == expected
    for parameters in ({"logGroupIdentifiers": arns}, {"logGroupIdentifiers": [first, arns[1]]}):
        request = {"startTime": 0, "endTime": int(time.time()) + 60, "queryString": query} | parameters
        answer = logs.finished(logs.client.start_query(**request)["queryId"])
        assert [row[0]["value"] for row in answer["results"]] == ["1", "2"]
    one = logs.client.start_query(logGroupName=first, startTime=0, endTime=10**10, queryString=query)
    assert len(logs.finished(one["queryId"])["results"]) == 1


@pytest.mark.parametrize(
    ("identifier", "code"),
    [
        ("arn:aws:logs:us-east-1:111122223333:log-group:/none", "ResourceNotFoundException"),
        ("arn:aws:logs:us-east-1:999988887777:log-group:/x", "ResourceNotFoundException"),
        ("arn:aws:logs:us-east-1:111122223333:log-group:/x:*", "InvalidParameterException"),
        ("arn:aws:s3:::bucket", "InvalidParameterException"),
    ],
)
def test_identifiers_that_name_no_log_group(logs: InsightsLogs, identifier: str, code: str) -> None:
    """ "Don't include an * at the end." """
    with pytest.raises(logs.client.exceptions.ClientError) as raised:
        logs.client.start_query(
            logGroupIdentifiers=[identifier], startTime=0, endTime=1, queryString="fields @message"
        )
    assert raised.value.response["Error"]["Code"] == code


def test_an_empty_log_group(logs: InsightsLogs) -> None:
    logs.client.create_log_group(logGroupName="/insights/empty")
    answer = logs.finished(logs.start("fields @message, a", "/insights/empty"))
    assert answer["results"] == []
    assert answer["statistics"]["recordsScanned"] == 0
    assert logs.ask("stats count(*) as n by a", "/insights/empty") == []


def test_statistics_count_what_was_scanned_and_matched(logs: InsightsLogs) -> None:
    """API reference, "QueryStatistics"."""
    messages = ["ä" * 10, "b", "b", "c"]
    group = logs.put(messages)
    answer = logs.finished(logs.start('filter @message != "c" | stats count(*) by @message | limit 1', group))
    assert answer["queryLanguage"] == "CWLI"
    assert answer["statistics"] == {
        "recordsMatched": 3.0,
        "recordsScanned": 4.0,
        "bytesScanned": float(sum(len(message.encode()) for message in messages)),
        "estimatedRecordsSkipped": 0.0,
        "estimatedBytesSkipped": 0.0,
        "logGroupsScanned": 1.0,
        "resultCount": 1.0,
    }


def test_results_are_read_page_by_page(logs: InsightsLogs) -> None:
    """ "each page returning up to 10,000 log events": `nextToken` leads on."""
    group = logs.put([str(index) for index in range(25)])
    query_id = logs.start("fields @message as m | sort m", group)
    answer = logs.finished(query_id, maxItems=10)
    pages = [answer]
    while "nextToken" in pages[-1]:
        token = pages[-1]["nextToken"]
        pages.append(logs.client.get_query_results(queryId=query_id, maxItems=10, nextToken=token))
    assert [len(page["results"]) for page in pages] == [10, 10, 5]
    assert [row[0]["value"] for page in pages for row in page["results"]] == [str(i) for i in range(25)]
    with pytest.raises(logs.client.exceptions.InvalidParameterException):
        logs.client.get_query_results(queryId=query_id, nextToken="nonsense!")


def test_a_pointer_leads_back_to_its_log_event(logs: InsightsLogs) -> None:
    """GetLogRecord returns all fields, even if the query retrieved only some of them."""
    lines = [report_line(2.5, 100, request_id="f612fbaf-65ce-4fd2-8d1b-6718fcb0b269"), '{"a": {"b": 1}}', "x"]
    group = logs.put(lines, times_ms=[START_S * 1000] * 3)
    answer = logs.finished(logs.start("fields strlen(@message) as size | sort size desc", group))
    pointers = [{field["field"]: field["value"] for field in row}["@ptr"] for row in answer["results"]]
    records = [logs.client.get_log_record(logRecordPointer=pointer)["logRecord"] for pointer in pointers]
    assert [record["@message"] for record in records] == lines
    assert (records[0]["@type"], records[0]["@duration"]) == ("REPORT", "2.5")
    assert records[1]["a.b"] == "1"
    assert records[2] == {
        "@message": "x",
        "@timestamp": f"{DAY} 22:13:20.000",
        "@ingestionTime": records[2]["@ingestionTime"],
        "@log": f"111122223333:{group}",
        "@logStream": "2024/01/01/[$LATEST]abc",
        "@ptr": pointers[2],
    }
    with pytest.raises(logs.client.exceptions.InvalidParameterException):
        logs.client.get_log_record(logRecordPointer="nonsense")
    logs.client.delete_log_group(logGroupName=group)
    with pytest.raises(logs.client.exceptions.ResourceNotFoundException):
        logs.client.get_log_record(logRecordPointer=pointers[0])


def test_stats_rows_have_no_pointer(logs: InsightsLogs) -> None:
    answer = logs.finished(logs.start("stats count(*) as n", logs.put(["x"])))
    assert answer["results"] == [[{"field": "n", "value": "1"}]]


def test_queries_are_described_newest_first(logs: InsightsLogs) -> None:
    group, other = logs.put(["x"]), logs.put(["y"])
    queries = [f"fields @message | limit {count}" for count in (1, 2, 3)]
    ids = [logs.start(query, group) for query in queries]
    for query_id in ids:
        logs.finished(query_id)
    described = logs.client.describe_queries(logGroupName=group, status="Complete")["queries"]
    assert [query["queryId"] for query in described] == ids[::-1]
    assert [query["queryString"] for query in described] == queries[::-1]
    assert {query["logGroupName"] for query in described} == {group}
    first = logs.client.describe_queries(logGroupName=group, maxResults=2)
    second = logs.client.describe_queries(logGroupName=group, maxResults=2, nextToken=first["nextToken"])
    assert [query["queryId"] for query in first["queries"] + second["queries"]] == ids[::-1]
    assert "nextToken" not in second
    assert logs.client.describe_queries(logGroupName=other)["queries"] == []
    assert logs.client.describe_queries(logGroupName=group, status="Failed")["queries"] == []


def test_queries_and_logs_belong_to_an_account_and_region(
    logs: InsightsLogs, make_client: Callable[..., Any]
) -> None:
    query_id = logs.start("fields @message", logs.put(["x"], group="/insights/mine"))
    for elsewhere in (make_client("logs", account="444455556666"), make_client("logs", region="eu-west-1")):
        with pytest.raises(elsewhere.exceptions.ResourceNotFoundException):
            elsewhere.get_query_results(queryId=query_id)
        with pytest.raises(elsewhere.exceptions.ResourceNotFoundException):
            InsightsLogs(elsewhere).start("fields @message", "/insights/mine")


def test_a_query_that_waits_can_be_stopped(logs: InsightsLogs, large_group: str) -> None:
    ids = [logs.start(SLOW_QUERY, large_group) for _ in range(8)]
    assert logs.client.stop_query(queryId=ids[-1])["success"] is True
    assert logs.client.get_query_results(queryId=ids[-1])["status"] == "Cancelled"
    assert [logs.finished(query_id)["status"] for query_id in ids[:-1]] == ["Complete"] * 7
    assert logs.client.get_query_results(queryId=ids[-1])["results"] == []


def test_a_query_that_has_ended_cannot_be_stopped(logs: InsightsLogs) -> None:
    """StopQuery: "If the query has already ended, the operation returns an error"."""
    query_id = logs.start("fields @message", logs.put(["x"]))
    logs.finished(query_id)
    with pytest.raises(logs.client.exceptions.InvalidParameterException, match="is not running"):
        logs.client.stop_query(queryId=query_id)
    with pytest.raises(logs.client.exceptions.ResourceNotFoundException):
        logs.client.stop_query(queryId="none")


@pytest.mark.parametrize("moment", ["before", "while reading", "never"])
def test_stopping_ends_the_work(moment: str) -> None:
    execution = Execution()

    class Events(list[StoredEvent]):
        def __getitem__(self, key: Any) -> Any:
            if moment == "while reading":
                execution.cancel()
            return super().__getitem__(key)

    events = Events({"timestamp": at, "message": "x", "ingestionTime": at} for at in range(20_000))
    streams = [StreamEvents("1:/x", "s", events, len(events))]
    plan = prepare("stats count(*) as n")
    if moment == "before":
        execution.cancel()
    if moment == "never":
        assert execution.run(plan, streams).rows == [[("n", "20000")]]
    else:
        with pytest.raises(duckdb.InterruptException):
            execution.run(plan, streams)


def test_other_requests_are_answered_while_queries_run(
    logs: InsightsLogs, large_group: str, make_client: Callable[..., Any]
) -> None:
    sts = make_client("sts")
    ids = [logs.start(SLOW_QUERY, large_group) for _ in range(4)]
    answered = 0
    while logs.client.get_query_results(queryId=ids[-1])["status"] in ("Scheduled", "Running"):
        sts.get_caller_identity()
        answered += 1
    assert answered >= 5


def test_text_that_is_no_unicode_is_read_as_far_as_it_is(logs: InsightsLogs) -> None:
    """JSON can spell half of a surrogate pair, in PutLogEvents and in a message."""
    group = logs.put(["a\ud800b", '{"key": "\\ud800"}', "nul\0nul"])
    rows = logs.ask("fields @message as m, key | sort @timestamp", group)
    assert rows == [{"m": "a?b"}, {"m": '{"key": "\\ud800"}', "key": "?"}, {"m": "nul\0nul"}]


def test_queries_at_the_same_time_do_not_mix(logs: InsightsLogs) -> None:
    groups = [logs.put([f"{number}"] * (number + 1)) for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        rows = list(threads.map(lambda group: logs.ask("stats count(*) as n by @message", group), groups))
    assert rows == [[{"@message": str(number), "n": str(number + 1)}] for number in range(6)]


def test_the_log_of_a_real_function(logs: InsightsLogs, deploy: Callable[..., Any]) -> None:
    """What the local Lambda writes is what is discovered: one cold start, then warm ones."""
    source = "import json\ndef handler(event, context):\n    print(json.dumps({'order': event}))\n"
    function = deploy(source, MemorySize=512)
    for number in range(4):
        function.client.invoke(FunctionName=function.name, Payload=json.dumps(number))
    query = """filter @type = "REPORT"
        | stats count(*) as n, count_distinct(@requestId) as requests, min(@duration) > 0 as took,
            max(@memorySize) / 1000 / 1000 as memory_mb by ispresent(@initDuration) as cold
        | sort cold"""
    group = f"/aws/lambda/{function.name}"
    assert logs.ask(query, group) == [
        {"cold": "0", "n": "3", "requests": "3", "took": "1", "memory_mb": "512"},
        {"cold": "1", "n": "1", "requests": "1", "took": "1", "memory_mb": "512"},
    ]
    orders = logs.ask("filter ispresent(order) | fields order | sort order", group)
    assert [row["order"] for row in orders] == ["0", "1", "2", "3"]
