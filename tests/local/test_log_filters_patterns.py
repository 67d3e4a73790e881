"""What filter patterns match.

AWS: CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters,
filter log events, and Live Tail". The patterns and log events are those of that page where it has some.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

JSON_EVENT = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "ThisFlag": True,
        "ThatFlag": False,
        "cluster.name": "c",
        "errorCode": 400,
        "latency": 52.5,
        "accountId": "123456789012",
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
        "quoted": 'a "b" \\c',
    }
)
ACCESS_EVENT = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
REPORT = "REPORT RequestId: 8f6c\tDuration: 3.20 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\n"
TERM_EVENTS = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 500] INTERNAL SERVER ERROR",
    "[INFO 200] error REQUEST",
]


@pytest.fixture(scope="module")
def logs(make_client: Callable[..., Any]) -> Any:
    return make_client("logs")


def matching(logs: Any, pattern: str, *messages: str) -> list[dict[str, Any]]:
    answer = logs.test_metric_filter(filterPattern=pattern, logEventMessages=list(messages))
    found: list[dict[str, Any]] = answer["matches"]
    return found


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("ERROR", [1, 2, 3, 4]),
        ("error", [5]),
        ("RROR 400", [1]),
        ("ERROR REQUEST", [1, 2]),
        ("?ARGUMENTS ?INTERNAL", [3, 4]),
        ("?ARGUMENTS REQUEST", [1, 2, 5]),
        ("ERROR -REQUEST", [3, 4]),
        ("-ERROR", [5]),
        ('"INTERNAL SERVER ERROR"', [4]),
        ('"[ERROR 4" -"[ERROR 400]"', [2, 3]),
        ('?"BAD REQUEST" ?SERVER', [1, 4]),
    ],
)
def test_terms_are_looked_for_anywhere_in_a_log_event(logs: Any, pattern: str, numbers: list[int]) -> None:
    """The page's section "Using filter patterns to match terms in unstructured log events": case counts,
    all terms are required but those with a question mark, which count only where they stand alone."""
    assert [match["eventNumber"] for match in matching(logs, pattern, *TERM_EVENTS)] == numbers


@pytest.mark.parametrize(
    ("pattern", "matches", "misses"),
    [
        ("%AUTHORIZED%", "UNAUTHORIZED", "authorized"),
        ("%^[hc]at%", "hat trick", "the hat"),
        ("%[hc]at$%", "the cat", "cats"),
        ("%colou?r%", "colour", "colr"),
        ("%^a{3,5}$%", "aaaa", "aa"),
        ("%^starting|^initializing|^shutting down%", "shutting down now", "now shutting down"),
        (r"%10\.10\.0\.1%", "at 10.10.0.1", "at 10910.0.1"),
        (r"%\x28x\x29 \d+\w\s\D%", "(x) 12a -", "x 12a -"),
    ],
)
def test_a_regular_expression_is_searched_for(logs: Any, pattern: str, matches: str, misses: str) -> None:
    """The user guide's "Supported regular expressions (regex) syntax"."""
    assert [match["eventNumber"] for match in matching(logs, pattern, matches, misses)] == [1]


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.eventType = "UpdateTrail" }',
        "{ $.eventType = UpdateTrail }",
        "{$.eventType=*Trail&&$.eventType=Upd*&&$.eventType=*date*&&$.eventType=*}",
        "{ $.sourceIPAddress != 123.123.* }",
        '{ $.arrayKey[0] = "value" }',
        '{ $.arrayKey[*] = "another value" }',
        "{ $.objectList[1].id = 2 }",
        "{ $.objectList[*].id > 1 }",
        r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }",
        "{ $.eventType != %Create% && $.errorCode = %^4% }",
        "{ $.SomeObject IS NULL }",
        "{ $.SomeOtherObject NOT EXISTS }",
        "{ $.ThisFlag IS TRUE && $.ThatFlag IS FALSE }",
        "{ $.['cluster.name'] = \"c\" }",
        "{ $.errorCode = 400 && $.errorCode != 500 && $.errorCode = 4* && $.errorCode = 4e+2 }",
        "{ $.latency > 52 && $.latency >= 52.5 && $.latency < +53 && $.latency <= 5250e-2 }",
        "{ $.accountId = 123456789012 }",
        "{ $.coordinates[1][2] = 6 }",
        r'{ $.quoted = "a \"b\" \\c" }',
        "{ $.eventType = UpdateTrail || $.errorCode = 1 && $.errorCode = 2 }",
        "{ ($.errorCode = 1 || $.errorCode = 400) && ($.latency < 60) }",
    ],
)
def test_json_patterns_that_match(logs: Any, pattern: str) -> None:
    """The page's section "Using filter patterns to match terms in JSON log events"; && binds stronger
    than ||."""
    assert len(matching(logs, pattern, JSON_EVENT)) == 1


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.eventType = "updatetrail" }',
        "{ $.eventType = Trail }",
        "{ $.eventType = Upd*ail }",
        '{ $.arrayKey = "value" }',
        '{ $.arrayKey != "value" }',
        "{ $.arrayKey[2] = * }",
        "{ $.eventType[0] = U }",
        "{ $.missing != anything }",
        "{ $.missing IS NULL }",
        "{ $.SomeObject NOT EXISTS }",
        "{ $.SomeObject = * }",
        "{ $.ThisFlag = true }",
        "{ $.eventType > 5 }",
        "{ ($.eventType = UpdateTrail || $.errorCode = 1) && $.errorCode = 2 }",
    ],
)
def test_json_patterns_that_do_not_match(logs: Any, pattern: str) -> None:
    """The page's section "Using filter patterns to match terms in JSON log events": a selector points to
    text or a number, or there is no match, whether with = or with !=; * is a wildcard at the ends only."""
    assert matching(logs, pattern, JSON_EVENT) == []


