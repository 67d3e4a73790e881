"""FilterLogEvents: which events it returns, in which order, and page by page.

AWS: CloudWatch Logs API reference, "FilterLogEvents".
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from log_filter_logs import START_MS, FilterLogs

from helpers.local.services.log_filters.parser import parse
from helpers.local.services.log_filters.search import MAXIMUM_SCANNED, Search, Stream
from helpers.local.services.log_filters.tokens import LIFETIME_S, InvalidToken, Position, Token


@pytest.fixture
def logs(make_client: Callable[..., Any]) -> FilterLogs:
    return FilterLogs.create(make_client("logs"))


def refusal(logs: FilterLogs, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        logs.client.filter_log_events(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_more_than_ten_thousand_events_come_in_pages(logs: FilterLogs) -> None:
    """API reference, "FilterLogEvents", `limit`: 10,000 events in a page, and a token for more."""
    expected = [f"event {number}" for number in range(12_000)]
    logs.put("one", expected)
    first = logs.page()
    assert len(first["events"]) == 10_000
    assert "nextToken" in first
    assert logs.messages() == expected
    assert len({event["eventId"] for event in logs.all()}) == 12_000


def test_a_page_has_at_most_one_megabyte(logs: FilterLogs) -> None:
    """API reference, "FilterLogEvents": a page can contain up to 1 MB of log events."""
    # Two bytes for each character.
    long_text = "\u00e9" * 100_000
    expected = [f"{number} {long_text}" for number in range(11)]
    for number, message in enumerate(expected):
        logs.put("one", [message], [START_MS + number])
    first = logs.page()
    assert sum(len(event["message"].encode()) for event in first["events"]) <= 1024 * 1024
    assert len(first["events"]) == 5
    assert logs.messages() == expected


@pytest.mark.parametrize("from_head", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_lose_and_repeat_nothing(logs: FilterLogs, limit: int, from_head: bool) -> None:
    """API reference, "FilterLogEvents": by timestamp over all streams, in `startFromHead`'s direction."""
    for stream in ("b", "a", "c"):
        times = [START_MS + offset for offset in (0, 0, 0, 1, 2, 2, 5)]
        logs.put(stream, [f"{stream}{number}" for number in range(7)], times)
    events = logs.all(startTime=START_MS, startFromHead=from_head, PaginationConfig={"PageSize": limit})
    times = [event["timestamp"] for event in events]
    assert times == sorted(times, reverse=not from_head)
    assert sorted(event["message"] for event in events) == [f"{s}{n}" for s in "abc" for n in range(7)]
    of_a_stream = [event["message"] for event in events if event["logStreamName"] == "b"]
    assert of_a_stream == sorted(of_a_stream, reverse=not from_head)


def test_events_that_arrive_between_two_pages_neither_hide_nor_repeat_others(logs: FilterLogs) -> None:
    """API reference, "FilterLogEvents", `nextToken`."""
    logs.put("one", ["1", "2", "3"], [START_MS + 10, START_MS + 20, START_MS + 20])
    first = logs.page(limit=2)
    logs.put("one", ["late"], [START_MS])
    logs.put("one", ["same time", "new"], [START_MS + 20, START_MS + 30])
    rest = logs.page(limit=10, nextToken=first["nextToken"])
    assert [event["message"] for event in first["events"]] == ["1", "2"]
    assert [event["message"] for event in rest["events"]] == ["3", "same time", "new"]
    assert "nextToken" not in rest


def test_a_pattern_selects_events_of_all_streams(logs: FilterLogs) -> None:
    """API reference, "FilterLogEvents", `filterPattern`."""
    logs.put("one", ['{"level": "ERROR", "n": 1}', '{"level": "INFO", "n": 2}'])
    logs.put("two", ['{"level": "ERROR", "n": 3}', "no JSON"])
    assert logs.messages(filterPattern='{ $.level = "ERROR" }') == [
        '{"level": "ERROR", "n": 1}',
        '{"level": "ERROR", "n": 3}',
    ]
    [event] = logs.all(filterPattern="{ $.n = 3 }")
    assert (event["logStreamName"], event["timestamp"]) == ("two", START_MS)
    assert event["ingestionTime"] > START_MS
    assert len(event["eventId"]) == 56
    assert [event] == logs.all(filterPattern="{ $.level = ERR* && $.n > 2 }")


def test_both_ends_of_the_time_range_belong_to_it(logs: FilterLogs) -> None:
    """API reference, "FilterLogEvents": events before startTime and later than endTime are not returned."""
    logs.put("one", ["0", "1", "2", "3"])
    assert logs.messages(startTime=START_MS + 1, endTime=START_MS + 2) == ["1", "2"]
    assert logs.messages(startTime=START_MS + 9) == []


