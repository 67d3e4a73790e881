"""Memory sizes and functions that cannot be measured: the result says so, and the run goes on or ends."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import tuned_functions
from botocore.config import Config
from tuned_functions import assert_as_before

from helpers import invocations, power_tuning
from helpers.function_configuration import update
from helpers.local_aws import LocalAws
from helpers.permissions import policy

# Everything that tuning needs but lambda:InvokeFunction.
PREPARING = [
    f"lambda:{operation}"
    for operation in (
        "CreateAlias",
        "DeleteAlias",
        "DeleteFunction",
        "GetFunction",
        "GetFunctionConfiguration",
        "ListAliases",
        "ListVersionsByFunction",
        "PublishVersion",
        "UpdateFunctionConfiguration",
    )
]

lambda_client = tuned_functions.lambda_client
function_name = tuned_functions.function_name


@pytest.fixture
def client_of_user(
    make_client: Callable[..., Any], local_aws: LocalAws, function_name: str
) -> Iterator[Callable[..., Any]]:
    """`client_of_user(statement, ...)`: a Lambda client that may do what the statements allow."""
    iam = make_client("iam")
    name = f"user-of-{function_name}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]

    def client(*statements: dict[str, Any]) -> Any:
        iam.put_user_policy(UserName=name, PolicyName="tuning", PolicyDocument=policy(*statements))
        return boto3.client(
            "lambda",
            region_name="us-east-1",
            endpoint_url=local_aws.endpoint_url,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )

    yield client
    iam.delete_user_policy(UserName=name, PolicyName="tuning")
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


def test_a_size_without_enough_memory_is_left_out(lambda_client: Any, function_name: str) -> None:
    # Filling 128 MB takes a while at a fourteenth of a CPU, longer still on a busy machine.
    update(lambda_client, function_name, Timeout=60)
    payload = {"hog_mb": 160}
    tuning = power_tuning.run(
        lambda_client, function_name, (128, 512), num=5, payload=payload, calibrate=False
    )
    (failure,) = tuning.failures
    assert (failure.memory_mb, failure.round, failure.kind) == (128, 1, "Runtime.ExitError")
    assert failure.payload == json.dumps(payload)
    assert tuning.table["n"].to_dict() == {128: 0, 512: 5}
    assert tuning.table.loc[128, "failure"] == "Runtime.ExitError"
    assert tuning.best("cost").memory_mb == 512
    assert tuning.best("cost").decided, "the only size that works is the answer"
    assert tuning.calibration is None
    # The invocation that was killed is billed too.
    assert len(tuning.left_out) == 1
    assert tuning.run_cost.lines[0].quantity == 6
    assert_as_before(lambda_client, function_name)


def test_a_size_that_times_out_is_left_out(lambda_client: Any, function_name: str) -> None:
    update(lambda_client, function_name, Timeout=3)
    tuning = power_tuning.run(
        lambda_client, function_name, (128, 512), num=5, payload={"stall_below_mb": 200}, calibrate=False
    )
    (failure,) = tuning.failures
    assert (failure.memory_mb, failure.kind) == (128, "Sandbox.Timedout")
    assert "128 MB left out in round 1: Sandbox.Timedout: " in tuning.describe()
    assert "Task timed out after 3.00 seconds" in tuning.describe()
    assert tuning.table["n"].to_dict() == {128: 0, 512: 5}
    assert_as_before(lambda_client, function_name)


def test_a_client_that_gives_up_before_the_function_does_says_so(
    make_client: Callable[..., Any], lambda_client: Any, function_name: str
) -> None:
    update(lambda_client, function_name, Timeout=3)
    impatient = make_client("lambda", read_timeout=2)
    tuning = power_tuning.run(
        impatient, function_name, (128, 512), num=5, payload={"stall_below_mb": 200}, calibrate=False
    )
    assert [(failure.memory_mb, failure.kind) for failure in tuning.failures] == [(128, "ReadTimeoutError")]
    assert "give the client a read_timeout longer than the function's timeout" in tuning.describe()
    assert_as_before(lambda_client, function_name)


def test_a_function_whose_log_level_hides_the_report_says_so(lambda_client: Any, function_name: str) -> None:
    """Developer guide, "Configuring advanced logging controls": WARN leaves out platform.report."""
    lambda_client.update_function_configuration(
        FunctionName=function_name, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"}
    )
    tuning = power_tuning.run(lambda_client, function_name, (512,), num=5)
    assert [failure.kind for failure in tuning.failures] == ["NoReportLine"]
    assert "unless the function's SystemLogLevel hides it" in tuning.describe()


def test_a_function_that_always_fails_says_so_once(lambda_client: Any, function_name: str) -> None:
    tuning = power_tuning.run(
        lambda_client,
        function_name,
        (128, 256),
        num=5,
        payload={"refuse_below_mb": 9999},
        disable_payload_logs=True,
    )
    assert tuning.invocations.empty
    assert tuning.describe().startswith(
        "128 and 256 MB left out in round 1: Refused: too small for this\nCalibration loop"
    )
    assert (tuning.summary()["n"] == 0).all()
    assert len(tuning.calibration.loop_ms) == 1, "no round after the one that left nothing"
    assert_as_before(lambda_client, function_name)


def test_failures_of_parallel_invocations_are_counted_by_kind(lambda_client: Any, function_name: str) -> None:
    tuning = power_tuning.run(
        lambda_client,
        function_name,
        (128, 512),
        num=5,
        payload={"refuse_below_mb": 200},
        parallel_invocation=True,
    )
    assert tuning.errors().to_dict("records") == [
        {"memory_mb": 128, "kind": "Refused", "count": 5, "allowed": False}
    ]
    assert "(5 times) with payload" in tuning.describe()


def test_allowed_exceptions_count_as_success(lambda_client: Any, function_name: str) -> None:
    tuning = power_tuning.run(
        lambda_client,
        function_name,
        (128, 512),
        num=5,
        payload={"refuse_below_mb": 200},
        allowed_exceptions=["Refused"],
    )
    assert tuning.failures == ()
    assert tuning.table["n"].to_dict() == {128: 5, 512: 5}
    assert tuning.errors().to_dict("records") == [
        {"memory_mb": 128, "kind": "Refused", "count": 5, "allowed": True}
    ]
    assert "128 MB: 5 times Refused, which is allowed." in tuning.describe()


@pytest.fixture
def counting_client(make_client: Callable[..., Any]) -> tuple[Any, list[int]]:
    """A Lambda client, and the HTTP status of each invocation that it has made."""
    statuses: list[int] = []
    client = make_client("lambda")
    client.meta.events.register(
        "after-call.lambda.Invoke", lambda http_response, **_: statuses.append(http_response.status_code)
    )
    return client, statuses


def test_a_function_that_may_not_run_is_reported_and_does_not_hang(
    lambda_client: Any,
    counting_client: tuple[Any, list[int]],
    function_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Developer guide, "Configuring reserved concurrency for a function": 0 stops a function."""
    monkeypatch.setattr(invocations, "FIRST_BACKOFF_S", 0.001)
    client, statuses = counting_client
    lambda_client.put_function_concurrency(FunctionName=function_name, ReservedConcurrentExecutions=0)
    tuning = power_tuning.run(client, function_name, (128, 256, 512), num=5)
    assert {(failure.memory_mb, failure.kind) for failure in tuning.failures} == {
        (size, "TooManyRequestsException") for size in (128, 256, 512)
    }
    assert "128, 256 and 512 MB left out in round 1: TooManyRequestsException: Rate Exceeded" in (
        tuning.describe()
    )
    assert "reserved concurrency (0 stops it)" in tuning.describe()
    # One invocation and its repetitions, and none of the other sizes.
    assert statuses == [429] * (1 + invocations.THROTTLES_RETRIED)
    assert_as_before(lambda_client, function_name)


