"""Functions that misbehave get the answers that AWS gives, and never harm their neighbours."""

import re
import time
from typing import Any

import psutil
import pytest
from deployed import in_parallel

SIMPLE = "def handler(event, context):\n    return 'well'"


def log_of(make_client: Any, function: Any) -> list[str]:
    """Every message of a function whose environment, or environments, had one log stream."""
    logs, group = make_client("logs"), f"/aws/lambda/{function.name}"
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    messages: list[str] = []
    position: dict[str, str] = {}
    while True:
        page = logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True, **position
        )
        if page["nextForwardToken"] == position.get("nextToken"):
            return messages
        messages += [event["message"] for event in page["events"]]
        position = {"nextToken": page["nextForwardToken"]}


def runs(process_id: int) -> bool:
    # A zombie has ended; whoever adopted it will notice sooner or later.
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# Code that cannot be loaded


BROKEN = [
    (SIMPLE, "absent.handler", "Runtime.ImportModuleError", "Unable to import module 'absent'"),
    (SIMPLE, "index.absent", "Runtime.HandlerNotFound", "Handler 'absent' missing on module 'index'"),
    (SIMPLE, "index", "Runtime.MalformedHandlerName", "Bad handler 'index'"),
    ("def handler(:", "index.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index'"),
    ("import absent", "index.handler", "Runtime.ImportModuleError", "Unable to import module 'index'"),
]


def test_code_that_cannot_be_loaded(deploy: Any) -> None:
    """Lambda developer guide, "Troubleshoot deployment issues in Lambda"."""

    def run(case: Any) -> None:
        source, handler, error_type, message = case
        answer = deploy(source, Handler=handler).invoke()
        assert answer.function_error == "Unhandled"
        assert answer.payload["errorType"] == error_type
        assert answer.payload["errorMessage"].startswith(message)

    in_parallel(run, BROKEN)


@pytest.mark.slow
def test_an_init_that_takes_more_than_10_s_is_repeated_under_the_functions_timeout(
    deploy: Any, make_client: Any
) -> None:
    """Lambda developer guide, "Failures during the Init phase" and "Init phase": the 10 second limit."""
    function = deploy("import time\ntime.sleep(60)", Timeout=1)
    answer = function.invoke()
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert answer.payload["errorMessage"].endswith("Task timed out after 1.00 seconds")
    first, second = [line for line in log_of(make_client, function) if line.startswith("INIT_REPORT")]
    pattern = r"INIT_REPORT Init Duration: ([\d.]+) ms\tPhase: (\w+)\tStatus: timeout"
    durations = {
        match[2]: float(match[1]) for line in (first, second) if (match := re.fullmatch(pattern, line))
    }
    assert 10_000 <= durations["init"] < 11_000
    assert 1_000 <= durations["invoke"] < 2_000


# Answers that are none


def test_a_result_that_is_no_json(deploy: Any) -> None:
    """Lambda developer guide, "Define Lambda function handler in Python": what is returned is made JSON."""
    function = deploy("def handler(event, context):\n    return {1, 2} if event.get('set') else 'well'")
    answer = function.invoke({"set": True})
    assert answer.payload["errorType"] == "Runtime.MarshalError"
    assert "set is not JSON serializable" in answer.payload["errorMessage"]
    assert function.invoke().payload == "well"


def test_a_response_over_6_mb(deploy: Any) -> None:
    """Lambda quotas: 6 MB for a synchronous response; Lambda's own message names the byte."""
    function = deploy("def handler(event, context):\n    return 'x' * event['bytes']")
    # Two of them are the quotes of JSON.
    assert len(function.invoke({"bytes": 6_291_554}).payload) == 6_291_554
    refused = function.invoke({"bytes": 6_291_555})
    assert refused.function_error == "Unhandled"
    assert refused.payload == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size (6291557 bytes) exceeded maximum allowed payload size "
        "(6291556 bytes).",
    }
    assert len(function.invoke({"bytes": 1}).payload) == 1


ENDS = [
    ("os._exit(0)", "Runtime exited without providing a reason"),
    ("os._exit(1)", "Runtime exited with error: exit status 1"),
    ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ("os.abort()", "Runtime exited with error: signal: aborted"),
]


def test_a_runtime_that_ends_without_an_answer(deploy: Any) -> None:
    """Lambda developer guide, "Troubleshoot invocation issues in Lambda": Runtime.ExitError."""

    def run(case: Any) -> None:
        statement, message = case
        ending = f"import os\ndef handler(event, context):\n    if event.get('end'): {statement}\n"
        function = deploy(f"{ending}    return 'well'")
        answer = function.invoke({"end": True})
        expected = f"RequestId: {answer.request_id} Error: {message}"
        assert answer.payload == {"errorType": "Runtime.ExitError", "errorMessage": expected}
        assert answer.report.endswith("Status: error\tError Type: Runtime.ExitError\t")
        assert function.invoke().payload == "well"

    in_parallel(run, ENDS)


