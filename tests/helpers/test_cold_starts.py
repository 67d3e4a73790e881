"""Forced cold starts through boto3 against functions on the local AWS."""

import uuid
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from botocore.stub import Stubber

from helpers import cold_starts, functions
from helpers.cold_starts import ColdStarts
from helpers.invocations import InvocationFailed
from helpers.waiting import NotObserved

# Slow enough for invocations that arrive together to overlap.
SLEEP_S = 1.5
CODE = """
import os
import time

SETTING = os.environ["SETTING"]

def handler(event, context):
    if event == "fail":
        raise RuntimeError("as asked")
    time.sleep(event or 0)
    return SETTING
"""


@pytest.fixture(scope="module")
def lambda_client(make_client: Callable[..., Any]) -> Any:
    return make_client("lambda")


@pytest.fixture(scope="module")
def logs_client(make_client: Callable[..., Any]) -> Any:
    return make_client("logs")


def deploy(lambda_client: Any, role: str, log_format: str, **logging: str) -> str:
    name = f"cold-{uuid.uuid4().hex[:8]}"
    lambda_client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": functions.package(texts={"app.py": CODE})},
        Environment={"Variables": {"SETTING": "kept"}},
        Description="mine",
        Timeout=30,
        LoggingConfig={"LogFormat": log_format, **logging},
    )
    lambda_client.get_waiter("function_active_v2").wait(FunctionName=name)
    return name


@pytest.fixture(scope="module")
def function_names(lambda_client: Any, lambda_role: str) -> list[str]:
    return [deploy(lambda_client, lambda_role, log_format) for log_format in ("Text", "JSON")]


def assert_as_it_was(lambda_client: Any, name: str) -> None:
    configuration = lambda_client.get_function_configuration(FunctionName=name)
    assert configuration["Environment"]["Variables"] == {"SETTING": "kept"}
    assert configuration["Description"] == "mine"
    versions = lambda_client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST"]


@pytest.mark.parametrize("by", ["nonce", "version"])
def test_every_round_has_one_cold_start_of_each_function(
    lambda_client: Any, function_names: list[str], by: Any
) -> None:
    """AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"."""
    measured = cold_starts.force(lambda_client, function_names, rounds=3, warm_invocations=1, by=by)

    starts = measured.invocations
    cold, warm = starts[starts["cold_start"]], starts[~starts["cold_start"]]
    assert len(cold) == len(warm) == 6
    assert (cold.groupby("round")["function_name"].nunique() == 2).all()
    assert (cold["init_duration_ms"] > 0).all() and warm["init_duration_ms"].isna().all()
    assert starts["request_id"].is_unique
    assert (cold["total_duration_ms"] == cold["init_duration_ms"] + cold["duration_ms"]).all()
    # INIT is billed: AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase".
    assert (cold["billed_duration_ms"] >= cold["total_duration_ms"]).all()
    assert (starts["max_memory_used_mb"] > 0).all()
    assert len(measured.samples(function_names[0])) == 3
    assert len(measured.samples(function_names[1], "duration_ms", cold_start=False)) == 3
    assert measured.calibration is not None and len(measured.calibration.loop_ms) == 3
    # One after the other, by the clock of the caller, who waits for at least what Lambda reports.
    assert (starts["started_s"].iloc[1:].to_numpy() >= starts["ended_s"].iloc[:-1].to_numpy()).all()
    assert (starts["ended_s"] - starts["started_s"] >= starts["total_duration_ms"] / 1000).all()
    for name in function_names:
        assert_as_it_was(lambda_client, name)


@pytest.mark.parametrize("by", ["nonce", "version"])
def test_a_function_is_as_it_was_when_it_has_failed(
    lambda_client: Any, function_names: list[str], by: Any
) -> None:
    with pytest.raises(InvocationFailed, match="RuntimeError: as asked"):
        cold_starts.force(lambda_client, function_names, rounds=1, payload="fail", by=by)
    for name in function_names:
        assert_as_it_was(lambda_client, name)


@pytest.mark.parametrize("by", ["nonce", "version"])
def test_invocations_at_the_same_moment_each_start_an_environment(
    lambda_client: Any, logs_client: Any, function_names: list[str], by: Any
) -> None:
    """AWS Lambda Developer Guide, "Understanding Lambda function scaling": one request at a time each."""
    measured = cold_starts.force(
        lambda_client, function_names[:1], rounds=2, payload=SLEEP_S, calibrate=False, by=by, burst=3
    )
    rows = cold_starts.wait_for_logs(logs_client, measured).invocations
    assert rows["cold_start"].sum() == 6
    assert rows["environment"].nunique() == 6
    for _, burst in rows.groupby("round"):
        assert burst["started_s"].max() < burst["ended_s"].min()
    assert_as_it_was(lambda_client, function_names[0])