@pytest.mark.parametrize(
    "message", ["level: ERROR", "42 {}", '2026-01-01 {"level": "INFO"}', '{"level": NaN}', "[" * 5000]
)
def test_what_is_no_json_matches_no_json_pattern(logs: Any, message: str) -> None:
    """The page's section "Using filter patterns to match terms in JSON log events"."""
    assert matching(logs, "{ $.level NOT EXISTS }", message, "{}") == [
        {"eventNumber": 2, "eventMessage": "{}", "extractedValues": {}}
    ]


@pytest.mark.parametrize(
    "pattern",
    [
        "[ip, server, username, timestamp, request, status_code, bytes > 1000]",
        "[ip, server, username, timestamp, request = *html*, status_code = 4*, bytes]",
        "[ip, server, ..., status_code = 4* && status_code != 403, bytes]",
        "[..., request = *.html*, status_code = 404 || status_code = 410,]",
        '[..., request="GET /index.html HTTP/1.0", status_code, bytes = 1534]',
        r"[ip=%127\.0\.0\.[1-9]%, server, ...]",
        '[w1="127.0.0.1", w2]',
        "[w1!=ERROR && w1!=WARN, w2]",
    ],
)
def test_space_delimited_patterns_that_match(logs: Any, pattern: str) -> None:
    """The page's section "Using filter patterns to match terms in space-delimited log events": brackets
    and quotes hold a field together, and a last field without conditions stands for all that follows."""
    assert len(matching(logs, pattern, ACCESS_EVENT)) == 1


@pytest.mark.parametrize(
    "pattern",
    [
        "[ip, server, username, timestamp, request, status_code, bytes > 2000]",
        "[ip, server, username, timestamp, request, status_code, bytes, more]",
        "[..., status_code = 4* && status_code != 404, bytes]",
        "[..., request > 5, status_code, bytes]",
        "[w1=ERROR || w1=WARN, w2]",
    ],
)
def test_space_delimited_patterns_that_do_not_match(logs: Any, pattern: str) -> None:
    """The page's section "Using filter patterns to match terms in space-delimited log events"."""
    assert matching(logs, pattern, ACCESS_EVENT) == []


