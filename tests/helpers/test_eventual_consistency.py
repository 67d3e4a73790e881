"""On AWS a role is not known everywhere at once: the calls that need it wait for it.

IAM User Guide, "Troubleshoot IAM", "Changes that I make are not always immediately visible".
"""

import threading
import time

import pytest

from helpers import functions, permissions
from helpers.local_aws import LocalAws
from helpers.workshop import Workshop

HANDLER = functions.package(texts={"index.py": "def handler(event, context):\n    return event\n"})


def create_function(ws: Workshop, role: str) -> str:
    function = ws.client("lambda").create_function(
        FunctionName=ws.name("work"),
        Runtime="python3.12",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": HANDLER},
    )
    return str(function["FunctionArn"])


def test_a_function_is_created_once_its_role_can_be_assumed(
    local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader's account is the local AWS here; a trust policy that comes late is IAM's delay."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", local_aws.account_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    ws = Workshop("00", target="aws")
    iam = ws.client("iam")
    role = permissions.create_role(iam, ws.name("role"), "ec2.amazonaws.com")
    late = {"RoleName": ws.name("role"), "PolicyDocument": permissions.trust("lambda.amazonaws.com")}
    propagation = threading.Timer(1.0, iam.update_assume_role_policy, kwargs=late)
    propagation.start()
    started = time.monotonic()
    assert create_function(ws, role).endswith(ws.name("work"))
    assert time.monotonic() - started > 1.0
    propagation.join()
    ws.cleanup()


def test_the_local_aws_answers_at_once(workshop: Workshop) -> None:
    role = permissions.create_role(workshop.client("iam"), workshop.name("role"), "ec2.amazonaws.com")
    started = time.monotonic()
    with pytest.raises(Exception, match="cannot be assumed by Lambda"):
        create_function(workshop, role)
    assert time.monotonic() - started < 2.0