def test_an_invocation_of_a_burst_that_finds_a_warm_environment_is_no_cold_start(
    lambda_client: Any, logs_client: Any, function_names: list[str]
) -> None:
    """With a concurrency of one the others are throttled until the first environment is free."""
    name = function_names[0]
    lambda_client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    try:
        measured = cold_starts.force(lambda_client, [name], rounds=1, payload=0.1, calibrate=False, burst=3)
    finally:
        lambda_client.delete_function_concurrency(FunctionName=name)
    rows = cold_starts.wait_for_logs(logs_client, measured).invocations
    assert (rows["cold_start"].sum(), len(rows)) == (1, 3)
    assert rows["environment"].nunique() == 1
    assert len(measured.samples(name)) == 1


def test_the_logs_say_which_environment_answered_whatever_their_format(
    lambda_client: Any, logs_client: Any, function_names: list[str]
) -> None:
    """One log stream an environment: AWS Lambda Developer Guide, "Sending function logs to CloudWatch"."""
    measured = cold_starts.force(lambda_client, function_names, 2, warm_invocations=2, calibrate=False)
    assert measured.invocations["environment"].isna().all()
    found = cold_starts.wait_for_logs(logs_client, measured)
    by_environment = found.invocations.groupby("environment")
    assert len(by_environment) == 4
    assert (by_environment.size() == 3).all() and (by_environment["cold_start"].sum() == 1).all()
    assert (by_environment[["round", "function_name"]].nunique() == 1).all(axis=None)
    pd.testing.assert_frame_equal(
        found.invocations.drop(columns="environment"), measured.invocations.drop(columns="environment")
    )


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_the_log_group_may_have_any_name(
    lambda_client: Any, logs_client: Any, lambda_role: str, log_format: str
) -> None:
    """AWS Lambda Developer Guide, "Configuring CloudWatch log groups"."""
    name = deploy(lambda_client, lambda_role, log_format, LogGroup=f"/cold/{log_format}")
    measured = cold_starts.force(lambda_client, [name], rounds=2, calibrate=False)
    assert measured.log_group_names == (f"/cold/{log_format}",)
    assert cold_starts.wait_for_logs(logs_client, measured).invocations["environment"].nunique() == 2


def test_invocations_that_the_logs_do_not_hold_are_named(
    lambda_client: Any, logs_client: Any, function_names: list[str]
) -> None:
    measured = cold_starts.force(lambda_client, function_names[:1], 1, calibrate=False)
    elsewhere = ColdStarts(
        measured.invocations.assign(request_id="made-elsewhere"),
        None,
        measured.log_group_names,
        measured.started_at,
    )
    with pytest.raises(NotObserved, match=r"REPORT lines of 1 invocations in .*\{'made-elsewhere'\}"):
        cold_starts.wait_for_logs(logs_client, elsewhere, timeout_s=1)


def test_percentiles_of_the_invocations_are_those_of_the_logs(
    lambda_client: Any, logs_client: Any, lambda_role: str
) -> None:
    name = deploy(lambda_client, lambda_role, "Text")
    measured = cold_starts.force(lambda_client, [name], rounds=4, warm_invocations=2, calibrate=False)
    by_insights = cold_starts.percentiles(
        logs_client, measured.log_group_names, expected_records=12, start=measured.started_at
    )
    assert list(by_insights["invocations"]) == [8, 4]
    pd.testing.assert_frame_equal(by_insights, measured.percentiles(), check_dtype=False, check_exact=True)


def cold_rows(*rows: tuple[int, str, float]) -> ColdStarts:
    frame = pd.DataFrame(rows, columns=["round", "function_name", "init_duration_ms"])
    return ColdStarts(frame.assign(cold_start=True), None)


def test_ratio_pairs_the_medians_of_rounds() -> None:
    starts = cold_rows(
        *((number, "a", 30.0 * number) for number in range(1, 7)),
        *((number, "a", 10.0 * number) for number in range(1, 7)),
        *((number, "b", 10.0 * number) for number in range(1, 8)),
    )
    assert starts.ratio("a", "b").value == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"rounds": 0}, "rounds must be at least 1, not 0"),
        ({"burst": 0}, "burst must be at least 1, not 0"),
        ({"warm_invocations": -1}, "warm_invocations must be at least 0, not -1"),
        ({"by": "magic"}, "by is one of nonce, version, not 'magic'"),
        ({"function_names": []}, r"a list of at least one name, not \[\]"),
        ({"function_names": "orders"}, "a list of at least one name, not 'orders'"),
    ],
)
def test_inputs_out_of_range_are_refused(
    lambda_client: Any, function_names: list[str], inputs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        cold_starts.force(lambda_client, **{"function_names": function_names, "rounds": 1, **inputs})


def test_variables_that_cannot_be_read_are_not_overwritten(make_client: Callable[..., Any]) -> None:
    """AWS Lambda API reference, "EnvironmentResponse": an error in the place of the variables."""
    client = make_client("lambda")
    denied = {"ErrorCode": "AccessDeniedException", "Message": "KMS access was denied."}
    with Stubber(client) as answers:
        answers.add_response(
            "get_function_configuration", {"FunctionName": "f", "Environment": {"Error": denied}}
        )
        # Any other call would have no answer.
        with pytest.raises(ValueError, match=r"variables of f cannot be read.*KMS access was denied\."):
            cold_starts.force(client, ["f"], rounds=1)
