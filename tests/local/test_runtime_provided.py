"""OS-only runtimes: the package or a layer brings a `bootstrap` that speaks the Runtime API."""

import secrets
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from deployed import in_parallel, zipped

# AWS Lambda developer guide, "Tutorial: Building a custom runtime": the loop of a runtime in shell and curl.
SHELL_BOOTSTRAP = """#!/bin/sh
set -eu
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
    event=$(curl -sS --dump-header /tmp/headers "$api/next")
    request_id=$(sed -n 's/^lambda-runtime-aws-request-id: *//Ip' /tmp/headers | tr -d '\\r')
    echo "handling $_HANDLER in $(pwd)"
    curl -sS -X POST "$api/$request_id/response" -d "{\\"event\\": $event}" >/dev/null
done
"""

# The same loop with Python's standard library, for machines without curl, and with what a shell can't do.
PYTHON_BOOTSTRAP = """#!{interpreter} -S
import http.client, json, os, sys
api = os.environ["AWS_LAMBDA_RUNTIME_API"]
prefix = "/2018-06-01/runtime"

def ask(method, path, body=None, headers={{}}):
    connection = http.client.HTTPConnection(api)
    connection.request(method, prefix + path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()

{body}
"""
LOOP = """
while True:
    _, headers, event = ask("GET", "/invocation/next")
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    answers = handle(json.loads(event), request_id)
"""


def python_bootstrap(body: str) -> str:
    """A bootstrap on the interpreter behind this virtual environment."""
    base = getattr(sys, "_base_executable", sys.executable)
    return PYTHON_BOOTSTRAP.format(interpreter=Path(base).resolve(), body=body)


def package(files: dict[str, Any]) -> dict[str, bytes]:
    return {"ZipFile": zipped(files)}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("runtime", ["provided.al2", "provided.al2023"])
@pytest.mark.usefixtures("view_of_lambda")
def test_a_bootstrap_in_shell(deploy: Any, runtime: str) -> None:
    """Lambda developer guide, "Tutorial: Building a custom runtime"."""
    function = deploy(Runtime=runtime, Handler="any.name", Code=package({"bootstrap": SHELL_BOOTSTRAP}))
    for _ in range(2):
        answer = function.invoke({"order": 7})
        assert answer.payload == {"event": {"order": 7}}
        assert "handling any.name in /var/task" in answer.log.splitlines()


def test_errors_are_passed_on_as_they_were_posted(deploy: Any) -> None:
    """Lambda developer guide, "Using the Lambda runtime API": invocation error, response, error status."""
    handle = """
def handle(event, request_id):
    if event["post"] == "error":
        body = json.dumps({"errorType": "Shop.Closed", "errorMessage": "come back", "stackTrace": []})
        ask("POST", f"/invocation/{request_id}/error", body)
    else:
        refused = ask("POST", "/invocation/another-id/response", b"1")
        unknown = ask("GET", "/no/such/path")
        body = json.dumps([refused[0], json.loads(refused[2])["errorType"], unknown[0]])
        accepted = ask("POST", f"/invocation/{request_id}/response", body)
        print("accepted with", accepted[0], flush=True)
"""
    function = deploy(Runtime="provided.al2023", Code=package({"bootstrap": python_bootstrap(handle + LOOP)}))
    failed = function.invoke({"post": "error"})
    assert failed.function_error == "Unhandled"
    assert failed.payload == {"errorType": "Shop.Closed", "errorMessage": "come back", "stackTrace": []}
    answer = function.invoke({"post": "response"})
    assert answer.payload == [400, "InvalidRequestID", 404]
    assert "accepted with 202" in answer.log


def test_an_initialisation_error_is_returned_by_the_invocation(deploy: Any) -> None:
    """Lambda developer guide, "Using the Lambda runtime API": initialization error."""
    fail = """
ask("POST", "/init/error", b'{"errorType": "Shop.NoStock", "errorMessage": "empty"}')
sys.exit(1)
"""
    function = deploy(Runtime="provided.al2023", Code=package({"bootstrap": python_bootstrap(fail)}))
    assert function.invoke().payload == {"errorType": "Shop.NoStock", "errorMessage": "empty"}


UNSTARTABLE = [
    ({"main": "x"}, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
    ({"bootstrap": "echo no first line"}, "fork/exec /var/task/bootstrap: exec format error"),
    ({"bootstrap": "#!/bin/absent\n"}, "fork/exec /var/task/bootstrap: no such file or directory"),
    ({"bootstrap": "#!/bin/sh\r\necho\r\n"}, "fork/exec /var/task/bootstrap: no such file or directory"),
]


def test_a_bootstrap_that_cannot_be_started(deploy: Any) -> None:
    """Lambda developer guide, "Troubleshoot deployment issues in Lambda": Runtime.InvalidEntrypoint."""

    def run(case: Any) -> None:
        files, text = case
        answer = deploy(Runtime="provided.al2023", Code=package(files)).invoke()
        assert answer.function_error == "Unhandled"
        message = f"RequestId: {answer.request_id} Error: {text}"
        assert answer.payload == {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": message}

    in_parallel(run, UNSTARTABLE)


def test_a_bootstrap_that_exits_at_once_names_the_invocation(deploy: Any) -> None:
    """Lambda developer guide, "Failures during the Init phase": Runtime.ExitError."""
    function = deploy(Runtime="provided.al2023", Code=package({"bootstrap": "#!/bin/sh\nexit 4\n"}))
    answer = function.invoke()
    message = f"RequestId: {answer.request_id} Error: Runtime exited with error: exit status 4"
    assert answer.payload == {"errorType": "Runtime.ExitError", "errorMessage": message}


def test_only_documented_variables_reach_the_bootstrap(deploy: Any) -> None:
    """Lambda developer guide, "Defined runtime environment variables"."""
    handle = """
def handle(event, request_id):
    ask("POST", f"/invocation/{request_id}/response", json.dumps(sorted(os.environ)))
"""
    function = deploy(Runtime="provided.al2023", Code=package({"bootstrap": python_bootstrap(handle + LOOP)}))
    names = set(function.invoke().payload)
    assert {"AWS_LAMBDA_RUNTIME_API", "_HANDLER", "LAMBDA_TASK_ROOT", "AWS_SESSION_TOKEN"} <= names
    # The runtime's identifier is not defined for OS-only runtimes.
    undocumented = {"HOME", "PWD", "OLDPWD", "USER", "_LAMBDA_TELEMETRY_LOG_FD", "AWS_EXECUTION_ENV"}
    assert not undocumented & names


@pytest.mark.usefixtures("view_of_lambda")
def test_a_wrapper_script_is_for_managed_runtimes(deploy: Any, make_client: Any) -> None:
    """Lambda developer guide, "Modifying the runtime environment": wrapper scripts."""
    wrapper = '#!/bin/sh\necho "wrapping $1" >/dev/null\nexport WRAPPED=yes\nexec "$@"\n'
    files = {
        "index.py": "import os\ndef handler(event, context):\n    return os.environ['WRAPPED']",
        "bootstrap": wrapper,
    }
    variables = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/bootstrap"}}
    assert deploy(Code=package(files), Environment=variables).invoke().payload == "yes"
    missing = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": f"/var/task/{secrets.token_hex(4)}"}}
    answer = deploy(Code=package(files), Environment=missing).invoke()
    assert answer.payload["errorMessage"].endswith("Runtime exited with error: exit status 127")
