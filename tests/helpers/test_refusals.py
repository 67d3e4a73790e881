"""What AWS refuses is shown, and a call that goes through is an error."""

import pytest

from helpers.refusals import NotRefused, answer, raised, refusal
from helpers.workshop import Workshop


def test_code_and_message_of_a_refusal_are_returned(workshop: Workshop) -> None:
    logs = workshop.client("logs")
    answer = refusal(logs.delete_log_group, logGroupName=workshop.name("missing"))
    assert answer.startswith("ResourceNotFoundException: The specified log group does not exist")


def test_a_call_that_goes_through_is_an_error(workshop: Workshop) -> None:
    with pytest.raises(NotRefused, match=r"did not refuse describe_log_groups\(\{'limit': 5\}\)"):
        refusal(workshop.client("logs").describe_log_groups, limit=5)


def test_other_errors_come_out_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError):
        refusal(lambda number: 1 / number, 0)


def test_an_answer_is_yes_or_the_code_of_a_refusal(workshop: Workshop) -> None:
    logs = workshop.client("logs")
    assert answer(logs.describe_log_groups, limit=5) == "yes"
    missing = workshop.name("missing")
    assert answer(logs.delete_log_group, logGroupName=missing) == "ResourceNotFoundException"


def test_errors_of_this_side_are_shown_too() -> None:
    assert raised(ValueError, int, "one") == "invalid literal for int() with base 10: 'one'"
    with pytest.raises(NotRefused, match="int did not raise ValueError"):
        raised(ValueError, int, "1")
    with pytest.raises(TypeError):
        raised(ValueError, int, None)
