"""Environments with extensions end with all that belongs to them, also where the kernel isolates nothing."""

from pathlib import Path
from typing import Any

import psutil
import pytest
from deployed import in_parallel
from extension_layers import EXTENSION, layer_of
from running_functions import client, deploy, invoke

from helpers import local_aws
from helpers.waiting import wait_until

AGENT_LAYER = "arn:aws:lambda:us-east-1:027255383542:layer:AWS-AppConfig-Extension:207"
SOURCE = """
import os, urllib.error, urllib.request

def handler(event, context):
    port = os.environ.get("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "2772")
    url = f"http://localhost:{port}/applications/a/environments/b/configurations/c"
    try:
        status = urllib.request.urlopen(url).status
    except urllib.error.HTTPError as error:
        status = error.code
    return status, port, os.readlink("/proc/self/ns/net")
"""


def processes_in(network: str) -> list[int]:
    """Ids of the processes in a network namespace, as far as they may be looked at."""
    found = []
    for process_id in psutil.pids():
        try:
            if str(Path(f"/proc/{process_id}/ns/net").readlink()) == network:
                found.append(process_id)
        except OSError:
            continue
    return found


@pytest.mark.usefixtures("view_of_lambda")
def test_the_network_of_an_environment_ends_with_it(deploy: Any, make_client: Any) -> None:
    """The local AWS's own rule: extensions get a network namespace, in which localhost is theirs."""
    client = make_client("lambda")
    layer = client.publish_layer_version(
        LayerName="watcher", Content={"ZipFile": layer_of({"extensions/watcher": EXTENSION})}
    )["LayerVersionArn"]
    function = deploy(SOURCE, Layers=[layer, AGENT_LAYER])
    status, port, network = function.invoke().payload
    assert (status, port) == (403, "2772"), "the agent answers, and the role may not read"
    assert network != str(Path("/proc/self/ns/net").readlink())
    assert len(processes_in(network)) == 4, "the first process, two extensions, the runtime"
    client.update_function_configuration(FunctionName=function.name, Description="changed")
    client.get_waiter("function_updated_v2").wait(FunctionName=function.name)
    function.invoke()
    wait_until(
        lambda: processes_in(network),
        "the network to be empty",
        accept=lambda left: not left,
        timeout_s=10,
    )


def test_without_namespaces_each_agent_has_a_port_of_its_own_and_ends_with_the_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The local AWS's own rule: AWS_APPCONFIG_EXTENSION_HTTP_PORT, a variable of AWS's, tells the port."""
    monkeypatch.setenv("WORKSHOP_ISOLATION", "off")
    running = local_aws.start()
    try:
        functions = client(running, "lambda")

        def port_of(name: str) -> str:
            deploy(running, name, SOURCE)
            functions.update_function_configuration(FunctionName=name, Layers=[AGENT_LAYER])
            functions.get_waiter("function_updated_v2").wait(
                FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
            )
            status, port, _ = invoke(running, name)
            assert status == 403
            return str(port)

        assert len(set(in_parallel(port_of, ["one", "other"]))) == 2
        supervisor = psutil.Process(running.process.pid)
        (gateway,) = supervisor.children()
        processes = gateway.children(recursive=True)
        assert len(processes) >= 6, "of each: the first process, the agent, the runtime"
        gateway.kill()
        assert not psutil.wait_procs(processes, timeout=10)[1]
    finally:
        running.stop()
