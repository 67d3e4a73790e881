"""Lambda extensions: started, registered, told of events, watched and shut down as on AWS."""

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from deployed import Answer, DeployedFunction, in_parallel
from extension_layers import EXTENSION, layer_of

from helpers.waiting import wait_until

SOURCE = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: print("terminated", flush=True) or os._exit(0))
def handler(event, context):
    time.sleep(event.get("sleep_s", 0))
    print("handler")
    return os.getpid()
"""


@pytest.fixture
def publish(make_client: Any) -> Callable[..., str]:
    """`publish({"extensions/name": source}, mode=0o644)`: the ARN of a new layer's version."""
    client = make_client("lambda")

    def publish_layer(files: dict[str, str], mode: int = 0o755) -> str:
        content = {"ZipFile": layer_of(files, mode)}
        name = f"extension-{secrets.token_hex(4)}"
        return str(client.publish_layer_version(LayerName=name, Content=content)["LayerVersionArn"])

    return publish_layer


@pytest.fixture
def log_of(make_client: Any) -> Callable[[DeployedFunction], list[str]]:
    """Every message of a function, over all its environments, in the order of their time."""
    logs = make_client("logs")

    def messages(function: DeployedFunction) -> list[str]:
        group = f"/aws/lambda/{function.name}"
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]

    return messages


def said(lines: list[str], what: str, name: str = "watcher") -> list[Any]:
    """The documents with which the test's extension said `what`."""
    start = f"{name} {what} "
    return [json.loads(line.removeprefix(start)) for line in lines if line.startswith(start)]


def with_variables(**variables: str) -> dict[str, Any]:
    return {"Environment": {"Variables": variables}}


def test_an_extension_lives_from_its_registration_to_the_shutdown(
    deploy: Any, publish: Any, log_of: Any, make_client: Any
) -> None:
    """Lambda developer guide, "Using the Lambda Extensions API to create extensions": all phases.

    The extension is a process beside the runtime, writes into the function's log, gets the metadata of
    each invocation, and hears of the end when the environment is not needed any more.
    """
    function = deploy(SOURCE, Layers=[publish({"extensions/watcher": EXTENSION})])
    answers = [function.invoke(), function.invoke()]
    assert answers[0].payload == answers[1].payload, "one environment serves both"
    make_client("lambda").update_function_configuration(FunctionName=function.name, Description="other")
    make_client("lambda").get_waiter("function_updated_v2").wait(FunctionName=function.name)
    function.invoke()
    lines = wait_until(
        lambda: log_of(function), "SHUTDOWN in the log", accept=lambda lines: said(lines, "SHUTDOWN")
    )
    assert said(lines, "registered")[0] == {
        "functionName": function.name,
        "functionVersion": "$LATEST",
        "handler": "index.handler",
        "accountId": "111122223333",
    }
    assert said(lines, "again")[0] == [403, "Extension.InvalidExtensionState"]
    events = said(lines, "INVOKE")
    assert [event["requestId"] for event in events[:2]] == [answer.request_id for answer in answers]
    assert events[0]["invokedFunctionArn"].endswith(f":function:{function.name}")
    assert events[0]["tracing"]["type"] == "X-Amzn-Trace-Id"
    (shutdown,) = said(lines, "SHUTDOWN")
    assert "terminated" in lines, "the runtime ends first, told by SIGTERM"
    assert shutdown["shutdownReason"] == "spindown"
    assert shutdown["deadlineMs"] < events[-1]["deadlineMs"]
    ready = "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE,SHUTDOWN]"
    assert lines.index(ready) < lines.index(f"START RequestId: {answers[0].request_id} Version: $LATEST")


def test_the_json_format_tells_of_extensions_too(deploy: Any, publish: Any, log_of: Any) -> None:
    """Lambda developer guide, "Configuring advanced logging controls": platform.extension."""
    function = deploy(
        SOURCE,
        Layers=[publish({"extensions/watcher": EXTENSION})],
        LoggingConfig={"LogFormat": "JSON"},
        **with_variables(EVENTS="SHUTDOWN"),
    )
    function.invoke()
    events = [json.loads(line) for line in log_of(function) if line.startswith("{")]
    (record,) = [event["record"] for event in events if event.get("type") == "platform.extension"]
    assert record == {"name": "watcher", "state": "Ready", "events": ["SHUTDOWN"]}


