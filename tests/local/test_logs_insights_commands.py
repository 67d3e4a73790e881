"""The commands of Logs Insights QL, except stats.

AWS: CloudWatch Logs user guide, one page for each command, whose examples are used here.
"""

from collections.abc import Callable
from typing import Any

import pytest
from insights_logs import DAY, START_MS, InsightsLogs


@pytest.fixture(scope="module")
def logs(make_client: Callable[..., Any]) -> InsightsLogs:
    return InsightsLogs(make_client("logs"))


def values(rows: list[dict[str, str]], name: str) -> list[str | None]:
    return [row.get(name) for row in rows]


def test_without_fields_time_and_message_are_shown_newest_first(logs: InsightsLogs) -> None:
    """User guide, "filter": results "show the @timestamp and all log data in the @message field"."""
    group = logs.put(["first", "second"], times_ms=[START_MS, START_MS + 1000])
    assert logs.ask('filter @message like ""', group) == [
        {"@timestamp": f"{DAY} 22:13:21.000", "@message": "second"},
        {"@timestamp": f"{DAY} 22:13:20.000", "@message": "first"},
    ]


def test_fields_adds_columns_in_order_and_names_what_is_computed(logs: InsightsLogs) -> None:
    """User guide, "fields"; names with special characters stand in backticks."""
    group = logs.put(['{"foo-bar": "x", "action": "GET", "f3": 1, "f4": 5}'])
    [row] = logs.ask("fields `foo-bar`, action, abs(f3-f4) | fields concat(action, '!') as loud", group)
    assert list(row.items()) == [("foo-bar", "x"), ("action", "GET"), ("abs(f3-f4)", "4"), ("loud", "GET!")]


def test_a_missing_field_is_left_out_of_its_row(logs: InsightsLogs) -> None:
    group = logs.put(['{"a": 1}', '{"b": 2}'])
    assert logs.ask("fields a, b | sort @timestamp", group) == [{"a": "1"}, {"b": "2"}]


def test_display_shows_only_what_its_last_occurrence_names(logs: InsightsLogs) -> None:
    """User guide, "display"."""
    group = logs.put(["[ERROR] it broke", "[INFO] all well"])
    query = """
        fields @message
        | parse @message "[*] *" as loggingType, loggingMessage
        | filter loggingType = "ERROR"
        | display loggingType
        | display loggingMessage"""
    assert logs.ask(query, group) == [{"loggingMessage": "it broke"}]


@pytest.mark.parametrize(
    "pattern",
    [
        '"[*] * The error was: *" as level, config, exception',
        r"/\[(?<level>\S+)\]\s+(?<config>\{.*\})\s+The error was: (?<exception>\S+)/",
        r"/\[(\S+)\]\s+(\{.*\})\s+The error was: (\S+)/ as level, config, exception",
    ],
)
def test_parse_by_glob_and_by_regular_expression(logs: InsightsLogs, pattern: str) -> None:
    """User guide, "parse": an event that does not match is shown without the extracted fields."""
    line = "25 May 2019 10:24:39,474 [ERROR] {foo=2, bar=data} The error was: DataIntegrityException"
    group = logs.put([line, "nothing of the kind"])
    assert logs.ask(
        f"fields strlen(@message) as size | parse @message {pattern} | sort size desc", group
    ) == [
        {
            "size": "88",
            "level": "ERROR",
            "config": "{foo=2, bar=data}",
            "exception": "DataIntegrityException",
        },
        {"size": "19"},
    ]


def test_parse_reads_the_message_by_default_and_what_another_parse_extracted(logs: InsightsLogs) -> None:
    """User guide, "parse", "Chained parse"."""
    group = logs.put(["GET url=/api/v2/users/42"])
    query = (
        'parse "url=*" as url | parse url "/api/*/users/*" as apiVersion, userId | display apiVersion, userId'
    )
    assert logs.ask(query, group) == [{"apiVersion": "v2", "userId": "42"}]


def test_an_optional_group_that_takes_no_part_is_a_missing_field(logs: InsightsLogs) -> None:
    group = logs.put(["took 5 ms", "took 7 ms, init 100 ms"])
    query = r"""parse @message /took (?<took>\d+) ms(?:, init (?<init>\d+) ms)?/
        | display took, ispresent(init) as cold | sort took"""
    assert logs.ask(query, group) == [{"took": "5", "cold": "0"}, {"took": "7", "cold": "1"}]