def test_streams_are_chosen_by_name_or_prefix(logs: FilterLogs) -> None:
    """API reference, "FilterLogEvents", `logStreamNames` and `logStreamNamePrefix`: not both."""
    for stream in ("web/1", "web/2", "db/1"):
        logs.put(stream, [stream])
    assert sorted(logs.messages(logStreamNamePrefix="web/")) == ["web/1", "web/2"]
    assert sorted(logs.messages(logStreamNames=["db/1", "web/2", "db/1"])) == ["db/1", "web/2"]
    assert logs.messages(logStreamNamePrefix="nothing") == []
    both = {"logStreamNames": ["db/1"], "logStreamNamePrefix": "db"}
    assert refusal(logs, logGroupName=logs.group, **both)[0] == "InvalidParameterException"
    missing = refusal(logs, logGroupName=logs.group, logStreamNames=["db/2"])
    assert missing == ("ResourceNotFoundException", "The specified log stream does not exist: db/2")


def test_a_log_group_is_given_by_name_or_identifier(logs: FilterLogs) -> None:
    """API reference, "FilterLogEvents", `logGroupName` and `logGroupIdentifier`: exactly one; name or ARN."""
    logs.put("one", ["found"])
    arn = f"arn:aws:logs:us-east-1:111122223333:log-group:{logs.group}"
    for identifier in (logs.group, arn):
        answer = logs.client.filter_log_events(logGroupIdentifier=identifier)
        assert [event["message"] for event in answer["events"]] == ["found"]
    elsewhere = arn.replace("us-east-1", "eu-west-1")
    assert refusal(logs, logGroupIdentifier=elsewhere)[0] == "ResourceNotFoundException"
    assert refusal(logs, logGroupName="/test/missing")[0] == "ResourceNotFoundException"
    both = {"logGroupName": logs.group, "logGroupIdentifier": arn}
    assert refusal(logs, **both)[0] == "InvalidParameterException"
    assert refusal(logs)[0] == "InvalidParameterException"


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"filterPattern": "{ $.level ! ERROR }"}, "Expected a comparison such as ="),
        ({"filterPattern": "a" * 1025}, "at most 1024 characters"),
        ({"limit": 10_001}, "between 1 and 10000"),
        ({"logStreamNames": [f"s{number}" for number in range(101)]}, "up to 100 names, not 101"),
        ({"startFromHead": False}, "only with a startTime on or after 2024-01-01"),
        ({"nextToken": "bm9uc2Vuc2U="}, "The specified nextToken is invalid"),
        ({"nextToken": "\u00e9"}, "The specified nextToken is invalid"),
    ],
)
def test_invalid_parameters_are_refused(logs: FilterLogs, parameters: dict[str, Any], reason: str) -> None:
    """API reference, "FilterLogEvents", parameters and errors."""
    code, message = refusal(logs, logGroupName=logs.group, **parameters)
    assert code == "InvalidParameterException"
    assert reason in message


def test_a_token_belongs_to_its_search(logs: FilterLogs, make_client: Callable[..., Any]) -> None:
    """API reference, "FilterLogEvents", `nextToken`: received from a previous call."""
    logs.put("one", ["1", "2"])
    token = logs.page(limit=1)["nextToken"]
    other = FilterLogs.create(make_client("logs"))
    for parameters in ({"logGroupName": other.group}, {"logGroupName": logs.group, "filterPattern": "2"}):
        code, message = refusal(logs, nextToken=token, **parameters)
        assert code == "InvalidParameterException"
        assert "other parameters" in message


def test_a_token_expires_after_a_day() -> None:
    """API reference, "FilterLogEvents", `nextToken` in the response: it expires after 24 hours."""
    token = Token("search", False, Position(START_MS, START_MS, "stream", 0), issued_s=1000.0)
    assert Token.decode(token.encode(), "search", 1000 + LIFETIME_S) == token
    with pytest.raises(InvalidToken, match="expired"):
        Token.decode(token.encode(), "search", 1001 + LIFETIME_S)


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_search_for_what_is_rare_goes_on_after_an_empty_page(newest_first: bool) -> None:
    """API reference, "FilterLogEvents": partially full or empty pages do not mean that it is finished."""
    messages = ["rare", *["common"] * MAXIMUM_SCANNED, "rare"]
    events = [{"timestamp": START_MS + at // 7, "message": text} for at, text in enumerate(messages)]
    stream = Stream("one", events, len(events))
    pages: list[list[int]] = []
    position: Position | None = None
    while not pages or position is not None:
        search = Search((stream,), parse("rare"), None, None, newest_first, position)
        found, position = search.page(10)
        pages.append([candidate.index for candidate in found])
    expected = [[0], [len(messages) - 1]]
    assert pages == (expected[::-1] if newest_first else expected)
