"""The CPU time of an invocation, which the local AWS reports beside what AWS answers."""

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber
from deployed import DeployedFunction, zipped

from helpers import local_aws as local_aws_module
from helpers.invocations import invoke
from helpers.local_aws import LocalAws

# Module code that computes, and handlers that compute, wait, fail, or have another process compute.
SOURCE = """
import os
import time

def compute(cpu_ms):
    started = time.process_time()
    while (time.process_time() - started) * 1000 < cpu_ms:
        pass
    return (time.process_time() - started) * 1000

compute(300)

def handler(event, context):
    return globals()[event["do"]](event)

def busy(event):
    return compute(event["ms"])

def wait(event):
    time.sleep(event["ms"] / 1000)

def fail(event):
    compute(event["ms"])
    raise ValueError("as told")

def child(event):
    process_id = os.fork()
    if process_id == 0:
        compute(event["ms"])
        os._exit(0)
    if event["wait"]:
        os.waitpid(process_id, 0)
    else:
        time.sleep(event["ms"] / 1000)
"""
# What the runtime itself needs for an invocation, on a machine that has other things to do.
RUNTIME_MS = 60


@pytest.fixture
def cpu_ms(deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any]) -> Callable[..., float]:
    """`cpu_ms(do="wait", ms=100)`: what one invocation has used."""
    function = deploy(SOURCE)

    def measure(**event: Any) -> float:
        measured = invoke(make_client("lambda"), function.name, event).cpu_ms
        assert measured is not None
        return measured

    return measure


def test_a_handler_that_computes_uses_the_cpu_time_that_it_sees_itself(
    deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any]
) -> None:
    """At a share of 29 % of a vCPU it takes more time, and no more CPU time."""
    function = deploy(SOURCE, MemorySize=512)
    invocation = invoke(make_client("lambda"), function.name, {"do": "busy", "ms": 200})
    assert invocation.cpu_ms is not None
    assert invocation.payload <= invocation.cpu_ms < invocation.payload + RUNTIME_MS
    assert invocation.report.duration_ms > 2 * invocation.cpu_ms


def test_a_handler_that_waits_uses_hardly_any_cpu_time(cpu_ms: Callable[..., float]) -> None:
    assert 0 < cpu_ms(do="wait", ms=500) < RUNTIME_MS


def test_init_does_not_count_and_each_invocation_counts_for_itself(cpu_ms: Callable[..., float]) -> None:
    cold, busy, warm = cpu_ms(do="wait", ms=0), cpu_ms(do="busy", ms=200), cpu_ms(do="wait", ms=0)
    assert cold < RUNTIME_MS and warm < RUNTIME_MS
    assert busy >= 200


@pytest.mark.parametrize("wait", [True, False])
def test_a_child_process_counts_also_when_nobody_waits_for_it(
    cpu_ms: Callable[..., float], local_aws: LocalAws, wait: bool
) -> None:
    if not local_aws.limiter.startswith("cgroup"):
        pytest.skip("without control groups a process counts once it is seen: see `workshop doctor`")
    least_ms = 200 if wait else 20
    assert least_ms <= cpu_ms(do="child", ms=200, wait=wait) < 200 + 2 * RUNTIME_MS


def test_a_failed_invocation_reports_its_cpu_time_too(deploy: Callable[..., DeployedFunction]) -> None:
    function = deploy(SOURCE)
    answer = function.client.invoke(FunctionName=function.name, Payload=b'{"do": "fail", "ms": 200}')
    assert answer["FunctionError"] == "Unhandled"
    assert float(answer["ResponseMetadata"]["HTTPHeaders"]["x-workshop-cpu-time-ms"]) >= 200


@pytest.fixture
def fallback(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeployedFunction]:
    """A function on a local AWS that uses no control groups."""
    monkeypatch.setenv("WORKSHOP_CPU_LIMITER", "duty-cycle")
    running = local_aws_module.start(enforce_iam=False)
    client = boto3.client(
        "lambda", region_name="us-east-1", endpoint_url=running.endpoint_url, **running.credentials
    )
    client.create_function(
        FunctionName="fallback",
        Runtime="python3.12",
        Handler="index.handler",
        Role="arn:aws:iam::111122223333:role/any",
        Code={"ZipFile": zipped({"index.py": SOURCE})},
        MemorySize=1769,
        Timeout=30,
    )
    client.get_waiter("function_active_v2").wait(FunctionName="fallback", WaiterConfig={"Delay": 1})
    yield DeployedFunction(client, "fallback")
    running.stop()


def test_the_fallback_reads_the_clocks_of_the_processes(fallback: DeployedFunction) -> None:
    waiting = invoke(fallback.client, fallback.name, {"do": "wait", "ms": 200})
    busy = invoke(fallback.client, fallback.name, {"do": "busy", "ms": 200})
    assert waiting.cpu_ms is not None and busy.cpu_ms is not None
    assert waiting.cpu_ms < RUNTIME_MS
    assert busy.payload <= busy.cpu_ms < busy.payload + RUNTIME_MS


def test_aws_reports_no_cpu_time() -> None:
    """AWS Lambda API reference, "Invoke": the answer has no such header."""
    report = (
        "REPORT RequestId: 1\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 30 MB\t"
    )
    client = boto3.client(
        "lambda", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
    )
    with Stubber(client) as stubber:
        answer = {
            "StatusCode": 200,
            "LogResult": base64.b64encode(report.encode()).decode(),
            "Payload": StreamingBody(io.BytesIO(b"null"), 4),
            "ResponseMetadata": {"HTTPHeaders": {"x-amzn-requestid": "1"}},
        }
        stubber.add_response("invoke", answer)
        assert invoke(client, "any").cpu_ms is None
