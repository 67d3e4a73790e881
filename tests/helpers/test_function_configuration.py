"""Variables are changed one by one, and functions are waited for."""

import pytest
from botocore.stub import Stubber

from helpers import functions, permissions
from helpers.function_configuration import set_variables, wait_active
from helpers.invocations import invoke
from helpers.workshop import Workshop

SOURCE = "import os\n\n\ndef handler(event, context):\n    return [os.environ.get(name) for name in event]\n"


@pytest.fixture
def function_name(workshop: Workshop) -> str:
    """A function that returns the variables it is asked for; it may still be on its way."""
    role = permissions.create_role(workshop.client("iam"), workshop.name("reader"), "lambda.amazonaws.com")
    created = workshop.client("lambda").create_function(
        FunctionName=workshop.name("reader"),
        Runtime="python3.12",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": functions.package(texts={"app.py": SOURCE})},
        Environment={"Variables": {"KEPT": "as it was", "CHANGED": "old"}},
    )
    return str(created["FunctionName"])


def test_variables_that_cannot_be_read_are_not_overwritten(workshop: Workshop) -> None:
    """AWS Lambda API reference, "EnvironmentResponse": an error in the place of the variables."""
    lambda_ = workshop.client("lambda")
    denied = {"ErrorCode": "AccessDeniedException", "Message": "KMS access was denied."}
    with Stubber(lambda_) as answers:
        answers.add_response(
            "get_function_configuration", {"FunctionName": "f", "Environment": {"Error": denied}}
        )
        # Any other call would have no answer.
        with pytest.raises(ValueError, match=r"variables of f cannot be read.*KMS access was denied\."):
            set_variables(lambda_, "f", CHANGED="new")


def test_other_variables_stay(workshop: Workshop, function_name: str) -> None:
    lambda_ = workshop.client("lambda")
    wait_active(lambda_, function_name)
    names = ["KEPT", "CHANGED", "ADDED"]
    assert invoke(lambda_, function_name, names).payload == ["as it was", "old", None]
    set_variables(lambda_, function_name, CHANGED="new", ADDED="more")
    changed = invoke(lambda_, function_name, names)
    assert changed.payload == ["as it was", "new", "more"]
    assert changed.report.cold_start
