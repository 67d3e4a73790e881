"""Functions that run on a local AWS of a test's own.

As a program it is the kernel of a notebook: it starts a local AWS, says on standard output what
runs there, and waits for its end.
"""

import json
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

import boto3
from botocore.config import Config
from deployed import zipped

from helpers import local_aws
from helpers.local_aws import LocalAws

SOURCE = """
import os
import time

def handler(event, context):
    time.sleep(event.get("sleep_s", 0))
    if event.get("leave_child"):
        return leave_child()
    return os.getpid()

def leave_child():
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        # A session of its own, and no parent: nothing connects it with the function any more.
        os.setsid()
        if os.fork() == 0:
            os.write(write_end, str(os.getpid()).encode())
            time.sleep(600)
        os._exit(0)
    os.wait()
    return int(os.read(read_end, 20))
"""


@dataclass(frozen=True)
class Running:
    """Process ids of what runs on a local AWS: an idle environment, a child that it left, a busy one."""

    supervisor: int
    port: int
    idle: int
    left_child: int


def client(running: LocalAws, service: str, **credentials: str) -> Any:
    """A boto3 client of the main account's root user, or of `credentials`."""
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=running.endpoint_url,
        config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}, read_timeout=60),
        **{**running.credentials, **credentials},
    )


def deploy(running: LocalAws, name: str, source: str = SOURCE) -> None:
    """Create a Python function of 128 MB, with a role of its own."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = client(running, "iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    functions = client(running, "lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=role["Role"]["Arn"],
        Timeout=60,
        Code={"ZipFile": zipped({"index.py": source})},
    )
    functions.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )


def invoke(running: LocalAws, name: str, **event: Any) -> Any:
    answer = client(running, "lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.load(answer["Payload"])


def invoke_aside(running: LocalAws, name: str, **event: Any) -> threading.Thread:
    """Invoke in a thread, which ends quietly when the local AWS does."""

    def call() -> None:
        try:
            invoke(running, name, **event)
        except Exception as error:
            print(f"{name}: {error}", file=sys.stderr)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def run_functions(running: LocalAws) -> Running:
    """One environment idle, which has left a child in a session of its own, and one busy for a minute."""
    deploy(running, "idle")
    deploy(running, "busy")
    left_child = invoke(running, "idle", leave_child=True)
    idle = invoke(running, "idle")
    invoke_aside(running, "busy", sleep_s=59)
    time.sleep(0.7)
    return Running(running.process.pid, running.port, idle, left_child)


if __name__ == "__main__":
    print(json.dumps(asdict(run_functions(local_aws.start()))), flush=True)
    time.sleep(600)
