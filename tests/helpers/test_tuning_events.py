"""What a tuned function is invoked with, and the processors before and after it."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tuned_functions
from tuned_functions import arn_of, assert_as_before, events_seen

from helpers import power_tuning
from helpers.tuning.invocations import ProcessorFailed
from helpers.tuning.payloads import PayloadUnreadable

lambda_client = tuned_functions.lambda_client
logs = tuned_functions.logs


@pytest.fixture
def create(lambda_client: Any, lambda_role: str) -> Iterator[Callable[..., str]]:
    names: list[str] = []

    def call(handler: str = "app.handler", **parameters: Any) -> str:
        names.append(tuned_functions.create(lambda_client, lambda_role, handler, **parameters))
        return names[-1]

    yield call
    for name in names:
        tuned_functions.delete(lambda_client, name)


@pytest.fixture
def function_name(create: Callable[..., str]) -> str:
    return create()


def test_weighted_payloads_share_out_the_rounds(lambda_client: Any, logs: Any, function_name: str) -> None:
    """aws-lambda-power-tuning, "Weighted payloads": relative weights over num invocations."""
    payload = [
        {"payload": {"kind": "a"}, "weight": 1},
        {"payload": '{"kind": "b"}', "weight": 3},
        {"payload": {"kind": "c"}, "weight": 4},
    ]
    power_tuning.run(lambda_client, function_name, (512, 1024), num=8, payload=payload, calibrate=False)
    kinds = Counter(event["kind"] for event in events_seen(logs, function_name, minimum=16))
    assert kinds == {"a": 2, "b": 6, "c": 8}


@pytest.mark.parametrize(
    ("body", "events"),
    [
        ({"from": "s3"}, [{"from": "s3"}] * 5),
        (
            [{"payload": {"kind": "a"}, "weight": 1}, {"payload": {"kind": "b"}, "weight": 4}],
            [{"kind": "a"}, *[{"kind": "b"}] * 4],
        ),
    ],
    ids=["one payload", "weighted payloads"],
)
def test_a_payload_can_come_from_s3(
    make_client: Callable[..., Any],
    lambda_client: Any,
    logs: Any,
    function_name: str,
    body: Any,
    events: list[Any],
) -> None:
    """aws-lambda-power-tuning, "S3 payloads": they may be weighted too."""
    s3 = make_client("s3", s3={"addressing_style": "path"})
    bucket = f"payloads-{function_name}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="events/large.json", Body=json.dumps(body).encode())
    try:
        uri = f"s3://{bucket}/events/large.json"
        power_tuning.run(
            lambda_client, function_name, (512,), num=5, payload_s3=uri, s3_client=s3, calibrate=False
        )
        assert sorted(events_seen(logs, function_name, minimum=5), key=str) == events
        with pytest.raises(PayloadUnreadable, match=r"NoSuchKey.*s3:GetObject"):
            power_tuning.run(lambda_client, function_name, payload_s3=f"{uri}.missing", s3_client=s3)
        with pytest.raises(ValueError, match="add s3_client"):
            power_tuning.run(lambda_client, function_name, payload_s3=uri)
    finally:
        s3.delete_object(Bucket=bucket, Key="events/large.json")
        s3.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        ({"becomes": {"prepared": True}}, {"prepared": True}),
        # What is empty leaves the payload as it was.
        ({"becomes": None}, {"becomes": None}),
        ({"becomes": ""}, {"becomes": ""}),
    ],
)
def test_processors_run_before_and_after_each_invocation(
    lambda_client: Any,
    logs: Any,
    create: Callable[..., str],
    payload: dict[str, Any],
    event: dict[str, Any],
) -> None:
    """aws-lambda-power-tuning, "Pre/Post-processing functions"."""
    function_name, before, after = create(), create("app.prepare"), create("app.prepare")
    tuning = power_tuning.run(
        lambda_client,
        function_name,
        (512,),
        num=5,
        payload=payload,
        pre_processor_arn=arn_of(lambda_client, before),
        post_processor_arn=arn_of(lambda_client, after),
        calibrate=False,
    )
    assert events_seen(logs, before, minimum=5) == [payload] * 5
    assert events_seen(logs, function_name, minimum=5) == [event] * 5
    assert events_seen(logs, after, minimum=5) == [{"answer": event, "memory_mb": 512}] * 5
    assert len(tuning.invocations) == 5


def test_a_post_processor_sees_the_error_of_a_failed_invocation(
    lambda_client: Any, logs: Any, create: Callable[..., str]
) -> None:
    function_name, after = create(), create("app.prepare")
    power_tuning.run(
        lambda_client,
        function_name,
        (512,),
        num=5,
        payload={"refuse_below_mb": 600},
        post_processor_arn=arn_of(lambda_client, after),
        calibrate=False,
    )
    (seen,) = events_seen(logs, after, minimum=1)
    assert (seen["errorType"], seen["errorMessage"]) == ("Refused", "too small for this")


@pytest.mark.parametrize(
    ("disable_payload_logs", "shown"), [(False, ' with payload {"fail": "secret"}: '), (True, " failed: ")]
)
def test_a_processor_that_fails_ends_the_run(
    lambda_client: Any, create: Callable[..., str], disable_payload_logs: bool, shown: str
) -> None:
    function_name, before = create(), create("app.prepare")
    with pytest.raises(ProcessorFailed, match=f"pre-processor .*{shown}Refused: as asked"):
        power_tuning.run(
            lambda_client,
            function_name,
            (512,),
            num=5,
            payload={"fail": "secret"},
            pre_processor_arn=arn_of(lambda_client, before),
            disable_payload_logs=disable_payload_logs,
        )
    assert_as_before(lambda_client, function_name)
