"""Queries that cannot be run are refused with their position, and what is not implemented by its name.

AWS: CloudWatch Logs API reference, "StartQuery", "MalformedQueryException" and "QueryCompileError".
"""

from collections.abc import Callable
from typing import Any

import pytest
from insights_logs import InsightsLogs


@pytest.fixture(scope="module")
def logs(make_client: Callable[..., Any]) -> InsightsLogs:
    return InsightsLogs(make_client("logs"))


@pytest.fixture(scope="module")
def group(logs: InsightsLogs) -> str:
    return logs.put(["x"])


@pytest.mark.parametrize(
    ("query", "at", "says"),
    [
        ("fields @message | fitler a = 1", "fitler", "Expected a command: fields, display, filter"),
        ("fields @message\n| filter a == 1", "= 1", "at line 2 and position 12. Expected a field, a number"),
        ("filter a = ", "", "<end of query>"),
        ('filter a = "x', '"x', "This quote is not closed"),
        ("filter (a = 1", "", "Expected )"),
        ("filter @message like /error/i", "i", "/(?i)error/"),
        ("fields a b", "b", "as"),
        ("fields a,", "", "Expected a field"),
        ("fields a;b", ";b", "unexpected symbol found ;"),
        ("stats count(*) by", "", "Expected a field"),
        ("limit 5x", "5x", "Expected a number"),
    ],
)
def test_syntax_errors_have_a_position(
    logs: InsightsLogs, group: str, query: str, at: str, says: str
) -> None:
    error = logs.refusal(query, group).response
    assert error["Error"]["Code"] == "MalformedQueryException"
    assert says in error["Error"]["Message"]
    assert error["queryCompileError"]["message"] == error["Error"]["Message"]
    location = error["queryCompileError"]["location"]
    start = query.rindex(at) if at else len(query)
    assert location["startCharOffset"] == start
    assert query[start:].startswith(query[start : location["endCharOffset"]])


@pytest.mark.parametrize(
    "command",
    [
        *("pattern @message", "diff", "unmask @message", "SOURCE logGroups(namePrefix: ['a'])"),
        *("anomaly", "unnest a", "lookup t a", "join x", "filterIndex a = 1", "expand a", "head 5", "tail 5"),
    ],
)
def test_commands_that_are_not_implemented_are_named(logs: InsightsLogs, group: str, command: str) -> None:
    """User guide, "CloudWatch Logs Insights language query syntax", the table of commands."""
    name = command.split()[0].lower()
    for query in (command, f"fields @message | {command}"):
        message = str(logs.refusal(query, group))
        assert f"The command {name} of Logs Insights QL is not implemented by the local AWS" in message


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("parse @message /(a)/ as x multi", "parse with multi"),
        ("parse @message logfmt as lf", "parse with logfmt"),
        ("parse @message csv as a, b", "parse with csv"),
        ("stats count(*) by bin(5m) offset 1h", "stats with offset"),
        (
            "fields jsonParse(@message) as j",
            "The function jsonparse() of Logs Insights QL is not implemented",
        ),
        ("fields frobnicate(a)", "there is no such function. Implemented: abs, avg"),
        ("fields count(*)", "count() can only be used in stats"),
        ("filter avg(a) > 1", "avg() can only be used in stats"),
        ("fields abs(a, b)", "abs() is called with 2 arguments and takes 1"),
        ("fields 5m", "a time period can only be an argument of bin"),
        ("fields abs(*)", "* can only be the argument of count"),
        ("stats count(*) by bin(@timestamp)", "expected a time period, as in bin(5m)"),
        ("stats count(*) by bin(5 )", "expected a time period"),
        ("stats count(*) by bin(5lightyears)", "unexpected symbol found 5lightyears"),
        ("stats pct(a, 101)", "a number from 0 to 100"),
        ("stats pct(a)", "pct() does not take 1 arguments"),
        ("stats a by b", "Unknown symbols found in or after stats: a"),
        ("stats count(*) as n by a | filter b = 1", "Unknown symbols found in or after stats: b"),
        ("stats count(*) as n by a | stats avg(n) by bin(5m)", "in or after stats: @timestamp"),
        (
            "stats count(*) as n by a | sort n | stats max(n)",
            "sort and limit must come after the second stats",
        ),
        ("stats count(*) as a | stats max(a) as b | stats max(b) as c", "maximum of 2 stats commands"),
        ("stats 5 as five", "stats needs an aggregation"),
        ("dedup a | sort a", "The only command that can follow dedup is limit"),
        ("limit 0", "a whole number from 1 to 100000"),
        ("limit 100001", "a whole number from 1 to 100000"),
        ("limit 2.5", "a whole number from 1 to 100000"),
        ("filter a like /(?=x)/", "The regular expression /(?=x)/ is not valid"),
        ("parse @message /(a/ as x", "is not valid"),
        ("parse @message /a/", "parse extracts 0 groups"),
        ('parse @message "*-*" as a', "parse extracts 2 wildcards (*), and 1 names are given"),
        ("filter " + "not " * 2400 + "a", "nested too deeply"),
        ("fields " + "1 + " * 300 + "1", "nested too deeply"),
        ("  ", "the query is empty"),
    ],
)
def test_what_makes_no_sense_is_refused_with_advice(
    logs: InsightsLogs, group: str, query: str, says: str
) -> None:
    error = logs.refusal(query, group)
    assert error.response["Error"]["Code"] == "MalformedQueryException"
    assert says in str(error)


