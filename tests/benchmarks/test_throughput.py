"""How many invocations a second concurrent clients get, here and from others, in one run."""

import io
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from figures import show
from peers import serverless_offline, stock_ministack

from helpers import comparison

CLIENTS = 8
WINDOW_S = 3
ROUNDS = 9
LEAST_OF_MINISTACK = 1.0
LEAST_OF_SERVERLESS_OFFLINE = 0.6
# The name of the Python that really runs here: some names make AWS's runtime work in another way.
PYTHON = f"python3.{sys.version_info.minor}"
PYTHON_HANDLER = 'def handler(event, context):\n    print("a line")\n'
NODEJS_HANDLER = 'exports.handler = async (event) => { console.log("a line"); };\n'


@pytest.fixture
def ministack(tmp_path: Path) -> Iterator[Any]:
    """A Lambda client of a MiniStack without our patches, which has a function `measured`."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", PYTHON_HANDLER)
    with stock_ministack(tmp_path) as endpoint_url:
        client = _client(endpoint_url)
        client.create_function(
            FunctionName="measured",
            Runtime=PYTHON,
            Handler="index.handler",
            Role="arn:aws:iam::000000000000:role/measured",
            MemorySize=1769,
            Code={"ZipFile": package.getvalue()},
        )
        yield client


@pytest.fixture
def serverless() -> Iterator[Any]:
    """A Lambda client of serverless-offline, which has a function `measured`."""
    with serverless_offline(NODEJS_HANDLER) as endpoint_url:
        yield _client(endpoint_url)


def test_concurrent_clients_get_as_much_as_from_others(
    deploy: Callable[..., str], make_client: Callable[..., Any], ministack: Any, serverless: Any
) -> None:
    ours = make_client("lambda", max_pool_connections=CLIENTS)
    python = deploy({"index.py": PYTHON_HANDLER}, Runtime=PYTHON)
    nodejs = deploy({"index.js": NODEJS_HANDLER}, Runtime="nodejs24.x")
    variants = {
        "here, Python": lambda: _invocations_per_s(ours, python),
        "MiniStack's executor, Python": lambda: _invocations_per_s(ministack, "measured"),
        "here, Node.js": lambda: _invocations_per_s(ours, nodejs),
        "serverless-offline, Node.js": lambda: _invocations_per_s(serverless, "measured"),
    }
    # The first round starts the environments.
    comparison.run(variants, rounds=1, calibrate=False)
    measured = comparison.run(variants, ROUNDS)
    of_ministack = measured.ratio("here, Python", "MiniStack's executor, Python").value
    of_serverless = measured.ratio("here, Node.js", "serverless-offline, Node.js").value
    show(
        f"Invocations/s that {CLIENTS} clients get of a handler that prints a line, {WINDOW_S} s a round",
        measured.table().round(0),
        __file__,
        f"Relative to MiniStack's executor: {of_ministack:.2f}, at least {LEAST_OF_MINISTACK}.",
        f"Relative to serverless-offline: {of_serverless:.2f}, at least {LEAST_OF_SERVERLESS_OFFLINE}.",
        measured.calibration,
    )
    assert of_ministack >= LEAST_OF_MINISTACK
    assert of_serverless >= LEAST_OF_SERVERLESS_OFFLINE


def _client(endpoint_url: str) -> Any:
    return boto3.client(
        "lambda",
        region_name="us-east-1",
        endpoint_url=endpoint_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=CLIENTS),
    )


def _invocations_per_s(client: Any, name: str) -> float:
    """Of CLIENTS threads, each of which invokes again as soon as it has an answer."""
    counts = [0] * CLIENTS
    failures: list[Any] = []
    started = time.perf_counter()

    def invoke_repeatedly(number: int) -> None:
        while time.perf_counter() - started < WINDOW_S:
            answer = client.invoke(FunctionName=name, Payload=b"{}")
            payload = answer["Payload"].read()
            if "FunctionError" in answer:
                failures.append(payload)
            counts[number] += 1

    threads = [threading.Thread(target=invoke_repeatedly, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    return sum(counts) / (time.perf_counter() - started)