def test_extensions_count_in_the_durations_of_init_and_invoke(
    deploy: Any, publish: Any, make_client: Any
) -> None:
    """Lambda developer guide, "Performance impact and extension overhead", and "Billed duration".

    The metric PostRuntimeExtensionsDuration: "Types of metrics for Lambda functions".
    """
    layer = publish({"extensions/watcher": EXTENSION})
    slow = with_variables(INIT_S="0.7", INVOKE_S="0.5")

    def run(variables: dict[str, Any]) -> Answer:
        return deploy(SOURCE, Layers=[layer], FunctionName=f"timed-{len(variables)}", **variables).invoke()

    fast, slowed = in_parallel(run, [{}, slow])
    assert slowed.figure("Init Duration") > max(700, fast.figure("Init Duration"))
    assert slowed.figure("Duration") > max(500, fast.figure("Duration"))
    now = datetime.now(UTC)
    (point,) = make_client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="PostRuntimeExtensionsDuration",
        Dimensions=[{"Name": "FunctionName", "Value": "timed-1"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=7200,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert 400 < point["Maximum"] <= slowed.figure("Duration"), "the handler takes no time of its 500 ms"


def test_the_response_does_not_wait_for_extensions(deploy: Any, publish: Any, log_of: Any) -> None:
    """AWS News Blog, "Getting Started with Using Your Favorite Operational Tools on AWS Lambda".

    The environment stays busy, so that the next invocation needs another one.
    """
    function = deploy(
        SOURCE, Layers=[publish({"extensions/watcher": EXTENSION})], **with_variables(INVOKE_S="2")
    )
    first = function.invoke(LogType="None")
    assert not any("REPORT" in line for line in log_of(function)), "the invocation goes on"
    second = function.invoke(LogType="None")
    assert first.payload != second.payload
    lines = wait_until(
        lambda: log_of(function),
        "two REPORT lines",
        accept=lambda lines: sum(line.startswith("REPORT") for line in lines) == 2,
    )
    assert len(said(lines, "done")) == 2


def test_the_timeout_counts_extensions(deploy: Any, publish: Any, log_of: Any) -> None:
    """Lambda developer guide, "Duration limit" and "Failure handling": SHUTDOWN tells the reason."""
    function = deploy(
        SOURCE,
        Layers=[publish({"extensions/watcher": EXTENSION})],
        Timeout=1,
        **with_variables(INVOKE_S="1.5"),
    )
    answer = function.invoke()
    assert "Task timed out after 1.00 seconds" in answer.log
    assert answer.report.endswith("Status: timeout\t")
    lines = wait_until(
        lambda: log_of(function), "SHUTDOWN in the log", accept=lambda lines: said(lines, "SHUTDOWN")
    )
    assert said(lines, "SHUTDOWN")[0]["shutdownReason"] == "timeout"


@pytest.mark.parametrize(
    ("end", "error_type", "state"),
    [
        ("before register", "Extension.Crash", "State: Started\tEvents: []"),
        (
            "init/error",
            "Extension.InitError",
            "State: InitError\tEvents: [INVOKE,SHUTDOWN]\tError Type: Test.Failed",
        ),
        ("invoke", "Extension.Crash", "State: Ready\tEvents: [INVOKE,SHUTDOWN]"),
        ("exit/error", "Extension.ExitError", "State: Ready\tEvents: [INVOKE,SHUTDOWN]"),
    ],
)
def test_an_extension_that_ends_fails_the_invocation(
    end: str, error_type: str, state: str, deploy: Any, publish: Any, log_of: Any
) -> None:
    """Lambda developer guide, "Failure handling", "Init error" and "Exit error".

    The other extensions take part in the SHUTDOWN phase, and hear the reason.
    """
    layer = publish({"extensions/watcher": EXTENSION, "extensions/other": EXTENSION})
    function = deploy(SOURCE, Layers=[layer], **with_variables(END=end))
    answer = function.invoke({"sleep_s": 1})
    assert answer.function_error == "Unhandled"
    assert answer.payload == {
        "errorType": error_type,
        "errorMessage": f"RequestId: {answer.request_id} Error: exit status 3",
    }
    assert answer.report.endswith(f"Status: error\tError Type: {error_type}\t")
    assert answer.log.endswith(f"RequestId: {answer.request_id} Error: exit status 3\n{error_type}\n")
    lines = wait_until(
        lambda: log_of(function), "SHUTDOWN in the log", accept=lambda lines: said(lines, "SHUTDOWN", "other")
    )
    assert said(lines, "SHUTDOWN", "other")[0]["shutdownReason"] == "failure"
    assert f"EXTENSION\tName: watcher\t{state}" in lines


@pytest.mark.parametrize(
    ("content", "mode", "text", "error_type"),
    [
        ("#!/bin/sh\n", 0o644, "permission denied", "PermissionDenied"),
        ("#!/opt/none\n", 0o755, "no such file or directory", "UnknownError"),
        ("nothing", 0o755, "exec format error", "UnknownError"),
    ],
)
def test_an_extension_that_cannot_be_started(
    content: str, mode: int, text: str, error_type: str, deploy: Any, publish: Any, log_of: Any
) -> None:
    """aws-samples/aws-lambda-extensions, "Troubleshooting", and reports of such functions."""
    function = deploy(SOURCE, Layers=[publish({"extensions/broken": content}, mode)])
    answer = function.invoke()
    assert answer.payload == {
        "errorType": "Extension.LaunchError",
        "errorMessage": f"RequestId: {answer.request_id} Error: fork/exec /opt/extensions/broken: {text}",
    }
    lines = log_of(function)
    assert f"EXTENSION\tName: broken\tState: LaunchError\tEvents: []\tError Type: {error_type}" in lines
    (init_report, _) = [line for line in lines if line.startswith("INIT_REPORT")]
    assert init_report.endswith("Status: error\tError Type: Extension.LaunchError")


def test_there_are_ten_extensions_at_most(deploy: Any, publish: Any) -> None:
    """Lambda developer guide, "Init phase": up to 10 extensions."""
    files = {f"extensions/e{number:02d}": EXTENSION for number in range(11)}
    answer = deploy(SOURCE, Layers=[publish(files)]).invoke()
    assert answer.payload["errorType"] == "Extension.LaunchError"
    assert "10 extensions" in answer.payload["errorMessage"]


INTERNAL = """
import http.client, json, os, threading

def call(method, action, headers, body=None):
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request(method, action, body, headers)
    response = api.getresponse()
    return response, json.loads(response.read())

def register(name, events):
    headers = {"Lambda-Extension-Name": name} if name else {}
    body = json.dumps({"events": events})
    response, document = call("POST", "/2020-01-01/extension/register", headers, body)
    return response.headers["Lambda-Extension-Identifier"], [response.status, document.get("errorType")]

identifier, _ = register("inside", ["INVOKE"])
NEXT = "/2020-01-01/extension/event/next"
IDENTITY = {"Lambda-Extension-Identifier": identifier}
REFUSED = [
    register("inside", ["INVOKE"])[1],
    register("other", ["SHUTDOWN"])[1],
    register("other", ["START"])[1],
    register("", [])[1],
    [call("GET", NEXT, {})[0].status],
    [call("GET", NEXT, {"Lambda-Extension-Identifier": "0" * 32})[0].status],
    [call("PUT", "/2022-07-01/telemetry", IDENTITY, "{}")[0].status],
]
seen = []

def listen():
    while True:
        seen.append(call("GET", NEXT, IDENTITY)[1]["requestId"])

threading.Thread(target=listen, daemon=True).start()

def handler(event, context):
    return [seen, REFUSED, register("late", [])[1]]
"""


def test_an_extension_within_the_runtime(deploy: Any) -> None:
    """Lambda developer guide, "Register": internal extensions hear of INVOKE only, and register in INIT."""
    function = deploy(INTERNAL)
    first, second = function.invoke(), function.invoke()
    seen, refused, late = second.payload
    assert seen[0] == first.request_id
    assert refused == [
        [403, "Extension.InvalidExtensionState"],
        [403, "Extension.InvalidEventType"],
        [403, "Extension.InvalidEventType"],
        [403, "Extension.InvalidExtensionName"],
        [403],
        [403],
        [501],
    ]
    assert late == [403, "Extension.RegistrationClosed"]


def test_extensions_see_the_functions_variables_but_not_the_runtimes(
    deploy: Any, publish: Any, log_of: Any
) -> None:
    """Lambda developer guide, "Permissions and configuration": environment variables."""
    source = "#!/bin/sh\nenv | cut -d= -f1 | sort | tr '\\n' ' '\n"
    function = deploy(SOURCE, Layers=[publish({"extensions/teller": source})], **with_variables(OWN="1"))
    function.invoke()
    names = next(line for line in log_of(function) if "AWS_REGION" in line).split()
    assert {"OWN", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API"} <= set(names)
    hidden = {"_HANDLER", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_LOG_STREAM_NAME"}
    assert not hidden & set(names)
