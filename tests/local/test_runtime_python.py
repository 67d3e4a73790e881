"""What a Python function finds in its execution environment."""

import base64
import json
import re
from textwrap import dedent
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import zipped

# Lambda developer guide, "Defined runtime environment variables", and AWS_ENDPOINT_URL, by which the
# function's SDK finds the local AWS.
DOCUMENTED_VARIABLES = {
    *("_HANDLER", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME"),
    *("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE"),
    *("AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY_ID"),
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT"),
    *(
        "_X_AMZN_TRACE_ID",
        "LAMBDA_RUNTIME_DIR",
        "LANG",
        "PATH",
        "LD_LIBRARY_PATH",
        "PYTHONPATH",
        "TZ",
        "AWS_ENDPOINT_URL",
    ),
}


def events_of(make_client: Any, function: Any) -> list[str]:
    """The messages in a function's log group."""
    events = make_client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
    return [event["message"] for event in events]


@pytest.mark.usefixtures("view_of_lambda")
def test_an_error_is_returned_with_its_class_and_keeps_the_environment(deploy: Any) -> None:
    """Lambda developer guide, "Python handler exceptions": errorMessage, errorType, stackTrace, requestId."""
    function = deploy(
        dedent("""
        calls = 0
        class OrderRefused(Exception):
            pass
        def handler(event, context):
            global calls
            calls += 1
            if event.get("fail"):
                raise OrderRefused(f"order {calls}")
            return calls
    """)
    )
    failed = function.invoke({"fail": True})
    assert failed.function_error == "Unhandled"
    assert failed.payload["errorType"] == "OrderRefused"
    assert failed.payload["errorMessage"] == "order 1"
    assert 'File "/var/task/index.py", line 9, in handler' in failed.payload["stackTrace"][-1]
    assert "[ERROR] OrderRefused: order 1" in failed.log
    assert function.invoke().payload == 2


def test_a_process_that_exits_is_replaced(deploy: Any) -> None:
    """Lambda developer guide, "Understanding the Lambda execution environment lifecycle": the reset."""
    function = deploy(
        dedent("""
        import os
        calls = 0
        def handler(event, context):
            global calls
            calls += 1
            if event.get("status"):
                os._exit(event["status"])
            return [calls, context.log_stream_name]
    """)
    )
    calls, stream = function.invoke().payload
    ended = function.invoke({"status": 3})
    message = f"RequestId: {ended.request_id} Error: Runtime exited with error: exit status 3"
    assert ended.payload == {"errorType": "Runtime.ExitError", "errorMessage": message}
    assert ended.report.endswith("Status: error\tError Type: Runtime.ExitError\t")
    assert ended.log.endswith(f"{message}\nRuntime.ExitError\n")
    calls_after, stream_after = function.invoke().payload
    assert (calls, calls_after) == (1, 1)
    assert stream_after != stream


def test_a_logged_traceback_is_one_event_and_printed_lines_are_several(deploy: Any, make_client: Any) -> None:
    """Lambda developer guide, "Log and monitor Python Lambda functions"."""
    function = deploy(
        dedent("""
        import logging
        def handler(event, context):
            print("first\\nsecond")
            try:
                1 / 0
            except ZeroDivisionError:
                logging.exception("cannot divide")
    """)
    )
    answer = function.invoke()
    start, first, second, error, end, report = events_of(make_client, function)[1:]
    assert (first, second) == ("first", "second")
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.\d{3}Z"
    assert re.match(rf"\[ERROR\]\t{time}\t{answer.request_id}\tcannot divide\nTraceback", error)
    assert error.endswith("ZeroDivisionError: division by zero")
    assert [line.split()[0] for line in (start, end, report)] == ["START", "END", "REPORT"]


def test_output_in_any_script_is_logged_as_it_was_written(deploy: Any, make_client: Any) -> None:
    """CloudWatch Logs API reference, "InputLogEvent": messages are UTF-8."""
    text = "Grüße, 注文 №7 – 🚀"
    function = deploy("def handler(event, context):\n    print(event['text'])\n    return event['text']")
    answer = function.invoke({"text": text})
    assert answer.payload == text
    assert text in answer.log.splitlines()
    assert text in events_of(make_client, function)


@pytest.mark.usefixtures("view_of_lambda")
def test_only_documented_variables_reach_the_function(deploy: Any) -> None:
    """Lambda developer guide, "Working with Lambda environment variables"."""
    function = deploy(
        "import os\ndef handler(event, context):\n    return dict(os.environ)",
        Environment={"Variables": {"TABLE": "orders", "EMPTY": ""}},
        MemorySize=256,
    )
    variables = function.invoke().payload
    assert set(variables) == {*DOCUMENTED_VARIABLES, "TABLE", "EMPTY"}
    assert (variables["TABLE"], variables["EMPTY"]) == ("orders", "")
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.12"
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert variables["LAMBDA_TASK_ROOT"] == "/var/task"
    assert variables["TZ"] == ":UTC"


def test_boto3_can_be_imported_and_nothing_else_of_this_machine(deploy: Any) -> None:
    """Lambda developer guide, "Building Lambda functions with Python": runtime-included SDK versions."""
    function = deploy(
        dedent("""
        from importlib.util import find_spec
        import boto3
        def handler(event, context):
            return [name for name in ("boto3", "botocore", "pandas", "numpy", "ministack") if find_spec(name)]
    """)
    )
    assert function.invoke().payload == ["boto3", "botocore"]


def test_the_context_is_complete(deploy: Any) -> None:
    """Lambda developer guide, "Using the Lambda context object to retrieve Python function information"."""
    function = deploy(
        dedent("""
        def handler(event, context):
            client_context = context.client_context
            return {
                "function_name": context.function_name,
                "function_version": context.function_version,
                "invoked_function_arn": context.invoked_function_arn,
                "memory_limit_in_mb": context.memory_limit_in_mb,
                "aws_request_id": context.aws_request_id,
                "log_group_name": context.log_group_name,
                "log_stream_name": context.log_stream_name,
                "identity": context.identity.cognito_identity_id,
                "client_context": client_context and [client_context.client.app_title, client_context.custom],
                "remaining_ms": context.get_remaining_time_in_millis(),
            }
    """)
    )
    client_context = {"client": {"app_title": "Läden"}, "custom": {"order": "7"}}
    encoded = base64.b64encode(json.dumps(client_context, ensure_ascii=False).encode()).decode()
    answer = function.invoke(ClientContext=encoded)
    context = answer.payload
    assert 9_000 < context.pop("remaining_ms") <= 10_000
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", context.pop("log_stream_name"))
    assert context == {
        "function_name": function.name,
        "function_version": "$LATEST",
        "invoked_function_arn": f"arn:aws:lambda:us-east-1:111122223333:function:{function.name}",
        "memory_limit_in_mb": "1769",
        "aws_request_id": answer.request_id,
        "log_group_name": f"/aws/lambda/{function.name}",
        "identity": None,
        "client_context": ["Läden", {"order": "7"}],
    }
    assert function.invoke().payload["client_context"] is None


@pytest.mark.usefixtures("view_of_lambda")
def test_tmp_belongs_to_one_environment_and_stays_with_it(deploy: Any) -> None:
    """Lambda developer guide, "Configure ephemeral storage for Lambda functions"."""
    source = dedent("""
        import os
        def handler(event, context):
            before = os.listdir("/tmp")
            with open("/tmp/kept", "w") as file:
                file.write("x")
            return before
    """)
    first, second = deploy(source), deploy(source)
    assert first.invoke().payload == []
    assert first.invoke().payload == ["kept"]
    assert second.invoke().payload == []


@pytest.mark.usefixtures("view_of_lambda")
def test_everything_but_tmp_is_read_only(deploy: Any) -> None:
    """Lambda developer guide, "Lambda quotas" and "Configure ephemeral storage": only /tmp is writable."""
    function = deploy(
        dedent("""
        def handler(event, context):
            refused = {}
            for directory in ("/var/task", "/var/runtime", "/usr", "/"):
                try:
                    open(f"{directory}/file", "w")
                except OSError as error:
                    refused[directory] = error.strerror
            return refused
    """)
    )
    read_only = "Read-only file system"
    expected = {"/var/task": read_only, "/var/runtime": read_only, "/usr": read_only, "/": read_only}
    assert function.invoke().payload == expected


def test_the_function_acts_as_its_role_and_may_do_no_more(
    deploy: Any, make_client: Any, lambda_role: str
) -> None:
    """Lambda developer guide, "Defining Lambda function permissions with an execution role"."""
    function = deploy(
        dedent("""
        import boto3
        from botocore.exceptions import ClientError
        def handler(event, context):
            identity = boto3.client("sts").get_caller_identity()["Arn"]
            try:
                boto3.client("s3").list_buckets()
            except ClientError as error:
                return [identity, error.response["Error"]["Code"]]
    """)
    )
    identity, refusal = function.invoke().payload
    role_name = lambda_role.rpartition("/")[2]
    assert identity == f"arn:aws:sts::111122223333:assumed-role/{role_name}/{function.name}"
    assert refusal == "AccessDenied"


def test_handlers_below_folders_and_modules_beside_them(deploy: Any) -> None:
    """Lambda developer guide, "Define Lambda function handler in Python": naming."""
    files = {
        "src/app.py": "from src.rates import RATE\ndef handle(event, context):\n    return RATE",
        "src/rates.py": "RATE = 7",
    }
    function = deploy(Code={"ZipFile": zipped(files)}, Handler="src/app.handle")
    assert function.invoke().payload == 7


def test_a_client_context_that_is_no_object_is_refused(deploy: Any) -> None:
    """Lambda API reference, "Invoke": ClientContext."""
    function = deploy("def handler(event, context):\n    return 1")
    for client_context in (b"no json", b"[]"):
        with pytest.raises(ClientError) as caught:
            function.invoke(ClientContext=base64.b64encode(client_context).decode())
        assert caught.value.response["Error"] == {
            "Code": "InvalidRequestContentException",
            "Message": "Client context must be a valid Base64-encoded JSON object.",
        }
