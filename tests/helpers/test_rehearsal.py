"""A custom runtime is led through its events, and whatever goes wrong there is said."""

import sys

import pytest

from helpers import rehearsal
from helpers.rehearsal import RehearsalFailed, rehearse

# The loop of AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
RUNTIME = """
import json, os, urllib.error, urllib.request

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"

def post(path, value):
    urllib.request.urlopen(path, json.dumps(value).encode()).read()

def handler(event):
    HANDLER

while True:
    try:
        answer = urllib.request.urlopen(api + "next")
    except urllib.error.HTTPError as ended:
        assert ended.code == 410
        break
    event = json.load(answer)
    post(f"{api}{answer.headers['Lambda-Runtime-Aws-Request-Id']}/OUTCOME", handler(event))
"""


def runtime(handler: str, outcome: str = "response") -> list[str]:
    return [sys.executable, "-c", RUNTIME.replace("HANDLER", handler).replace("OUTCOME", outcome)]


def test_responses_come_in_the_order_of_the_events() -> None:
    assert rehearse(runtime("return event['number'] * 2"), [{"number": 1}, {"number": 21}]) == [2, 42]


def test_services_answer_and_variables_are_there() -> None:
    call = "post(os.environ['AWS_ENDPOINT_URL'] + '/', {}); return [os.environ[name] for name in event]"
    assert rehearse(runtime(call), [["TABLE", "AWS_REGION"]], {"TABLE": "cars"}) == [["cars", "us-east-1"]]


def test_an_error_that_the_runtime_reports_comes_out() -> None:
    with pytest.raises(RehearsalFailed, match=r"reported an error: .*no headers"):
        rehearse(runtime("return {'errorMessage': 'no headers'}", outcome="error"), [{}])


def test_a_runtime_that_breaks_off_says_why() -> None:
    with pytest.raises(
        RehearsalFailed, match=r"(?s)exit code 1 after 0 responses to 1 events.*KeyError: 'number'"
    ):
        rehearse(runtime("return event['number']"), [{}])


def test_a_runtime_that_takes_no_event_is_no_success() -> None:
    with pytest.raises(RehearsalFailed, match="exit code 0 after 0 responses"):
        rehearse([sys.executable, "-c", ""], [{}])


def test_a_runtime_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "TIMEOUT_S", 0.5)
    with pytest.raises(RehearsalFailed, match=r"did not end within 0\.5 s"):
        rehearse([sys.executable, "-c", "import time; time.sleep(60)"], [{}])
