"""Fields that Logs Insights finds in log events by itself.

AWS: CloudWatch Logs user guide, "Supported logs and discovered fields".
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from insights_logs import DAY, POST_04_QUERY, START_MS, InsightsLogs, report_line, report_lines

REQUEST_ID = "f612fbaf-65ce-4fd2-8d1b-6718fcb0b269"
ACCOUNT_ID = "111122223333"


@pytest.fixture(scope="module")
def logs(make_client: Callable[..., Any]) -> InsightsLogs:
    return InsightsLogs(make_client("logs"))


def test_fields_of_every_event(logs: InsightsLogs) -> None:
    before_ms = int(time.time() * 1000)
    group = logs.put(["hello"], group="/insights/plain", stream="one", times_ms=[START_MS + 123_456])
    [row] = logs.ask("fields @timestamp, @message, @logStream, @log, @ingestionTime", group)
    ingested = row.pop("@ingestionTime")
    assert row == {
        "@timestamp": f"{DAY} 22:15:23.456",
        "@message": "hello",
        "@logStream": "one",
        "@log": f"{ACCOUNT_ID}:/insights/plain",
    }
    [millis] = logs.ask("fields toMillis(@ingestionTime) as ms", group)
    assert before_ms <= int(millis["ms"]) <= time.time() * 1000
    assert ingested == time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(int(millis["ms"]) // 1000)) + (
        f".{int(millis['ms']) % 1000:03d}"
    )


def test_fields_of_a_report_line(logs: InsightsLogs) -> None:
    """Memory is in bytes, a MB being 1,000,000: as in results recorded on AWS (512 MB is 512000000)."""
    group = logs.put([report_line(2.03, 428.6, memory_mb=512, used_mb=70, request_id=REQUEST_ID)])
    names = "@type, @requestId, @duration, @billedDuration, @initDuration, @memorySize, @maxMemoryUsed"
    assert logs.ask(f"fields {names}", group) == [
        {
            "@type": "REPORT",
            "@requestId": REQUEST_ID,
            "@duration": "2.03",
            "@billedDuration": "3",
            "@initDuration": "428.6",
            "@memorySize": "512000000",
            "@maxMemoryUsed": "70000000",
        }
    ]


def test_a_warm_start_has_no_init_duration(logs: InsightsLogs) -> None:
    group = logs.put([report_line(2.03)])
    [row] = logs.ask("fields ispresent(@initDuration) as cold, @initDuration", group)
    assert row == {"cold": "0"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("INIT_START Runtime Version: python:3.12.v1\tRuntime Version ARN: arn", {"@type": "INIT_START"}),
        (f"START RequestId: {REQUEST_ID} Version: 3\n", {"@type": "START", "@requestId": REQUEST_ID}),
        (f"END RequestId: {REQUEST_ID}\n", {"@type": "END", "@requestId": REQUEST_ID}),
        (f"2024-01-01T00:00:00.000Z\t{REQUEST_ID}\tINFO\thello\n", {"@requestId": REQUEST_ID}),
        (f"[INFO]\t2024-01-01T00:00:00.000Z\t{REQUEST_ID}\thello\n", {"@requestId": REQUEST_ID}),
        (
            f"2024-01-01T00:00:00.000Z {REQUEST_ID} Task timed out after 3.00 seconds\n",
            {"@requestId": REQUEST_ID},
        ),
        (f"my own words on RequestId: {REQUEST_ID} Duration: 1 ms\n", {}),
    ],
)
def test_fields_of_other_lines(logs: InsightsLogs, line: str, expected: dict[str, str]) -> None:
    group = logs.put([line])
    assert logs.ask("fields @type, @requestId, @duration", group) == [expected]


def test_a_traced_report_line(logs: InsightsLogs) -> None:
    trace = (
        "XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\t\n"
    )
    group = logs.put([report_line(1).rstrip("\n") + "\n" + trace])
    assert logs.ask("fields @xrayTraceId, @xraySegmentId, @duration", group) == [
        {
            "@xrayTraceId": "1-5e34a614-10bdxmplf1fb44f07bc535a1",
            "@xraySegmentId": "07f5xmpl2d1f6f85",
            "@duration": "1",
        }
    ]


def test_lines_like_lambdas_elsewhere_are_only_text(logs: InsightsLogs) -> None:
    group = logs.put([report_line(2.03)], group="/my/application")
    assert logs.ask("fields @type, @duration, @requestId", group) == [{}]


def test_unknown_names_are_missing_fields(logs: InsightsLogs) -> None:
    group = logs.put(["x"])
    assert logs.ask("fields @nothing, nothing.at.all", group) == [{}]


def test_the_query_of_post_04(logs: InsightsLogs) -> None:
    """The post's query, unchanged, over two functions; its numbers: test_percentiles_of_insights.py."""
    functions = ("custom-runtime-java-18", "other")
    others = ["START RequestId: x Version: 1\n", "END RequestId: x\n", "Duration: 1 ms\n"]
    lines = report_lines(warm=500, cold=31, seed=4) + others
    groups = [logs.put(lines, group=f"/aws/lambda/{function}") for function in functions]
    answer = logs.finished(logs.start(POST_04_QUERY, *groups))
    rows = [{field["field"]: field["value"] for field in row} for row in answer["results"]]
    columns = ["function", "coldstart", "invocations", "p0", "p25", "p50", "p75", "p90", "p95", "p99", "p100"]
    assert all(list(row) == columns for row in rows)
    assert [(row["coldstart"], row["function"], row["invocations"]) for row in rows] == [
        *(("0", function, "500") for function in functions),
        *(("1", function, "31") for function in functions),
    ]
    assert answer["statistics"]["recordsMatched"] == 2 * 531
    assert answer["statistics"]["recordsScanned"] == 2 * 534
    assert answer["statistics"]["logGroupsScanned"] == 2


