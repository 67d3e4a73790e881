"""Forced cold starts through boto3 against functions on the local AWS."""

import io
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from helpers import cold_starts
from helpers.invocations import InvocationFailed

CODE = """
import os

SETTING = os.environ["SETTING"]

def handler(event, context):
    if event == "fail":
        raise RuntimeError("as asked")
    return SETTING
"""


@pytest.fixture(scope="module")
def lambda_client(make_client: Callable[..., Any]) -> Any:
    return make_client("lambda")


@pytest.fixture(scope="module")
def function_names(lambda_client: Any, lambda_role: str) -> list[str]:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", CODE)
    names = [f"cold-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        lambda_client.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=lambda_role,
            Handler="app.handler",
            Code={"ZipFile": package.getvalue()},
            Environment={"Variables": {"SETTING": "kept"}},
        )
        lambda_client.get_waiter("function_active_v2").wait(FunctionName=name)
    return names


def variables(lambda_client: Any, name: str) -> dict[str, str]:
    configuration = lambda_client.get_function_configuration(FunctionName=name)
    found: dict[str, str] = configuration["Environment"]["Variables"]
    return found


def test_every_round_has_one_cold_start_of_each_function(
    lambda_client: Any, function_names: list[str]
) -> None:
    """AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"."""
    measured = cold_starts.force(lambda_client, function_names, rounds=3, warm_invocations=1)

    starts = measured.invocations
    cold, warm = starts[starts["cold_start"]], starts[~starts["cold_start"]]
    assert len(cold) == len(warm) == 6
    assert (cold.groupby("round")["function_name"].nunique() == 2).all()
    assert (cold["init_duration_ms"] > 0).all() and warm["init_duration_ms"].isna().all()
    assert starts["request_id"].is_unique
    assert (cold["total_duration_ms"] == cold["init_duration_ms"] + cold["duration_ms"]).all()
    # INIT is billed: AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase".
    assert (cold["billed_duration_ms"] >= cold["total_duration_ms"]).all()
    assert len(measured.samples(function_names[0])) == 3
    assert len(measured.samples(function_names[1], "duration_ms", cold_start=False)) == 3
    assert measured.calibration is not None and len(measured.calibration.loop_ms) == 3
    assert all(variables(lambda_client, name) == {"SETTING": "kept"} for name in function_names)


def test_variables_are_put_back_when_the_function_fails(
    lambda_client: Any, function_names: list[str]
) -> None:
    with pytest.raises(InvocationFailed, match="RuntimeError: as asked"):
        cold_starts.force(lambda_client, function_names, rounds=1, payload="fail")
    assert all(variables(lambda_client, name) == {"SETTING": "kept"} for name in function_names)