def test_throttled_parallel_invocations_are_repeated(
    lambda_client: Any, counting_client: tuple[Any, list[int]], function_name: str
) -> None:
    client, statuses = counting_client
    lambda_client.put_function_concurrency(FunctionName=function_name, ReservedConcurrentExecutions=1)
    tuning = power_tuning.run(
        client, function_name, (512,), num=5, payload={"wait_s": 0.2}, parallel_invocation=True
    )
    assert statuses.count(429) > 0, "nothing was throttled, so the test shows nothing"
    assert statuses.count(200) == 5
    assert tuning.failures == ()
    assert tuning.table.loc[512, "n"] == 5


@pytest.mark.parametrize(
    "permission", ["lambda:InvokeAsync on everything", "lambda:InvokeFunction on the ARN"]
)
def test_a_caller_that_may_not_invoke_gets_a_clear_result(
    lambda_client: Any, function_name: str, client_of_user: Callable[..., Any], permission: str
) -> None:
    """Developer guide, "Identity-based IAM policies for Lambda": an alias is a resource of its own."""
    arn = lambda_client.get_function_configuration(FunctionName=function_name)["FunctionArn"]
    action, _, scope = permission.partition(" on ")
    client = client_of_user(
        {"Effect": "Allow", "Action": PREPARING, "Resource": [arn, f"{arn}:*"]},
        {"Effect": "Allow", "Action": action, "Resource": arn if scope == "the ARN" else "*"},
    )
    tuning = power_tuning.run(client, function_name, (128, 256), num=5)
    assert {(failure.memory_mb, failure.kind) for failure in tuning.failures} == {
        (128, "AccessDeniedException"),
        (256, "AccessDeniedException"),
    }
    text = tuning.describe()
    assert "not authorized to perform: lambda:InvokeFunction" in text
    assert "lambda:InvokeFunction on the function's ARN followed by :*" in text
    with pytest.raises(ValueError, match="could be measured"):
        tuning.best()
    assert_as_before(lambda_client, function_name)


def test_a_size_that_the_account_does_not_offer_is_left_out(
    make_client: Callable[..., Any], lambda_client: Any, function_name: str
) -> None:
    """Lambda quotas: new AWS accounts have reduced memory quotas, raised automatically with usage."""
    limited = make_client("lambda")

    def ask_for_too_much(params: dict[str, Any], **_: Any) -> None:
        body = json.loads(params["body"])
        if body.get("MemorySize") == 4096:
            params["body"] = json.dumps({**body, "MemorySize": 20_480}).encode()

    limited.meta.events.register("before-call.lambda.UpdateFunctionConfiguration", ask_for_too_much)
    tuning = power_tuning.run(limited, function_name, (512, 4096), num=5)
    (failure,) = tuning.failures
    assert (failure.memory_mb, failure.round) == (4096, 0)
    assert "4,096 MB left out before the first round: " in tuning.describe()
    assert tuning.table["n"].to_dict() == {512: 5, 4096: 0}
    assert_as_before(lambda_client, function_name)
