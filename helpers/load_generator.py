"""The process that makes a load with Locust: alone, as the master of workers, or as a worker.

    python -m helpers.load_generator                       alone or as a master, as its plan says
    python -m helpers.load_generator --worker HOST:PORT    as a worker of the master there

`load.drive` starts it and writes the plan (see load_plan.py) to its standard input; it writes each request
that has ended to its standard output, a JSON object a line. It is a process of its own because Locust
replaces parts of the standard library in the process that imports it. Locust is used as a library, without
its command line: no web interface, no configuration file and no variable takes part.

Locust's own pacing (`constant_throughput`) lets all users send at the same moments, and a slow answer makes
its user send less. Here requests are due one by one at a constant rate, and whichever user is free sends
the next one: an open model, whose arrivals do not wait for answers.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any, ClassVar

from locust import User, task

# Locust has now replaced sockets and threads by gevent's. What uses them is imported after it.
# isort: split
import gevent
from gevent.os import make_nonblocking, nb_read
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner

from helpers.load_plan import Plan
from helpers.load_senders import Sender, sender

LOOPBACK = "127.0.0.1"
POLL_S = 0.05

WorkerProcess = subprocess.Popen[bytes]


class Schedule:
    """The times at which requests are due, each of which one user takes.

    Worker number `worker` of n takes every n-th, so that together they keep to the plan.
    """

    def __init__(self, plan: Plan, worker: int) -> None:
        self._plan = plan
        self._next = worker
        self._step = max(1, plan.all_workers)
        self._began = 0.0

    def begin(self) -> None:
        self._began = time.perf_counter()

    def elapsed_s(self) -> float:
        return time.perf_counter() - self._began

    def take(self) -> float:
        """When the next request is due, in s since the beginning. Raises StopUser when none is any more."""
        number, self._next = self._next, self._next + self._step
        if number >= self._plan.planned or self.elapsed_s() >= self._plan.duration_s:
            raise StopUser
        return number / self._plan.rate_per_s


@dataclass(frozen=True)
class Share:
    """What worker number `worker` has to do of a plan."""

    schedule: Schedule
    send: Sender
    worker: int


class LoadUser(User):
    """Sends what is due next, again and again. All users of a process work on the same share."""

    share: ClassVar[Share]

    @task
    def send_next(self) -> None:
        schedule = self.share.schedule
        due_s = schedule.take()
        gevent.sleep(max(0.0, due_s - schedule.elapsed_s()))
        start_s = schedule.elapsed_s()
        status, failure = self._outcome()
        latency_ms = (schedule.elapsed_s() - start_s) * 1000
        self.environment.events.request.fire(
            request_type="load",
            name="request",
            response_time=latency_ms,
            response_length=0,
            exception=failure,
            context={
                "start_s": start_s,
                "late_ms": (start_s - due_s) * 1000,
                "latency_ms": latency_ms,
                "status": status,
                "failure": failure,
                "worker": self.share.worker,
            },
        )

    def _outcome(self) -> tuple[int | None, str | None]:
        try:
            return self.share.send()
        except Exception as error:
            # What urllib3 raises names its connection; the cause is what went wrong.
            reason = error.__cause__ or error
            return None, f"{type(reason).__name__}: {reason}"


def run_alone(plan: Plan) -> None:
    LoadUser.share = Share(Schedule(plan, 0), sender(plan), 0)
    environment = _environment()
    environment.events.request.add_listener(lambda context, **_: _write(context))
    runner = environment.create_local_runner()
    runner.start(plan.users, spawn_rate=plan.users, wait=True)
    assert runner.spawning_greenlet is not None
    runner.spawning_greenlet.join()
    runner.quit()


def run_master(plan: Plan, processes: list[WorkerProcess]) -> None:
    """Start the workers of this machine, wait for those of others, and let all begin together.

    The workers of this machine are added to `processes`.
    """
    prepared: set[str] = set()
    finished: set[str] = set()
    runner = _environment().create_master_runner(LOOPBACK, plan.port)

    def send_plan(msg: Any, **_: Any) -> None:
        runner.send_message("plan", {"json": plan.to_json()}, msg.node_id)

    runner.register_message("plan wanted", send_plan)
    runner.register_message("prepared", lambda msg, **_: prepared.add(msg.node_id))
    runner.register_message("request", lambda msg, **_: _write(msg.data))
    runner.register_message("finished", lambda msg, **_: finished.add(msg.node_id))
    processes += [_start_worker(runner) for _ in range(plan.workers)]
    with gevent.Timeout(plan.start_timeout_s, False):
        _wait_for(prepared, plan, runner, processes)
    if len(prepared) < plan.all_workers:
        sys.exit(f"{len(prepared)} of {plan.all_workers} workers came within {plan.start_timeout_s:g} s.")
    runner.start(plan.users, spawn_rate=plan.users)
    _wait_for(finished, plan, runner, processes)
    runner.quit()


def run_worker(host: str, port: int) -> None:
    """Connect to a master (tried for five minutes), do a share of its plan, and end with it."""
    environment = _environment()
    runner = environment.create_worker_runner(host, port)

    def prepare(msg: Any, **_: Any) -> None:
        plan = Plan.from_json(msg.data["json"])
        LoadUser.share = Share(Schedule(plan, runner.worker_index), sender(plan), runner.worker_index)
        runner.send_message("prepared")

    def finish() -> None:
        runner.user_greenlets.join()
        runner.send_message("finished")

    environment.events.request.add_listener(lambda context, **_: runner.send_message("request", context))
    # The master says so when all workers have started their users.
    environment.events.spawning_complete.add_listener(lambda **_: gevent.spawn(finish))
    runner.register_message("plan", prepare)
    # Asked for only now, because a message that nobody is registered for would be lost.
    runner.send_message("plan wanted")
    runner.greenlet.join()


def _environment() -> Environment:
    environment = Environment(user_classes=[LoadUser])
    environment.events.test_start.add_listener(lambda **_: LoadUser.share.schedule.begin())
    return environment


def _start_worker(runner: MasterRunner) -> WorkerProcess:
    address = f"{LOOPBACK}:{runner.server.port}"
    return subprocess.Popen(
        [sys.executable, "-m", "helpers.load_generator", "--attached", "--worker", address],
        # An attached worker ends when this pipe closes, also because this process has died.
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )


def _wait_for(workers: set[str], plan: Plan, runner: MasterRunner, processes: list[WorkerProcess]) -> None:
    while True:
        for process in processes:
            if process.poll() is not None:
                sys.exit(f"A worker ended too early, with exit code {process.returncode}.")
        # Looked at before the workers are counted: one too many has no share, and so is finished at once.
        if len(runner.clients) > plan.all_workers:
            sys.exit(
                f"{len(runner.clients)} workers came for a load that is divided among {plan.all_workers}."
            )
        if len(workers) >= plan.all_workers:
            return
        gevent.sleep(POLL_S)


def _write(row: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def _end_with_standard_input(processes: list[WorkerProcess]) -> None:
    """End at once when whoever started this process has closed its standard input, or has died."""
    standard_input = sys.stdin.fileno()
    make_nonblocking(standard_input)
    while nb_read(standard_input, 1):
        pass
    _end(processes)
    # What was written is flushed; Locust would first wait for its users.
    os._exit(1)


def _end(processes: list[WorkerProcess]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    for process in processes:
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a load with Locust: see load.drive.")
    parser.add_argument("--worker", metavar="HOST:PORT", help="work for the master at this address")
    parser.add_argument("--attached", action="store_true", help="end when standard input closes")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    plan = None if arguments.worker else Plan.from_json(sys.stdin.readline())
    processes: list[WorkerProcess] = []
    if plan or arguments.attached:
        gevent.spawn(_end_with_standard_input, processes)
    if plan is None:
        host, _, port = arguments.worker.rpartition(":")
        run_worker(host, int(port))
    elif plan.all_workers:
        try:
            run_master(plan, processes)
        finally:
            _end(processes)
    else:
        run_alone(plan)


if __name__ == "__main__":
    main()