def test_extracted_numbers_are_numbers_where_one_is_wanted(logs: InsightsLogs) -> None:
    group = logs.put([f"user=u{i % 2}, method:m, latency := {i}" for i in range(1, 6)])
    query = """parse @message "user=*, method:*, latency := *" as @user, @method, @latency
        | stats avg(@latency) by @method, @user"""
    assert logs.ask(query, group) == [
        {"@method": "m", "@user": "u0", "avg(@latency)": "3"},
        {"@method": "m", "@user": "u1", "avg(@latency)": "3"},
    ]


def test_sort_is_natural(logs: InsightsLogs) -> None:
    """User guide, "sort": the example's order; descending is the reverse. Missing values come first."""
    ascending = ["!:", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj", "a12345hfh"]
    ascending += ["0", "01", "1", "2", "3"]
    group = logs.put([*(f"value {value}" for value in ascending[::-1]), "none"])
    query = 'parse @message "value *" as v | display v | sort v'
    assert values(logs.ask(query, group), "v") == [None, *ascending]
    assert values(logs.ask(f"{query} desc", group), "v") == [*ascending[::-1], None]


def test_sort_by_several_expressions(logs: InsightsLogs) -> None:
    group = logs.put([f'{{"a": {i % 3}, "b": {i}}}' for i in range(9)])
    rows = logs.ask("fields a, b | sort by a desc, b % 2, b | limit 4", group)
    assert [(row["a"], row["b"]) for row in rows] == [("2", "2"), ("2", "8"), ("2", "5"), ("1", "4")]


def test_limit_takes_the_first_of_the_order(logs: InsightsLogs) -> None:
    """User guide, "limit"; StartQuery's `limit` applies after the query's own."""
    group = logs.put([f"{i}" for i in range(10)])
    query = "fields @message as m | sort m desc | limit 3"
    assert values(logs.ask(query, group), "m") == ["9", "8", "7"]
    assert values(logs.ask(query, group, limit=2), "m") == ["9", "8"]
    assert len(logs.ask("fields @message | limit any 4", group)) == 4


def test_without_limit_ten_thousand_events_are_returned(logs: InsightsLogs) -> None:
    """User guide, "limit": "defaults to returning up to 10,000 log events", and can be 100,000."""
    group = logs.put(["x"] * 10_050)
    answer = logs.finished(logs.start("fields @logStream", group))
    assert len(answer["results"]) == answer["statistics"]["resultCount"] == 10_000
    answer = logs.finished(logs.start("fields @logStream | limit 100000", group))
    assert answer["statistics"]["resultCount"] == 10_050


def test_dedup_keeps_the_first_in_order_and_all_that_miss_the_field(logs: InsightsLogs) -> None:
    """User guide, "dedup"."""
    servers = ["a", "b", None, "a", "b", None]
    group = logs.put(
        [f'{{"n": {n}, "server": "{s}"}}' if s else f'{{"n": {n}}}' for n, s in enumerate(servers)]
    )
    assert values(logs.ask("fields n, server | dedup server", group), "n") == ["5", "4", "3", "2"]
    assert values(logs.ask("fields n, server | sort n | dedup server | limit 2", group), "n") == ["0", "1"]
    assert len(logs.ask("fields n | dedup server, n", group)) == 6


def test_comments_and_keywords_in_any_case(logs: InsightsLogs) -> None:
    """User guide, "Use aliases and comments in queries"."""
    group = logs.put(["a # b", "c"])
    query = """# everything
        FIELDS @timestamp, @message
        # | filter @message like /delay/
        | FILTER @message LIKE "# b"   # a hash in quotes is no comment
        | Sort @timestamp DESC | LIMIT 20"""
    assert values(logs.ask(query, group), "@message") == ["a # b"]


def test_both_quotes_escape_each_other(logs: InsightsLogs) -> None:
    group = logs.put(["""say "it's" """])
    query = r"""filter @message like "\"it's\"" and @message like '"it\'s"' | fields "x'y" as q"""
    assert logs.ask(query, group) == [{"q": "x'y"}]
