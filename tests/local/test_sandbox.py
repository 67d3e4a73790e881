"""The sandbox around an execution environment, with every limiter that this machine allows."""

import itertools
import json
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import boto3
import psutil
import pytest
from deployed import DeployedFunction, zipped

from helpers import local_aws
from helpers.local.functions.sandbox import OptionInvalid, Sandbox, available, choose, control_groups
from helpers.local.functions.sandbox.delegation import Machine, is_worth_asking, scope_command
from helpers.local.functions.sandbox.duty_cycle import CpuBudget, DutyCycle

LIMITERS = available()

# Does a given amount of work for each line that it reads, and answers with a line.
WORKER = """
import sys
for line in sys.stdin:
    total = 0
    for number in range(int(line)):
        total += number * number
    print("done", flush=True)
"""
WORK = "400000\n"


@dataclass(frozen=True)
class Running:
    """A process in a sandbox."""

    sandbox: Sandbox
    process: subprocess.Popen[str]

    def work(self) -> float:
        """Have it do its work and return how many CPUs it got meanwhile."""
        assert self.process.stdin is not None and self.process.stdout is not None
        cpu_before_s, before_s = self.sandbox.cpu_seconds(), time.perf_counter()
        self.process.stdin.write(WORK)
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"
        return (self.sandbox.cpu_seconds() - cpu_before_s) / (time.perf_counter() - before_s)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def processes_in(running: Running) -> list[psutil.Process]:
    return [psutil.Process(process_id) for process_id in running.sandbox.process_ids()]


def is_alive(process: psutil.Process) -> bool:
    # A zombie has ended; whoever adopted it will notice sooner or later.
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def run_in() -> Iterator[Callable[..., Running]]:
    """`run_in(limiter, memory_mb, source)`: a Python program, limited as during an invocation."""
    run_id = f"{os.getpid()}-{secrets.token_hex(4)}"
    all_running: list[Running] = []

    def start(limiter: type[Sandbox], memory_mb: int, source: str) -> Running:
        name = secrets.token_hex(16)
        sandbox = limiter(run_id, name, memory_mb)
        enter = "".join(f"echo $$ > {file}; " for file in sandbox.join_files)
        process = subprocess.Popen(
            ["/bin/sh", "-c", f'{enter}exec "$0" -c "$1"', sys.executable, source],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"AWS_LAMBDA_LOG_STREAM_NAME": f"2026/01/01/[1]{name}"},
        )
        sandbox.attach(process.pid)
        sandbox.limit_cpu()
        all_running.append(Running(sandbox, process))
        return all_running[-1]

    yield start
    for running in all_running:
        running.sandbox.remove()
        running.process.communicate()
    directories = [
        control_groups.run_directory(hierarchy, run_id) for hierarchy in control_groups.hierarchies()
    ]
    # What each sandbox made it has removed, and the run's own directory goes with the run.
    assert [group for directory in directories for group in directory.glob("*/")] == []
    control_groups.remove_run(run_id)
    assert not any(directory.exists() for directory in directories)


@pytest.mark.parametrize("limiter", LIMITERS)
def test_memory_buys_cpu(run_in: Any, limiter: type[Sandbox]) -> None:
    """Lambda developer guide, "Configure Lambda function memory": 1,769 MB is one vCPU."""
    quarter, whole = run_in(limiter, 442, WORKER), run_in(limiter, 1769, WORKER)
    # The first pays for starting Python.
    quarter.work(), whole.work()
    rounds = [(quarter.work(), whole.work()) for _ in range(8)]
    assert statistics.median(quarter_share for quarter_share, _ in rounds) < 0.25 * 1.5
    # What a limiter allows is had only while nothing else wants the CPU: once is enough.
    assert max(quarter_share for quarter_share, _ in rounds) > 0.25 * 0.6
    whole_shares = itertools.chain((share for _, share in rounds), (whole.work() for _ in range(30)))
    assert any(share > 0.25 * 1.6 for share in whole_shares)


