"""The language of event patterns.

AWS Lambda developer guide, "Control which events Lambda sends to your function", filter rule
syntax; Amazon EventBridge user guide, "Comparison operators for use in event patterns". How arrays
match: README of the matching engine that AWS publishes (aws/event-ruler), "JSON Array Matching".
"""

import json
from typing import Any

import pytest

from helpers.local.event_patterns import EventPattern, InvalidPattern, values


def matches(pattern: Any, event: Any) -> bool:
    """Both as objects, or as JSON where its writing matters."""
    pattern_text, event_text = (
        each if isinstance(each, str) else json.dumps(each) for each in (pattern, event)
    )
    return EventPattern.parse(pattern_text).matches(values.parse(event_text))


ANNA = {
    "employees": [
        {"first": "John", "last": "Doe"},
        [{"first": "Anna", "last": "Smith"}, {"first": "Peter", "last": "Jones", "left": 2020}],
    ]
}


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ({"user": [None]}, {"user": None}, {"user": "null"}),
        ({"name": [""]}, {"name": ""}, {"name": " "}),
        ({"name": ["Alice"]}, {"name": "Alice"}, {"name": "alice"}),
        ({"name": [{"equals-ignore-case": "alice"}]}, {"name": "ALICE"}, {"name": "alices"}),
        ({"at": ["NY"], "day": ["Mon"]}, {"at": "NY", "day": "Mon"}, {"at": "NY", "day": "Tue"}),
        ({"pay": ["Credit", "Debit"]}, {"pay": "Debit"}, {"pay": "Cash"}),
        ({"$or": [{"at": ["NY"]}, {"day": ["Mon"]}]}, {"at": "LA", "day": "Mon"}, {"at": "LA", "day": "Tue"}),
        ({"sky": [{"anything-but": ["rain"]}]}, {"sky": "sun"}, {"sky": "rain"}),
        ({"sky": [{"anything-but": "rain"}]}, {"sky": 7}, {}),
        ({"price": [{"numeric": ["=", 100]}]}, {"price": 100}, {"price": 101}),
        ({"price": [{"numeric": [">", 10, "<=", 20]}]}, {"price": 20}, {"price": 10}),
        ({"product": [{"exists": True}]}, {"product": None}, {"other": 1}),
        ({"product": [{"exists": False}]}, {"other": 1}, {"product": "p"}),
        ({"region": [{"prefix": "us-"}]}, {"region": "us-east-1"}, {"region": "eu-us-"}),
        ({"file": [{"suffix": ".png"}]}, {"file": "a.png"}, {"file": "a.png.zip"}),
        (
            {"service": [{"prefix": {"equals-ignore-case": "EventB"}}]},
            {"service": "eventbridge"},
            {"service": "e"},
        ),
        (
            {"service": [{"suffix": {"equals-ignore-case": "BRIDGE"}}]},
            {"service": "eventbridge"},
            {"service": "e"},
        ),
    ],
    ids=lambda value: next(iter(value), "nothing") if isinstance(value, dict) else None,
)
def test_every_operator_matches_what_it_says_and_nothing_else(
    pattern: Any, matching: Any, other: Any
) -> None:
    assert matches(pattern, matching)
    assert not matches(pattern, other)


@pytest.mark.parametrize(
    ("pattern", "event"),
    [
        ({"pressure": [31]}, {"pressure": "31"}),
        ({"pressure": ["31"]}, {"pressure": 31}),
        ({"pressure": [{"numeric": ["<", 32]}]}, {"pressure": "31"}),
        ({"flag": [True]}, {"flag": 1}),
        ({"flag": [1]}, {"flag": True}),
        ({"flag": [True]}, {"flag": "true"}),
        ({"region": [{"prefix": "1"}]}, {"region": 12}),
    ],
)
def test_values_of_another_type_do_not_match(pattern: Any, event: Any) -> None:
    assert not matches(pattern, event)


def test_numbers_are_equal_as_they_are_written_and_numeric_compares_their_values() -> None:
    """Developer guide, note on filter rule syntax: "300, 300.0, and 3.0e2 are not considered equal"."""
    for literal in ("300", "300.0", "3.0e2"):
        assert matches('{"n": [300]}', f'{{"n": {literal}}}') is (literal == "300")
        assert matches('{"n": [{"numeric": ["=", 300]}]}', f'{{"n": {literal}}}')