def test_the_fields_of_a_space_delimited_event_are_extracted(logs: Any) -> None:
    """API reference, "TestMetricFilter": by name, or by position where they have none."""
    [match] = matching(logs, "[..., request=*.html*, status_code=4*,]", ACCESS_EVENT)
    assert match["extractedValues"] == {
        "$1": "127.0.0.1",
        "$2": "Prod",
        "$3": "frank",
        "$4": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /index.html HTTP/1.0",
        "$status_code": "404",
        "$7": "1534",
    }
    [everything] = matching(logs, "[]", ACCESS_EVENT)
    assert list(everything["extractedValues"]) == [f"${number}" for number in range(1, 8)]


def test_tabs_divide_the_fields_of_lambdas_lines(logs: Any) -> None:
    """The pattern by which REPORT lines are commonly read, as AWS Lambda writes them."""
    pattern = '[type="REPORT", label, id, duration_label="Duration:", duration, unit="ms", ...]'
    [match] = matching(logs, pattern, REPORT, "START RequestId: 8f6c Version: $LATEST\n")
    assert match["extractedValues"]["$duration"] == "3.20"


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a.b", "Invalid character(s) in term 'a.b'"),
        ("8f6c-1a2b", "Put it in double quotes"),
        ('"not closed', "This quote is not closed"),
        ('""', "must not be empty"),
        ("ERROR %4..%", "Invalid character(s) in term '%4..%'"),
        ("?", "Expected a quoted string"),
        ("%something!%", "groups in parentheses are not supported"),
        ("%(a|b)%", "groups in parentheses are not supported"),
        ("%caf\u00e9%", "Invalid character(s) in term"),
        ("%[a%", "unterminated character set"),
        (r"%\bword%", "Invalid character(s) in term"),
        ("%open", "must end with '%'"),
        ("{ $.level = ERROR", "must end with '}'"),
        ("{ $.level }", "Expected a comparison such as ="),
        ("{ $.level == ERROR }", "'=' at position 11"),
        ("{ $.level = 'ERROR' }", "Expected a value, a quoted string"),
        ("{ $.level = ERROR && }", "Expected a selector such as $.level"),
        ("{ ($.level = ERROR }", "Expected )"),
        ("{ $.level EXISTS }", "NOT EXISTS"),
        ("{ $.level IN [1, 2] }", "Expected a comparison"),
        ("{ level = ERROR }", "Expected a selector"),
        ("{ $[0] = 1 }", "'$[0]' is not a selector"),
        ("{ $.level > high }", "compares with a number only"),
        ("{ $.*[*] = 1 }", "2 wildcards in a selector"),
        ("{ $.a[*]=1 || $.b[*]=1 || $.c[*]=1 || $.d[*]=1 }", "4 selectors with a wildcard"),
        ("[a=%x%, b=%y%, c=%z%]", "3 regular expressions"),
        ("[a, b", "must end with ']'"),
        ("[a, a]", "a name of its own"),
        ("[..., a, ...]", "2 ellipses"),
        ("[a=1 || b=2]", "name a and b"),
    ],
)
def test_an_invalid_pattern_is_refused_with_the_reason(logs: Any, pattern: str, reason: str) -> None:
    """API reference, "TestMetricFilter", errors; the page's quotas on regular expressions and wildcards."""
    with pytest.raises(logs.exceptions.InvalidParameterException) as refused:
        matching(logs, pattern, "message")
    assert reason in refused.value.response["Error"]["Message"]


def test_up_to_fifty_messages_can_be_tested(logs: Any) -> None:
    """API reference, "TestMetricFilter"."""
    assert len(matching(logs, "ERROR", *["ERROR"] * 50)) == 50
    with pytest.raises(ClientError, match="not 51"):
        matching(logs, "ERROR", *["ERROR"] * 51)
