"""Layers: merged under /opt, found by each runtime where AWS says, refused where they can't work."""

import itertools
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from deployed import DeployedFunction, in_parallel, zipped

from helpers import local_aws


@pytest.fixture
def publish_layer(make_client: Any) -> Callable[..., str]:
    """`publish_layer({"python/rates.py": source})`: the ARN of a new layer's version."""
    return _publisher(make_client("lambda"))


def _publisher(client: Any) -> Callable[..., str]:
    def publish(files: dict[str, str]) -> str:
        layer = client.publish_layer_version(
            LayerName=f"layer-{secrets.token_hex(4)}", Content={"ZipFile": zipped(files)}
        )
        return str(layer["LayerVersionArn"])

    return publish


@pytest.mark.usefixtures("view_of_lambda")
def test_layers_are_merged_under_opt_the_later_over_the_earlier(deploy: Any, publish_layer: Any) -> None:
    """Lambda developer guide, "Adding layers to functions": order and /opt."""
    first = publish_layer({"config/name": "first", "config/only-first": "1", "first": ""})
    second = publish_layer({"config/name": "second", "second": ""})
    source = """
import os
def handler(event, context):
    name = open("/opt/config/name").read()
    return name, sorted(os.listdir("/opt")), sorted(os.listdir("/opt/config")), os.access("/opt", os.W_OK)
"""
    for layers, name in (([first, second], "second"), ([second, first], "first")):
        assert deploy(source, Layers=layers).invoke().payload == [
            name,
            ["config", "first", "second"],
            ["name", "only-first"],
            False,
        ]


def test_python_finds_the_modules_of_a_layer_after_the_functions_own(deploy: Any, publish_layer: Any) -> None:
    """Lambda developer guide, "Working with layers for Python Lambda functions"."""
    layer = publish_layer({"python/rates.py": "RATE = 'layer'", "python/shared.py": "NAME = 'layer'"})
    files = {
        "index.py": "import rates, shared\ndef handler(event, context):\n    return rates.RATE, shared.NAME",
        "shared.py": "NAME = 'function'",
    }
    function = deploy(Code={"ZipFile": zipped(files)}, Layers=[layer])
    assert function.invoke().payload == ["layer", "function"]


def test_node_finds_the_packages_of_a_layer(deploy: Any, publish_layer: Any) -> None:
    """Lambda developer guide, "Working with layers for Node.js Lambda functions".

    ES modules: AWS Compute Blog, "Node.js 18.x runtime now available in AWS Lambda".
    """
    sources = [
        {"index.js": "const { rate } = require('rates'); exports.handler = async () => rate"},
        {"index.mjs": "import { rate } from 'rates'; export const handler = async () => rate"},
    ]
    folders = ["nodejs/node_modules", "nodejs/node22/node_modules"]

    def run(case: Any) -> Any:
        folder, files = case
        layer = publish_layer({f"{folder}/rates/index.js": "exports.rate = 7"})
        function = deploy(Code={"ZipFile": zipped(files)}, Runtime="nodejs22.x", Layers=[layer])
        return folder, files, function.invoke().payload

    cases = list(itertools.product(folders, sources))
    assert in_parallel(run, cases) == [(folder, files, 7) for folder, files in cases]


def test_a_layer_brings_the_bootstrap_of_an_os_only_runtime(deploy: Any, publish_layer: Any) -> None:
    """Lambda developer guide, "Building a custom runtime": the package's bootstrap, else the layers'."""
    ends_with_3 = publish_layer({"bootstrap": "#!/bin/sh\nexit 3\n"})
    code = {"ZipFile": zipped({"function.sh": ""})}
    answer = deploy(Runtime="provided.al2023", Layers=[ends_with_3], Code=code).invoke()
    assert answer.payload["errorMessage"].endswith("exit status 3")
    own = {"ZipFile": zipped({"bootstrap": "#!/bin/sh\nexit 5\n"})}
    answer = deploy(Runtime="provided.al2023", Layers=[ends_with_3], Code=own).invoke()
    assert answer.payload["errorMessage"].endswith("exit status 5")


@pytest.mark.usefixtures("view_of_lambda")
def test_programs_and_libraries_of_a_layer_are_on_the_search_paths(deploy: Any, publish_layer: Any) -> None:
    """Lambda developer guide, "Packaging your layer content": /opt/bin and /opt/lib."""
    layer = publish_layer({"bin/bootstrap": "#!/bin/sh\necho from the layer\n", "lib/x": ""})
    source = """
import os, subprocess
def handler(event, context):
    output = subprocess.run(["bootstrap"], capture_output=True, text=True).stdout
    return output, "/opt/lib" in os.environ["LD_LIBRARY_PATH"].split(":")
"""
    assert deploy(source, Layers=[layer]).invoke().payload == ["from the layer\n", True]


# Where the kernel lets us mount nothing


@pytest.fixture(scope="module")
def unisolated_client() -> Iterator[Any]:
    """A Lambda client of a local AWS that shows functions this machine's own file system."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("WORKSHOP_ISOLATION", "off")
        running = local_aws.start(enforce_iam=False)
    yield boto3.client(
        "lambda", region_name="us-east-1", endpoint_url=running.endpoint_url, **running.credentials
    )
    running.stop()


def test_without_a_file_system_of_its_own_a_function_finds_its_layers_elsewhere(
    unisolated_client: Any,
) -> None:
    """The local AWS's own rule: paths below /opt are rewritten, and the log says so in its first line."""
    publish = _publisher(unisolated_client)
    python = "def rate():\n    return 7"
    layer = publish({"python/rates.py": python, "nodejs/node_modules/rates/index.js": "exports.rate = 7"})

    def deploy(name: str, runtime: str, source: str) -> DeployedFunction:
        unisolated_client.create_function(
            FunctionName=name,
            Runtime=runtime,
            Handler="index.handler",
            Role="arn:aws:iam::111122223333:role/any",
            Code={"ZipFile": zipped({"index.py": source, "index.mjs": source})},
            Layers=[layer],
            Environment={"Variables": {"RATES": "/opt/python/rates.py"}},
        )
        function = DeployedFunction(unisolated_client, name)
        unisolated_client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return function

    source = """
import os, rates, tempfile
def handler(event, context):
    open(os.path.join(tempfile.gettempdir(), "written"), "w").close()
    return rates.rate(), open(os.environ["RATES"]).read(), os.environ["LAMBDA_TASK_ROOT"] == os.getcwd()
"""
    function = deploy("python", "python3.12", source)
    assert function.invoke().payload == [7, python, True]
    logs = boto3.client(
        "logs",
        region_name="us-east-1",
        endpoint_url=unisolated_client.meta.endpoint_url,
        aws_access_key_id="111122223333",
        aws_secret_access_key=local_aws.SECRET_ACCESS_KEY,
    )
    events = logs.filter_log_events(logGroupName="/aws/lambda/python")["events"]
    assert events[0]["message"].startswith("INIT_START Runtime Version: python:")
    assert ".local-not-isolated\t" in events[0]["message"]

    source = "import { rate } from 'rates'; export const handler = async () => rate"
    assert deploy("node", "nodejs24.x", source).invoke().payload == 7