def test_more_memory_than_the_function_has(deploy: Any) -> None:
    """Lambda developer guide, "Configure Lambda function memory": the limit ends the runtime."""
    source = """
calls = 0
def handler(event, context):
    global calls
    calls += 1
    return len(bytearray(event["mb"] * 1024 * 1024)), calls
"""
    function = deploy(source, MemorySize=128)
    assert function.invoke({"mb": 40}).payload == [40 * 1024 * 1024, 1]
    answer = function.invoke({"mb": 300})
    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert answer.payload["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert answer.report.endswith("Status: error\tError Type: Runtime.OutOfMemory\t")
    assert answer.figure("Max Memory Used") == 128
    assert function.invoke({"mb": 1}).payload[1] == 1


# Output


@pytest.mark.parametrize("line", [1_000, 10_000_000])
def test_ten_megabytes_of_output(deploy: Any, make_client: Any, line: int) -> None:
    """CloudWatch Logs API reference, "InputLogEvent": an event has at most 1 MB."""
    source = (
        f"def handler(event, context):\n    for _ in range(10_000_000 // {line}): print('x' * {line - 1})"
    )
    function = deploy(source, Timeout=60)
    answer = function.invoke()
    assert answer.function_error is None
    assert len(answer.log.encode()) == 4096
    printed = [message for message in log_of(make_client, function) if message.startswith("x")]
    assert sum(map(len, printed)) == (10_000_000 // line) * (line - 1)
    assert max(map(len, printed)) <= 1024 * 1024


def test_output_that_is_closed_and_output_that_is_no_text(deploy: Any) -> None:
    """Lambda developer guide, "Log and monitor Python Lambda functions": standard output is logged."""
    source = """
import os
def handler(event, context):
    os.write(1, bytes(range(128, 256)))
    if event.get("close"):
        os.close(1)
        os.close(2)
    return "well"
"""
    function = deploy(source)
    assert function.invoke().payload == "well"
    assert function.invoke({"close": True}).payload == "well"


# Processes

TICKING = """
import os, subprocess, sys, time
TICKS = "/tmp/ticks"
CHILD = '''
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.getpid()}\\\\n")
    time.sleep(0.02)
'''
def ticks():
    return open(TICKS).read().split() if os.path.exists(TICKS) else []
def handler(event, context):
    before = len(ticks())
    if event.get("start"):
        # In a session of its own, and left by the process that started it.
        subprocess.run(["setsid", "--fork", sys.executable, "-c", CHILD, TICKS], check=True)
    while len(ticks()) < before + 10:
        time.sleep(0.02)
    return {"before": before, "after": len(ticks()), "child": int(ticks()[-1])}
"""


@pytest.mark.usefixtures("view_of_lambda")
def test_children_that_are_left_stand_still_between_invocations_and_end_with_the_environment(
    deploy: Any,
) -> None:
    """Lambda developer guide, "Understanding the Lambda execution environment lifecycle": freezing."""
    function = deploy(TICKING)
    first = function.invoke({"start": True}).payload
    time.sleep(1)
    second = function.invoke().payload
    # The last moments of one invocation and the first of the next; a second would be 50 ticks.
    assert second["before"] - first["after"] < 10
    function.update(Description="ends the environment")
    assert function.invoke({"start": True}).payload["before"] == 0
    assert not runs(first["child"])


def test_a_function_that_ignores_signals_is_ended_at_its_timeout(deploy: Any) -> None:
    """Lambda developer guide, "Configure Lambda function timeout"."""
    source = """
import os, signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
def handler(event, context):
    while event.get("stay"):
        time.sleep(60)
    return os.getpid()
"""
    function = deploy(source, Timeout=1)
    process_id = function.invoke().payload
    assert runs(process_id)
    assert function.invoke({"stay": True}).payload["errorType"] == "Sandbox.Timedout"
    assert not runs(process_id)
    assert function.invoke().payload != process_id


@pytest.mark.usefixtures("view_of_lambda")
def test_a_function_reads_its_limits_and_cannot_lift_them(deploy: Any) -> None:
    """Lambda developer guide, "Configure Lambda function memory": the limit is the configuration's."""
    source = """
import os, resource
def handler(event, context):
    groups = [os.path.join(path, name) for path, _, names in os.walk("/sys/fs/cgroup") for name in names]
    for name in groups:
        try:
            with open(name, "w") as file:
                file.write("-1")
        except OSError:
            pass
    resource.getrlimit(resource.RLIMIT_AS)
    return context.memory_limit_in_mb, os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], groups
"""
    assert deploy(source, MemorySize=192).invoke().payload == ["192", "192", []]