@pytest.mark.parametrize("limiter", LIMITERS)
def test_nothing_runs_while_frozen_not_even_orphans(run_in: Any, limiter: type[Sandbox]) -> None:
    """Lambda developer guide, "Understanding the Lambda execution environment lifecycle": frozen."""
    source = """
import os, subprocess, sys, threading
spin = [sys.executable, "-c", "while True: pass"]
threading.Thread(target=subprocess.run, args=(spin,)).start()
subprocess.run(["setsid", "--fork", *spin])
print("started", flush=True)
while True: pass
"""
    running = run_in(limiter, 1769, source)
    assert running.process.stdout.readline() == "started\n"
    wait_until(lambda: len(running.sandbox.process_ids()) == 3)
    running.sandbox.freeze()
    # A stopped process may still finish the moment that it is in.
    time.sleep(0.05)
    frozen_s = running.sandbox.cpu_seconds()
    time.sleep(0.3)
    assert running.sandbox.cpu_seconds() - frozen_s < 0.005
    running.sandbox.thaw()
    time.sleep(0.3)
    assert running.sandbox.cpu_seconds() - frozen_s > 0.05


@pytest.mark.parametrize("limiter", LIMITERS)
def test_too_much_memory_ends_the_process(run_in: Any, limiter: type[Sandbox]) -> None:
    """Lambda developer guide, "Configure Lambda function memory"."""
    source = """
import sys, time
for line in sys.stdin:
    kept = bytearray(int(line) * 1024 * 1024)
    time.sleep(0.2)
    print(len(kept), flush=True)
"""
    running = run_in(limiter, 128, source)
    running.process.stdin.write("40\n")
    running.process.stdin.flush()
    assert running.process.stdout.readline() == f"{40 * 1024 * 1024}\n"
    assert not running.sandbox.memory_exhausted()
    running.process.stdin.write("300\n")
    running.process.stdin.flush()
    assert running.process.wait(timeout=5) == -9
    assert running.sandbox.memory_exhausted()


@pytest.mark.parametrize("limiter", LIMITERS)
def test_removal_ends_children_that_left_their_session(run_in: Any, limiter: type[Sandbox]) -> None:
    source = """
import subprocess, time
for command in (["setsid", "sleep", "60"], ["setsid", "--fork", "sleep", "60"]):
    subprocess.Popen(command)
print("started", flush=True)
time.sleep(60)
"""
    running = run_in(limiter, 1769, source)
    assert running.process.stdout.readline() == "started\n"
    wait_until(lambda: [process.name() for process in processes_in(running)].count("sleep") == 2)
    processes = processes_in(running)
    running.sandbox.remove()
    running.process.wait(timeout=5)
    assert not any(map(is_alive, processes))
    assert running.sandbox.process_ids() == []


# The fallback


def test_the_fallbacks_budget_is_the_share_and_is_not_saved_up() -> None:
    """Like the kernel's quota: share x 20 ms in a period of 20 ms, and what is not used is lost."""
    budget = CpuBudget(share=0.25, now_s=0.0, used_s=0.0)
    assert budget.pause_s(now_s=0.004, used_s=0.004) == 0
    # 20 ms of CPU in 20 ms: the 5 ms at the start and 5 ms for the time, the other 10 ms are a debt.
    assert budget.pause_s(now_s=0.020, used_s=0.020) == pytest.approx(0.040)
    assert budget.pause_s(now_s=0.060, used_s=0.020) == pytest.approx(0)
    # After ten idle seconds it is ahead by one period and no more.
    assert budget.pause_s(now_s=10.0, used_s=0.020) == 0
    assert budget.pause_s(now_s=10.0, used_s=0.040) == pytest.approx(0.060)


def test_a_function_works_under_the_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    """WORKSHOP_CPU_LIMITER=duty-cycle: throttled, frozen between invocations, one environment."""
    monkeypatch.setenv("WORKSHOP_CPU_LIMITER", "duty-cycle")
    running = local_aws.start(enforce_iam=False)
    try:
        assert running.limiter == DutyCycle.limiter
        client = boto3.client(
            "lambda", region_name="us-east-1", endpoint_url=running.endpoint_url, **running.credentials
        )
        source = """
import threading, time
def spin():
    while True: pass
threading.Thread(target=spin, daemon=True).start()
last_s = None
def handler(event, context):
    global last_s
    between_s = 0 if last_s is None else time.process_time() - last_s
    started_s, cpu_s = time.perf_counter(), time.process_time()
    while time.perf_counter() - started_s < 0.5: pass
    last_s = time.process_time()
    return (last_s - cpu_s) / (time.perf_counter() - started_s), between_s
"""
        client.create_function(
            FunctionName="fallback",
            Runtime="python3.12",
            Handler="index.handler",
            Role="arn:aws:iam::111122223333:role/any",
            Code={"ZipFile": zipped({"index.py": source})},
            MemorySize=442,
        )
        client.get_waiter("function_active_v2").wait(FunctionName="fallback", WaiterConfig={"Delay": 1})
        function = DeployedFunction(client, "fallback")
        first_share, _ = function.invoke().payload
        time.sleep(1)
        second_share, between_s = function.invoke().payload
        # Two threads that spin; without the limiter they would get a whole CPU at least.
        assert max(first_share, second_share) < 0.25 * 1.5
        assert between_s < 0.25
    finally:
        running.stop()


