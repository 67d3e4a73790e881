"""The layer by whose ARN a function gets the AWS AppConfig agent, with an agent of ours in it."""

import io
import re
import shlex
import socket
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from helpers.local.functions.processes import ExtensionsLaunch
from helpers.local.functions.sandbox.isolation import interpreter

# As AWS's log lines name it: the file of /opt/extensions.
EXTENSION_NAME = "AppConfigAgent"
PORT_VARIABLE = "AWS_APPCONFIG_EXTENSION_HTTP_PORT"

# AppConfig user guide, "Available versions of the AWS AppConfig Agent Lambda extension": who publishes it.
_ACCOUNTS = {
    "us-east-1": "027255383542",
    "us-east-2": "728743619870",
    "us-west-1": "958113053741",
    "us-west-2": "359756378197",
    "af-south-1": "574348263942",
    "ap-east-1": "630222743974",
    "ap-northeast-1": "980059726660",
    "ap-northeast-2": "826293736237",
    "ap-northeast-3": "706869817123",
    "ap-south-1": "554480029851",
    "ap-southeast-1": "421114256042",
    "ap-southeast-2": "080788657173",
    "ap-southeast-3": "418787028745",
    "ca-central-1": "039592058896",
    "eu-central-1": "066940009817",
    "eu-north-1": "646970417810",
    "eu-south-1": "203683718741",
    "eu-west-1": "434848589818",
    "eu-west-2": "282860088358",
    "eu-west-3": "493207061005",
    "me-south-1": "559955524753",
    "sa-east-1": "000010852771",
}
_NAMES = {"AWS-AppConfig-Extension": "x86_64", "AWS-AppConfig-Extension-Arm64": "arm64"}
_ARN = re.compile(r"arn:aws:lambda:([a-z0-9-]+):(\d{12}):layer:([A-Za-z0-9_-]+):([1-9]\d*)")
_PROGRAM = Path(__file__).with_name("agent")
_START = "import sys; sys.path.insert(0, sys.argv[1]); from agent.program import main; main(sys.argv[2])"


@dataclass(frozen=True)
class AgentLayer:
    """A version of AWS's layer. Any version number is taken: the agent here is always the same."""

    region: str
    account_id: str
    name: str
    version: int

    @classmethod
    def of_arn(cls, arn: str) -> "AgentLayer | None":
        """None for every ARN that does not have the name of AWS's layer."""
        match = _ARN.fullmatch(arn)
        return cls(match[1], match[2], match[3], int(match[4])) if match and match[3] in _NAMES else None

    @property
    def is_aws_own(self) -> bool:
        """Whether the account is the one that publishes the layer in the Region."""
        return _ACCOUNTS.get(self.region) == self.account_id

    @property
    def architecture(self) -> str:
        return _NAMES[self.name]


@cache
def package() -> bytes:
    """The layer's zip file: the extension, and the agent that it starts."""
    python, start = shlex.quote(str(interpreter())), shlex.quote(_START)
    # A script, since the line that names an interpreter may be too short for its path.
    script = f'#!/bin/sh\nexec {python} -I -S -c {start} "${{0%/*}}/../appconfig-agent" "$0"\n'
    files = {f"extensions/{EXTENSION_NAME}": (script.encode(), 0o755)}
    for module in sorted(_PROGRAM.glob("*.py")):
        files[f"appconfig-agent/agent/{module.name}"] = (module.read_bytes(), 0o644)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (content, mode) in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def port_variable(own: dict[str, str], extensions: ExtensionsLaunch | None) -> dict[str, str]:
    """The variable by which agent and function agree on a port where 2772 may be another function's.

    `own` are the function's variables, whose port is not changed. Nothing for an environment with a
    network of its own, or without the agent.
    """
    if extensions is None or extensions.own_network or EXTENSION_NAME not in extensions.names:
        return {}
    return {} if PORT_VARIABLE in own else {PORT_VARIABLE: str(_free_port())}


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