def test_numeric_knows_numbers_up_to_five_thousand_million() -> None:
    """EventBridge user guide, "Numeric matching": values from -5.0e9 to +5.0e9, inclusive."""
    pattern = {"n": [{"numeric": [">", 0]}]}
    assert matches(pattern, {"n": 5_000_000_000})
    assert not matches(pattern, {"n": 5_000_000_001})


def test_exists_looks_at_leaf_nodes_only() -> None:
    """Developer guide, note on the Exists operator, and its example."""
    event = {"person": {"name": "John", "address": {"street": "123 Main St"}}}
    assert not matches({"person": {"address": [{"exists": True}]}}, event)
    assert matches({"person": {"address": [{"exists": False}]}}, event)
    assert matches({"person": {"address": {"street": [{"exists": True}]}}}, event)
    assert matches({"person": {"phone": {"mobile": [{"exists": False}]}}}, event)


def test_fields_match_within_one_element_of_an_array() -> None:
    assert matches({"employees": {"first": ["Anna"], "last": ["Smith"]}}, ANNA)
    assert not matches({"employees": {"first": ["Anna"], "last": ["Jones"]}}, ANNA)
    assert matches({"tags": ["b"]}, {"tags": ["a", ["b"]]})


def test_a_field_that_must_not_exist_must_not_exist_in_any_element() -> None:
    assert not matches({"employees": {"left": [{"exists": False}]}}, ANNA)
    assert matches({"employees": {"middle": [{"exists": False}]}}, ANNA)


def test_a_name_that_comes_twice_counts_twice() -> None:
    """Developer guide, "Using event filtering with a DynamoDB event source", Boolean expressions."""
    pattern = '{"d": {"New": {"manager": ["Pat"]}}, "d": {"Old": {"manager": ["Terry"]}}}'
    assert matches(pattern, {"d": {"New": {"manager": "Pat"}, "Old": {"manager": "Terry"}}})
    assert not matches(pattern, {"d": {"New": {"manager": "Kim"}, "Old": {"manager": "Terry"}}})
    assert not matches(pattern, {"d": {"New": {"manager": "Pat"}, "Old": {"manager": "Kim"}}})


def test_alternatives_may_be_nested_and_combined_with_other_fields() -> None:
    pattern = {
        "source": ["a"],
        "$or": [{"x": [1]}, {"y": [2], "$or": [{"z": [3]}, {"z": [4]}]}],
    }
    assert matches(pattern, {"source": "a", "x": 1})
    assert matches(pattern, {"source": "a", "y": 2, "z": 4})
    assert not matches(pattern, {"source": "a", "y": 2, "z": 5})
    assert not matches(pattern, {"source": "b", "x": 1})


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "not json", "null", "[]", '"text"', '{"a": [NaN]}'),
        *("{}", '{"a": {}}', '{"a": []}', '{"a": 1}', '{"a": "text"}', '{"a": null}', '{"a": [["b"]]}'),
        *('{"a": [{}]}', '{"a": [{"like": "x"}]}', '{"a": [{"prefix": "x", "suffix": "y"}]}'),
        *('{"a": [{"wildcard": "*x"}]}', '{"a": [{"cidr": "10.0.0.0/24"}]}'),
        *('{"a": [{"prefix": 1}]}', '{"a": [{"suffix": ["x"]}]}', '{"a": [{"equals-ignore-case": null}]}'),
        *('{"a": [{"exists": "true"}]}', '{"a": [{"exists": 1}]}'),
        *('{"a": [{"anything-but": []}]}', '{"a": [{"anything-but": ["x", 1]}]}'),
        *('{"a": [{"anything-but": {"prefix": "x"}}]}', '{"a": [{"anything-but": null}]}'),
        *('{"a": [{"numeric": []}]}', '{"a": [{"numeric": ["<"]}]}', '{"a": [{"numeric": ["<", "32"]}]}'),
        *('{"a": [{"numeric": ["!=", 1]}]}', '{"a": [{"numeric": ["<", 5, ">", 1]}]}'),
        *('{"a": [{"numeric": [">", 5, "<", 1]}]}', '{"a": [{"numeric": ["=", 1, "<", 2]}]}'),
        *('{"a": [{"numeric": ["<", 6e9]}]}', '{"a": [{"numeric": "< 32"}]}'),
        *('{"$or": [{"a": [1]}]}', '{"$or": [{"a": [1]}, {"b": 2}]}'),
    ],
)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(InvalidPattern):
        EventPattern.parse(text)
