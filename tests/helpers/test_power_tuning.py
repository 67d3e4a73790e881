"""Power tuning through boto3 against functions on the local AWS."""

import io
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from helpers import invocations, power_tuning

CODE = """
import time

def handler(event, context):
    if event.get("hog_mb"):
        ballast = bytes(range(256)) * 4096 * event["hog_mb"]
    if event.get("fail"):
        raise KeyError(event["fail"])
    deadline = time.process_time() + event.get("cpu_s", 0)
    while time.process_time() < deadline:
        pass
    time.sleep(event.get("wait_s", 0))
"""


@pytest.fixture(scope="module")
def lambda_client(make_client: Callable[..., Any]) -> Any:
    return make_client("lambda")


@pytest.fixture
def function_name(lambda_client: Any, lambda_role: str) -> Iterator[str]:
    name = f"tuned-{uuid.uuid4().hex[:8]}"
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", CODE)
    lambda_client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=lambda_role,
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
        MemorySize=640,
        Timeout=10,
        Description="as the reader left it",
    )
    lambda_client.get_waiter("function_active_v2").wait(FunctionName=name)
    yield name
    lambda_client.delete_function(FunctionName=name)


def assert_as_before(lambda_client: Any, function_name: str) -> None:
    configuration = lambda_client.get_function_configuration(FunctionName=function_name)
    assert configuration["MemorySize"] == 640
    assert configuration["Description"] == "as the reader left it"
    versions = lambda_client.list_versions_by_function(FunctionName=function_name)["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST"]


def test_interleaved_rounds_of_all_sizes(lambda_client: Any, function_name: str) -> None:
    """AWS Lambda Developer Guide, "Configure Lambda function memory": CPU in proportion to memory."""
    tuning = power_tuning.run(lambda_client, function_name, (128, 512), num=8, payload={"cpu_s": 0.03})

    rounds = tuning.invocations.groupby("round")["memory_mb"].apply(list)
    assert all(sorted(sizes) == [128, 512] for sizes in rounds)
    assert len({tuple(sizes) for sizes in rounds}) == 2, "the order must change from round to round"
    assert tuning.table["n"].tolist() == [8, 8]
    assert tuning.table["cold_starts"].tolist() == [1, 1]
    # The law says 4; the machine may be busy.
    assert 2.5 < tuning.ratio("duration_ms", 128, 512).value < 6
    assert tuning.best("speed").memory_mb == 512
    assert tuning.calibration is not None and len(tuning.calibration.loop_ms) == 8
    assert_as_before(lambda_client, function_name)


def test_a_size_without_enough_memory_is_left_out(lambda_client: Any, function_name: str) -> None:
    tuning = power_tuning.run(
        lambda_client, function_name, (128, 512), num=5, payload={"hog_mb": 160}, calibrate=False
    )
    assert [(failure.memory_mb, failure.kind) for failure in tuning.failures] == [(128, "Runtime.ExitError")]
    assert tuning.table.loc[512, "n"] == 5
    assert tuning.best("cost").memory_mb == 512
    assert tuning.calibration is None
    assert_as_before(lambda_client, function_name)


def test_a_function_that_always_fails_says_so(lambda_client: Any, function_name: str) -> None:
    tuning = power_tuning.run(lambda_client, function_name, (128, 256), num=5, payload={"fail": "order"})
    assert {(failure.kind, failure.reason) for failure in tuning.failures} == {("KeyError", "'order'")}
    assert tuning.invocations.empty
    assert_as_before(lambda_client, function_name)


def test_throttled_sizes_are_failures_after_the_retries(
    lambda_client: Any, function_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocations, "FIRST_BACKOFF_S", 0.001)
    lambda_client.put_function_concurrency(FunctionName=function_name, ReservedConcurrentExecutions=0)
    tuning = power_tuning.run(lambda_client, function_name, (128,), num=5)
    assert [failure.kind for failure in tuning.failures] == ["TooManyRequestsException"]
    assert_as_before(lambda_client, function_name)


def test_an_interrupt_leaves_nothing_behind(
    lambda_client: Any, function_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(power_tuning, "invoke", interrupted)
    with pytest.raises(KeyboardInterrupt):
        power_tuning.run(lambda_client, function_name, (128, 256), num=5)
    assert_as_before(lambda_client, function_name)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"num": 4}, "at least 5, not 4"),
        ({"power_values": (64, 128)}, "128 to 10,240 MB, not 64"),
        ({"power_values": (128, 128)}, r"different memory sizes in MB, not \[128, 128\]"),
        ({"power_values": ()}, r"different memory sizes in MB, not \[\]"),
    ],
)
def test_inputs_out_of_range_are_refused_before_anything_is_made(
    inputs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        power_tuning.run(None, "never reached", **inputs)