@pytest.mark.parametrize(
    "query",
    [
        'parse @message "user=*" as user | fields user',
        "fields abs(a) as b | fields abs(c) as b",
        "fields a as b, c as b",
        "fields a as score | stats avg(score) as score",
        "stats count(*) as a, sum(b) as a",
        "stats sum(b) as a by a",
        "fields a as @duration",
        'parse @message "*" as @message',
    ],
)
def test_a_name_is_given_once(logs: InsightsLogs, group: str, query: str) -> None:
    """AWS answers "Ephemeral field is already defined" (reported by many; not in its documentation)."""
    assert "Ephemeral field is already defined" in str(logs.refusal(query, group))


def test_a_name_can_be_used_from_the_next_command_on(logs: InsightsLogs, group: str) -> None:
    assert "b is defined in this very command" in str(logs.refusal("fields a as b, b + 1 as c", group))
    assert logs.ask("fields 1 as b | fields b + 1 as c", group) == [{"b": "1", "c": "2"}]


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"logGroupName": "/x", "logGroupNames": ["/x"]}, "Exactly one of"),
        ({"logGroupNames": []}, "Exactly one of"),
        ({"logGroupNames": [f"/g{i}" for i in range(51)]}, "up to 50 log groups"),
        ({"startTime": 20, "endTime": 10}, "endTime must not be before startTime"),
        ({"limit": 0}, "limit must be between 1 and 100000"),
        ({"limit": 100_001}, "limit must be between 1 and 100000"),
        ({"queryString": "x" * 10_001}, "at most 10000 characters"),
        ({"queryString": "fields a\0"}, "a NUL"),
        ({"queryLanguage": "SQL"}, "only CWLI is"),
    ],
)
def test_parameters_are_validated(
    make_client: Callable[..., Any], group: str, parameters: dict[str, Any], says: str
) -> None:
    client = make_client("logs", parameter_validation=False)
    request = {"logGroupNames": [group], "startTime": 0, "endTime": 1, "queryString": "fields @message"}
    with pytest.raises(client.exceptions.InvalidParameterException, match=says):
        client.start_query(**(request | parameters))


def test_a_missing_log_group_is_not_found(logs: InsightsLogs, group: str) -> None:
    with pytest.raises(logs.client.exceptions.ResourceNotFoundException, match="'/none' does not exist"):
        logs.start("fields @message", group, "/none")