# Choosing


@pytest.fixture
def no_choice_made() -> Iterator[None]:
    """`choose` remembers its answer: forget it before a test and after."""
    choose.cache_clear()
    yield
    choose.cache_clear()


@pytest.mark.parametrize("name", ["", "duty-cycle"])
def test_the_limiter_can_be_chosen(monkeypatch: pytest.MonkeyPatch, no_choice_made: None, name: str) -> None:
    monkeypatch.setenv("WORKSHOP_CPU_LIMITER", name)
    assert choose() is (DutyCycle if name else LIMITERS[0])


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("WORKSHOP_CPU_LIMITER", "nice", "expected one of cgroup-v2, cgroup-v1, duty-cycle"),
        ("WORKSHOP_ISOLATION", "maybe", "expected on or off"),
    ],
)
def test_an_unknown_option_stops_the_local_aws_and_the_doctor_says_so(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(local_aws.LocalAwsNotStarted, match=f"{variable}={value}: {expected}"):
        local_aws.start()
    command = [sys.executable, "-m", "helpers.local.functions.sandbox"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode != 0
    assert answer.stderr.startswith(f"{variable}={value}: {expected}")


def test_a_limiter_that_this_machine_lacks_is_refused(
    monkeypatch: pytest.MonkeyPatch, no_choice_made: None
) -> None:
    monkeypatch.setattr(DutyCycle, "is_available", lambda: False)
    monkeypatch.setenv("WORKSHOP_CPU_LIMITER", "duty-cycle")
    with pytest.raises(OptionInvalid, match="not allowed here"):
        choose()


# Delegation by systemd

MACHINE = Machine(
    runs_systemd=True,
    controllers=frozenset({"cpu", "memory", "pids"}),
    limits_by_itself=False,
    wanted_limiter="",
)


def test_systemd_is_asked_where_it_can_help() -> None:
    """systemd, "Control Group APIs and Delegation"."""
    assert is_worth_asking(MACHINE)
    assert is_worth_asking(replace(MACHINE, wanted_limiter="cgroup-v2"))
    for change in (
        {"runs_systemd": False},
        {"controllers": frozenset({"memory"})},
        {"limits_by_itself": True},
        {"wanted_limiter": "duty-cycle"},
    ):
        assert not is_worth_asking(replace(MACHINE, **change))


def test_the_scope_is_delegated_and_leaves_nothing() -> None:
    """systemd-run(1): --scope, --collect; root asks the system's manager, others their own."""
    command = scope_command("workshop-1", is_root=False)
    assert command[0] == "systemd-run"
    assert {"--user", "--scope", "--quiet", "--collect", "--unit=workshop-1"} <= set(command)
    assert command[command.index("-p") + 1] == "Delegate=yes"
    assert "--user" not in scope_command("workshop-1", is_root=True)


def test_the_doctor_reads_one_line_of_json() -> None:
    command = [sys.executable, "-m", "helpers.local.functions.sandbox"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["limiter"] == LIMITERS[0].limiter


@pytest.mark.parametrize("limiter", LIMITERS)
def test_a_run_may_be_removed_by_two_processes_at_once(limiter: type[Sandbox]) -> None:
    """Two local AWS that start together both find what a killed one has left."""
    run_id = f"{os.getpid()}-{secrets.token_hex(4)}"
    for _ in range(20):
        for _ in range(10):
            limiter(run_id, secrets.token_hex(16), 128)
        with ThreadPoolExecutor() as pool:
            removals = [pool.submit(control_groups.remove_run, run_id) for _ in range(4)]
        assert [removal.exception() for removal in removals] == [None] * 4
        assert not any(
            control_groups.run_directory(hierarchy, run_id).exists()
            for hierarchy in control_groups.hierarchies()
        )
