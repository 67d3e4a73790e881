"""The local AWS connects to this machine only, whatever it is asked to reach."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from helpers.local_aws import LocalAws
from helpers.waiting import wait_until

# Nobody answers there: whoever does try waits for a minute or longer.
FOREIGN_ADDRESS = "10.255.255.1"
FOREIGN = [
    f"http://{FOREIGN_ADDRESS}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[2001:db8::1]/",
    "http://name.invalid/",
    "http://anything.localhost/",
]


def guarded(code: str) -> str:
    """Output of `code` in a process of its own, with the guard installed."""
    program = f"import socket, asyncio\nfrom helpers.local import guard\nguard.install()\n{code}"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    return result.stdout + result.stderr


@pytest.mark.parametrize(
    "code",
    [
        f"socket.socket().connect(('{FOREIGN_ADDRESS}', 80))",
        f"socket.socket().connect_ex(('{FOREIGN_ADDRESS}', 80))",
        "socket.socket().connect(('name.invalid', 80))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
        f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('{FOREIGN_ADDRESS}', 53))",
        f"socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('{FOREIGN_ADDRESS}', 53))",
        "socket.create_connection(('name.invalid', 80))",
        "socket.getaddrinfo('name.invalid', 80)",
        "socket.getaddrinfo('anything.localhost', 80)",
        "socket.gethostbyname('name.invalid')",
        f"socket.gethostbyaddr('{FOREIGN_ADDRESS}')",
        f"socket.getnameinfo(('{FOREIGN_ADDRESS}', 80), 0)",
        "import _socket; _socket.socket().connect(('127.0.0.1'.replace('127', '10'), 80))",
        f"asyncio.run(asyncio.open_connection('{FOREIGN_ADDRESS}', 80))",
        "import urllib.request; urllib.request.urlopen('http://name.invalid/')",
        "socket.create_server(('', 0))",
        "socket.create_server(('0.0.0.0', 0))",
    ],
)
def test_what_is_outside_is_refused(code: str) -> None:
    error = guarded(code).splitlines()[-1]
    assert "The local AWS may only use 127.0.0.1" in error


@pytest.mark.parametrize(
    ("family", "address"),
    [
        ("AF_INET", "('127.0.0.1', 0)"),
        ("AF_INET", "('127.8.9.10', 0)"),
        ("AF_INET", "('localhost', 0)"),
        ("AF_INET6", "('::1', 0)"),
        ("AF_UNIX", "f'{directory}/socket'"),
    ],
)
def test_what_is_inside_works(family: str, address: str) -> None:
    code = f"""
import tempfile
with tempfile.TemporaryDirectory() as directory:
    listener = socket.socket(socket.{family})
    listener.bind({address})
    listener.listen()
    client = socket.socket(socket.{family})
    client.connect(listener.getsockname())
    accepted, _ = listener.accept()
    client.sendall(b"it works")
    print(accepted.recv(20).decode())
"""
    if family == "AF_INET6" and not _has_ipv6():
        pytest.skip("this machine has no IPv6 loopback interface")
    assert guarded(code) == "it works\n"


def _has_ipv6() -> bool:
    code = "import socket; socket.socket(socket.AF_INET6).bind(('::1', 0))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_an_integration_that_leads_outside_fails_at_once(
    local_aws: LocalAws, make_client: Callable[..., Any]
) -> None:
    """API Gateway developer guide, "HTTP integrations": the emulator itself calls the endpoint."""
    gateway = make_client("apigateway")
    api_id = gateway.create_rest_api(name="outbound")["id"]
    resource_id = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    method = {"restApiId": api_id, "resourceId": resource_id, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    for uri in FOREIGN:
        gateway.put_integration(**method, type="HTTP_PROXY", integrationHttpMethod="GET", uri=uri)
        gateway.create_deployment(restApiId=api_id, stageName="prod")
        began_s = time.monotonic()
        with pytest.raises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(f"{local_aws.endpoint_url}/_aws/execute-api/{api_id}/prod/", timeout=60)
        assert failed.value.code >= 500
        assert time.monotonic() - began_s < 3
    log = local_aws.log_path.read_text()
    assert all(f"{host!r} is refused" in log for host in (FOREIGN_ADDRESS, "169.254.169.254", "name.invalid"))


def test_a_subscriber_outside_gets_no_message(local_aws: LocalAws, make_client: Callable[..., Any]) -> None:
    """SNS developer guide, "HTTP/HTTPS notifications": the emulator itself posts the confirmation."""
    sns = make_client("sns")
    topic_arn = sns.create_topic(Name="outbound")["TopicArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="http", Endpoint="http://subscriber.invalid/")
    wait_until(
        lambda: "'subscriber.invalid' is refused" in local_aws.log_path.read_text(),
        "the refusal in the log of the local AWS",
    )


@pytest.mark.parametrize(
    "table",
    [f"read_csv('http://{FOREIGN_ADDRESS}/a.csv')", "read_csv('/etc/hostname')", "'s3://other/a.parquet'"],
)
def test_a_query_reads_nothing_outside(table: str, make_client: Callable[..., Any]) -> None:
    """Athena user guide: a query reads the tables of its catalog. DuckDB, behind it, would read more."""
    athena = make_client("athena")
    query_id = athena.start_query_execution(
        QueryString=f"SELECT * FROM {table}", ResultConfiguration={"OutputLocation": "s3://results/"}
    )["QueryExecutionId"]

    def status() -> dict[str, Any]:
        return dict(athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"])

    wait_until(lambda: status()["State"] in ("FAILED", "SUCCEEDED"), "the end of the query")
    assert status()["State"] == "FAILED"