CLOUDTRAIL = {
    "userIdentity": {"type": "IAMUser"},
    "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-abcde123"}]}},
    "code": 80,
    "ratio": 1.50,
    "big": 12345678901234567890,
    "yes": True,
    "no": False,
    "nothing": None,
    "dotted.key": "d",
    "@own": "o",
    "words": "4 of 5",
}


@pytest.mark.parametrize("group", ["/insights/json", "/aws/lambda/json"])
def test_json_fields(logs: InsightsLogs, group: str) -> None:
    """ "Fields in JSON logs": dots, indexes of arrays, and another @ before a name that begins with one."""
    logs.put([json.dumps(CLOUDTRAIL)], group=group)
    names = "userIdentity.type, requestParameters.instancesSet.items.0.instanceId, code, ratio, big, yes, no"
    more = (
        "nothing, dotted.key, @@own, words, userIdentity, requestParameters.instancesSet.items.1.instanceId"
    )
    query = f"""fields {names}, {more}
        | filter requestParameters.instancesSet.items.0.instanceId="i-abcde123" and code > 9"""
    assert logs.ask(query, group) == [
        {
            "userIdentity.type": "IAMUser",
            "requestParameters.instancesSet.items.0.instanceId": "i-abcde123",
            "code": "80",
            "ratio": "1.5",
            "big": "12345678901234567890",
            "yes": "1",
            "no": "0",
            "dotted.key": "d",
            "@@own": "o",
            "words": "4 of 5",
        }
    ]


def test_json_within_other_text_is_discovered_in_lambda_logs_only(logs: InsightsLogs) -> None:
    """ "only for the first embedded JSON fragment in each log event"."""
    line = f'2024-01-01T00:00:00.000Z\t{REQUEST_ID}\tINFO\t{{not json}} {{"a": 1}} then {{"b": 2}}\n'
    assert logs.ask("fields a, b", logs.put([line])) == [{"a": "1"}]
    assert logs.ask("fields a, b", logs.put([line], group="/insights/text")) == [{}]


def test_two_hundred_json_fields_are_discovered(logs: InsightsLogs) -> None:
    group = logs.put([json.dumps({f"f{index}": index for index in range(201)})])
    assert logs.ask("fields f199, f200", group) == [{"f199": "199"}]


def test_platform_events_of_json_logs_are_json(logs: InsightsLogs) -> None:
    """With LoggingConfig JSON the platform's lines are JSON; AWS documents no field of their own for them.

    AWS Lambda developer guide, "Working with Lambda function logs": platform.report.
    """
    record = {
        "requestId": REQUEST_ID,
        "status": "success",
        "metrics": {"durationMs": 2.5, "billedDurationMs": 3, "initDurationMs": 90.25, "memorySizeMB": 128},
    }
    group = logs.put(
        [json.dumps({"time": "2024-01-01T00:00:00Z", "type": "platform.report", "record": record})]
    )
    query = """filter type = "platform.report" and ispresent(record.metrics.initDurationMs)
        | stats count(*) as colds, max(record.metrics.durationMs + record.metrics.initDurationMs) as most,
            count(@duration) as text_lines"""
    assert logs.ask(query, group) == [{"colds": "1", "most": "92.75", "text_lines": "0"}]


def test_nothing_is_discovered_in_infrequent_access_logs(logs: InsightsLogs) -> None:
    """ "Field discovery is supported only for log groups in the Standard log class"."""
    name = "/aws/lambda/infrequent"
    logs.client.create_log_group(logGroupName=name, logGroupClass="INFREQUENT_ACCESS")
    logs.put([report_line(1.5), '{"a": 1}'], group=name)
    assert logs.ask("fields @type, @duration, a", name) == [{}, {}]
