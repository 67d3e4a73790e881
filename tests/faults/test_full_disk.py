"""A full disk costs no log event and no invocation, and what needs the disk says that it is full."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from helpers import functions, local_aws
from helpers.local_aws import LocalAws

DISK_SIZE = "8m"
LINES = 3000
CHATTY = f"""
import random
def handler(event, context):
    for number in range({LINES}):
        print(number, random.randbytes(200).hex())
    return "done"
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE}", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture
def running(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    """A local AWS whose state directory and whose log lie on the small disk."""
    monkeypatch.setenv("TMPDIR", str(small_disk))
    monkeypatch.setenv("XDG_CACHE_HOME", str(small_disk / "cache"))
    local = local_aws.start(enforce_iam=False)
    yield local
    local.stop()


def client(running: LocalAws, service: str) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=running.endpoint_url,
        config=Config(retries={"total_max_attempts": 1}),
        **running.credentials,
    )


def create(lambda_: Any, name: str, source: str) -> None:
    lambda_.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role="arn:aws:iam::111122223333:role/any",
        MemorySize=1769,
        Timeout=30,
        Code={"ZipFile": functions.package(texts={"index.py": source})},
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def test_no_log_event_is_lost_when_the_disk_is_full(running: LocalAws, small_disk: Path) -> None:
    lambda_, logs = client(running, "lambda"), client(running, "logs")
    create(lambda_, "chatty", CHATTY)
    lambda_.invoke(FunctionName="chatty")
    fill(small_disk)
    for _ in range(2):
        assert lambda_.invoke(FunctionName="chatty")["Payload"].read() == b'"done"'
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/chatty")
    events = sum(len(page["events"]) for page in pages)
    # INIT_START, and START, END and REPORT of each invocation.
    assert events == 3 * LINES + 1 + 3 * 3


def test_a_function_that_finds_no_room_is_refused_and_the_local_aws_lives_on(
    running: LocalAws, small_disk: Path
) -> None:
    lambda_ = client(running, "lambda")
    create(lambda_, "late", "def handler(event, context):\n    return 'room'")
    fill(small_disk)
    with pytest.raises(ClientError, match="No space left on device"):
        lambda_.invoke(FunctionName="late")
    (small_disk / "filler").unlink()
    assert lambda_.invoke(FunctionName="late")["Payload"].read() == b'"room"'


def fill(disk: Path) -> None:
    """Write until nothing more fits."""
    with pytest.raises(OSError, match="No space left"), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
