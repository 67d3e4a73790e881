"""What memory buys: a share of a vCPU while a function is invoked, and nothing while it initialises.

Small and rough; the figures are measured in tests/benchmarks.
"""

import time
from collections.abc import Callable
from typing import Any

import pytest
from deployed import DeployedFunction

SIZES_MB = (128, 512, 1769)
MB_PER_VCPU = 1769
ROUNDS = 3
# What a busy machine has left, as a share of one CPU.
LEFT_BY_OTHERS = 0.6

# Module code that computes, and handlers that compute, wait, or leave work to a thread.
SOURCE = '''
import os
import threading
import time

def compute(count):
    total = 0
    for number in range(count):
        total += number
    return total

INIT_CPU_S = -time.process_time()
compute(1_500_000)
INIT_CPU_S += time.process_time()
turns = 0

def handler(event, context):
    return globals()[event["do"]](event)

def cpu_share(event):
    """CPU time of two processes that both want all they can get, per time."""
    started = time.perf_counter()
    cpu_started = time.process_time()
    child = os.fork()
    while time.perf_counter() - started < event["s"]:
        compute(1000)
    if child == 0:
        os._exit(0)
    _, _, usage = os.wait4(child, 0)
    own_s = time.process_time() - cpu_started
    return (own_s + usage.ru_utime + usage.ru_stime) / (time.perf_counter() - started)

def work(event):
    compute(1_000_000)

def wait(event):
    time.sleep(event["s"])

def init_cpu_ms(event):
    return INIT_CPU_S * 1000

def count_turns(event):
    def turn():
        global turns
        while True:
            turns += 1
            time.sleep(0.01)
    if turns == 0:
        threading.Thread(target=turn, daemon=True).start()
    return turns
'''


@pytest.fixture
def functions(deploy: Callable[..., DeployedFunction]) -> dict[int, DeployedFunction]:
    """The same function in all sizes."""
    return {memory_mb: deploy(SOURCE, MemorySize=memory_mb, Timeout=30) for memory_mb in SIZES_MB}


@pytest.mark.parametrize("memory_mb", SIZES_MB)
def test_the_cpu_share_is_memory_over_1769_mb(
    memory_mb: int, deploy: Callable[..., DeployedFunction]
) -> None:
    """Developer guide, "Configure Lambda function memory": at 1,769 MB a function has one vCPU.

    Never more than the share; less when other processes of this machine want the CPU too.
    """
    function = deploy(SOURCE, MemorySize=memory_mb)
    expected = memory_mb / MB_PER_VCPU
    shares = [function.invoke({"do": "cpu_share", "s": 0.6}).payload for _ in range(ROUNDS)]
    assert max(shares) <= 1.1 * expected + 0.01
    assert max(shares) >= 0.6 * min(expected, LEFT_BY_OTHERS)


def test_computing_takes_longer_with_less_memory(functions: dict[int, DeployedFunction]) -> None:
    """Developer guide, "Configure Lambda function memory": CPU power is proportional to memory.

    Compared are sizes that leave most of the CPU to other processes of this machine.
    """
    durations_ms: dict[int, list[float]] = {128: [], 512: []}
    for _ in range(ROUNDS):
        for memory_mb, measured in durations_ms.items():
            measured.append(functions[memory_mb].invoke({"do": "work"}).figure("Duration"))
    ratio = min(durations_ms[128]) / min(durations_ms[512])
    assert ratio == pytest.approx(512 / 128, rel=0.4)


def test_waiting_takes_the_same_time_with_any_memory(functions: dict[int, DeployedFunction]) -> None:
    """A function that waits for others needs no CPU."""
    for function in functions.values():
        function.invoke({"do": "wait", "s": 0})
        assert 300 <= function.invoke({"do": "wait", "s": 0.3}).figure("Duration") < 450


def test_init_runs_at_full_speed_with_any_memory(functions: dict[int, DeployedFunction]) -> None:
    """Developer guide, "Understanding the Lambda execution environment lifecycle", Init phase.

    At its share of 7 %, the function of 128 MB would take fourteen times as long as its CPU time.
    """
    for function in functions.values():
        answer = function.invoke({"do": "init_cpu_ms"})
        assert answer.figure("Init Duration") < 3 * answer.payload + 300


def test_between_invocations_nothing_runs(deploy: Callable[..., DeployedFunction]) -> None:
    """Developer guide, "Execution environment lifecycle": Lambda freezes the execution environment."""
    function = deploy(SOURCE)
    assert turns(function) <= 1
    function.invoke({"do": "wait", "s": 0.4})
    while_waiting = turns(function)
    time.sleep(1)
    assert while_waiting >= 10
    assert turns(function) <= while_waiting + 3


def turns(function: DeployedFunction) -> Any:
    """How often the thread that the first call starts has had its turn; a turn takes 10 ms."""
    return function.invoke({"do": "count_turns"}).payload
