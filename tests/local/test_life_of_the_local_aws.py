"""The local AWS starts, keeps to itself, and leaves nothing behind, however it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import running_functions
from botocore.exceptions import ClientError
from running_functions import Running, client, deploy, invoke, invoke_aside, run_functions

from helpers import local_aws as local_aws_module
from helpers.local_aws import LocalAws, LocalAwsNotStarted, LocalAwsStopped
from helpers.waiting import wait_until

GONE_AFTER_S = 10
START = Callable[..., LocalAws]


@pytest.fixture
def start() -> Iterator[START]:
    """`start(port=..., enforce_iam=...)`: a local AWS of the test's own."""
    started: list[LocalAws] = []

    def start_one(**options: Any) -> LocalAws:
        started.append(local_aws_module.start(**options))
        return started[-1]

    yield start_one
    for running in started:
        running.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def process_tree(supervisor: int) -> list[psutil.Process]:
    root = psutil.Process(supervisor)
    return [root, *root.children(recursive=True)]


def traces(supervisor: int) -> list[Path]:
    """Directories and control groups that a local AWS has on this machine."""
    directories = Path(tempfile.gettempdir()).glob(f"serverless-patterns-workshop-{supervisor}-*")
    # Unlike rglob, this goes on when the group of another local AWS is removed meanwhile.
    groups = [Path(path, name) for path, names, _ in os.walk("/sys/fs/cgroup") for name in names]
    return [*directories, *(group for group in groups if group.name.startswith(f"workshop-{supervisor}-"))]


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """A process that has ended and waits for its parent to notice holds nothing any more."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def wait_until_gone(processes: list[psutil.Process], running: Running) -> None:
    """Fail when anything of a local AWS is left after GONE_AFTER_S seconds."""
    deadline = time.monotonic() + GONE_AFTER_S
    while True:
        left = (living(processes), traces(running.supervisor), listens(running.port))
        if left == ([], [], False):
            return
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


# Starting


def test_takes_the_port_that_is_given_and_else_a_free_one(start: START) -> None:
    port = free_port()
    given, one, other = start(port=port), start(), start()
    assert given.port == port
    assert len({given.port, one.port, other.port}) == 3
    for running in (given, one, other):
        identity = client(running, "sts").get_caller_identity()
        assert identity["Account"] == running.account_id


def test_a_port_in_use_is_refused_with_advice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(LocalAwsNotStarted) as refused:
            local_aws_module.start(port=port)
    assert f"Port {port} on 127.0.0.1 is in use" in str(refused.value)
    assert "give another port" in str(refused.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"port": 70_000}, "expected 0 to 65535"), ({"account_id": "12"}, "expected 12 digits")],
)
def test_bad_input_is_refused_with_what_was_expected(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(LocalAwsNotStarted, match=expected):
        local_aws_module.start(**options)


def test_a_cache_directory_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file in its place, since the permissions of a directory do not bind root.
    (tmp_path / "serverless-patterns-workshop").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(LocalAwsNotStarted) as refused:
        local_aws_module.start()
    assert str(tmp_path) in str(refused.value)
    assert "set XDG_CACHE_HOME" in str(refused.value)


def test_old_logs_are_removed_but_not_of_what_still_runs(start: START) -> None:
    running = start()
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True)
    directory = running.log_path.parent
    old = [directory / f"local-aws-20200101T000000-{number}-{int(ended.stdout)}.log" for number in range(12)]
    old.append(directory / "local-aws-20200101-of-no-process.log")
    for path in old:
        path.touch()
    start()
    assert not any(path.exists() for path in (*old[:2], old[-1]))
    assert running.log_path.exists()


# Keeping to itself


def test_every_socket_is_on_the_loopback_address(start: START) -> None:
    running = start()
    deploy(running, "busy")
    invocation = invoke_aside(running, "busy", sleep_s=2)
    time.sleep(1)
    assert invocation.is_alive()
    tree = process_tree(running.process.pid)
    sockets = [each for process in tree for each in process.net_connections(kind="inet")]
    addresses = [address for each in sockets for address in (each.laddr, each.raddr) if address]
    assert {address.ip for address in addresses} == {"127.0.0.1"}
    listeners = [each.laddr.port for each in sockets if each.status == psutil.CONN_LISTEN]
    assert running.port in listeners
    assert len(listeners) == 2, "the API, and the Runtime API of one environment; no MQTT, no other"
    assert all(each.type == socket.SOCK_STREAM for each in sockets)


def test_two_of_them_do_not_disturb_one_another(start: START) -> None:
    one, other = start(), start()
    for running in (one, other):
        deploy(running, "same-name")
    process_of_one, process_of_other = invoke(one, "same-name"), invoke(other, "same-name")
    assert process_of_one != process_of_other
    client(one, "lambda").delete_function(FunctionName="same-name")
    assert invoke(other, "same-name") == process_of_other
    one.stop()
    assert invoke(other, "same-name") == process_of_other
    start()
    assert invoke(other, "same-name") == process_of_other, "a start tidies up only after the dead"


# Permissions


@pytest.fixture(scope="module")
def user_keys(make_client: Callable[..., Any]) -> dict[str, str]:
    """Credentials of a user without any policy, in the local AWS of the test run."""
    iam = make_client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"aws_secret_access_key": "wrong"}, "SignatureDoesNotMatch"),
        ({"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE"}, "InvalidClientTokenId"),
    ],
)
def test_signatures_are_checked(wrong: dict[str, str], code: str, local_aws: LocalAws) -> None:
    """AWS STS API reference, "Common errors". The root user is no exception."""
    with pytest.raises(ClientError) as refused:
        client(local_aws, "sts", **wrong).get_caller_identity()
    assert refused.value.response["Error"]["Code"] == code


def test_a_user_without_a_policy_is_denied(local_aws: LocalAws, user_keys: dict[str, str]) -> None:
    """IAM user guide, "Policy evaluation logic": requests are denied by default."""
    with pytest.raises(ClientError) as refused:
        client(local_aws, "sqs", **user_keys).list_queues()
    assert "AccessDenied" in refused.value.response["Error"]["Code"]
    assert "sqs:listqueues" in str(refused.value).lower()


def test_permissions_can_be_switched_off(start: START) -> None:
    running = start(enforce_iam=False)
    queues = client(running, "sqs", aws_secret_access_key="wrong").list_queues()
    assert queues["ResponseMetadata"]["HTTPStatusCode"] == 200


# Ending


def kernel() -> tuple[subprocess.Popen[str], Running]:
    """A process that has started a local AWS with functions, as the kernel of a notebook does."""
    process = subprocess.Popen(
        [sys.executable, running_functions.__file__],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    return process, Running(**json.loads(process.stdout.readline()))


def test_nothing_is_left_when_the_kernel_is_killed() -> None:
    process, running = kernel()
    processes = [*process_tree(running.supervisor), psutil.Process(running.left_child)]
    assert len(living(processes)) >= 5, "supervisor, gateway, two runtimes and a child"
    assert traces(running.supervisor)
    process.kill()
    process.communicate()
    wait_until_gone(processes, running)


@pytest.mark.parametrize(
    "end", ["stop", "SIGTERM", "kill the supervisor", "kill the gateway", "kill the group"]
)
def test_nothing_is_left_however_it_ends(end: str, start: START) -> None:
    local = start()
    running = run_functions(local)
    supervisor, *others = process_tree(running.supervisor)
    gateway = next(process for process in others if process.ppid() == supervisor.pid)
    processes = [supervisor, *others, psutil.Process(running.left_child)]
    assert running.idle in [process.pid for process in living(processes)]
    match end:
        case "stop":
            local.stop()
        case "SIGTERM":
            supervisor.terminate()
        case "kill the supervisor":
            supervisor.kill()
        case "kill the gateway":
            gateway.kill()
        case "kill the group":
            os.killpg(supervisor.pid, signal.SIGKILL)
    wait_until_gone(processes, running)
    with pytest.raises(LocalAwsStopped) as stopped:
        local.check_alive()
    assert str(local.log_path) in str(stopped.value)
    assert local.log_path.exists()


def test_the_next_start_removes_what_a_double_kill_left(start: START) -> None:
    local = start()
    running = run_functions(local)
    processes = [*process_tree(running.supervisor), psutil.Process(running.left_child)]
    supervisor, gateway = processes[:2]
    # Stopped first, so that neither can clean up after the other.
    for process in (supervisor, gateway):
        process.suspend()
    for process in (supervisor, gateway):
        process.kill()
    local.process.wait()
    start()
    wait_until_gone(processes, running)


def test_processes_that_functions_leave_do_not_pile_up(start: START) -> None:
    local = start()
    deploy(
        local,
        "leaver",
        "import subprocess\n"
        "def handler(event, context):\n"
        "    subprocess.Popen(['/bin/sh', '-c', '(sleep 0.1 &)'])",
    )
    for _ in range(10):
        invoke(local, "leaver")
    client(local, "lambda").delete_function(FunctionName="leaver")
    wait_until(
        lambda: process_tree(local.process.pid),
        "supervisor and gateway to be alone",
        accept=lambda tree: len(tree) == 2,
        timeout_s=GONE_AFTER_S,
    )


def test_a_running_one_is_alive(local_aws: LocalAws) -> None:
    local_aws.check_alive()
