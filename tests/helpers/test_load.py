"""Loads made by Locust, against a server of the test and against functions on the local AWS."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest

from helpers import endpoints, functions, load, permissions, statistics, waiting
from helpers.load import FunctionRequest, HttpRequest
from helpers.load_result import LoadResult
from helpers.workshop import Workshop

GENERATOR = [sys.executable, "-m", "helpers.load_generator"]
HANDLER = """
def handler(event, context):
    if event == "fail":
        raise KeyError("as asked")
    return {"statusCode": 200, "body": "hello"}
"""


@dataclass
class Server:
    """Answers /200, /500 and so on with that status after `delay_s`, and notes what it was sent.

    Its answer to /endless goes on for ever.
    """

    url: str
    delay_s: float = 0.0
    received: list[tuple[str, dict[str, str], str]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            running.received.append((self.command, dict(self.headers), body))
            time.sleep(running.delay_s)
            endless = self.path == "/endless"
            # The client may have given up.
            with contextlib.suppress(ConnectionError):
                self.send_response(200 if endless else int(self.path.strip("/")))
                self.send_header("Content-Length", "1000000" if endless else "2")
                self.end_headers()
                self.wfile.write(b"ok")
                while endless:
                    time.sleep(0.05)
                    self.wfile.write(b".")

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Server(f"http://127.0.0.1:{listening.server_port}")
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield running
    listening.shutdown()
    listening.server_close()


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No process of a load generator outlives the call that started it."""
    yield
    assert load_generators(psutil.Process()) == []


def load_generators(ancestor: psutil.Process) -> list[psutil.Process]:
    found = []
    for process in ancestor.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "helpers.load_generator" in process.cmdline():
                found.append(process)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def assert_on_schedule(result: LoadResult) -> None:
    """Requests were due one by one at the rate, and each was sent at its time or later."""
    due_s = result.requests["start_s"] - result.requests["late_ms"] / 1000
    expected = np.arange(result.planned) / result.rate_per_s
    assert np.sort(due_s) == pytest.approx(expected, abs=1e-6)
    assert (result.requests["late_ms"] >= 0).all()


def test_requests_are_due_at_a_constant_rate_whatever_becomes_of_earlier_ones(server: Server) -> None:
    server.delay_s = 0.3
    result = load.drive(HttpRequest(f"{server.url}/200"), rate_per_s=20, duration_s=2)
    assert len(server.received) == len(result.requests) == result.planned == 40
    assert_on_schedule(result)
    assert result.rate_reached and result.actual_rate_per_s == 20
    assert result.failures == {}
    assert (result.requests["status"] == 200).all()
    assert min(result.latencies_ms) >= 300
    assert result.percentiles.loc["p50", "low"] <= result.percentiles.loc["p50", "value"]
    assert result.percentiles.loc["p99", "note"] == "needs 368 samples, has 40"


def test_method_headers_and_body_arrive(server: Server) -> None:
    request = HttpRequest(f"{server.url}/201", "POST", {"X-Api-Key": "k-1"}, json.dumps({"city": "Zürich"}))
    result = load.drive(request, rate_per_s=2, duration_s=1)
    assert result.failures == {} and list(result.requests["status"]) == [201, 201]
    for method, headers, body in server.received:
        assert (method, headers["X-Api-Key"], json.loads(body)) == ("POST", "k-1", {"city": "Zürich"})
    assert "k-1" not in repr(request)


def test_refusals_are_failures_and_have_no_part_in_the_latencies(server: Server) -> None:
    result = load.drive(HttpRequest(f"{server.url}/503"), rate_per_s=5, duration_s=1)
    assert result.failures == {"HTTP 503": 5}
    assert result.latencies_ms == []
    with pytest.raises(statistics.TooFewSamples):
        _ = result.percentiles
    assert "5 failed: 5 × HTTP 503.\nNo request succeeded." in str(result)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        # Nothing listens on port 1, and a name of this length is refused before anybody is asked for it.
        ("http://127.0.0.1:1/", "ConnectionRefusedError"),
        (f"http://{'nowhere.' * 40}invalid/", "gaierror"),
    ],
)
def test_a_host_that_is_not_there_is_a_result(url: str, reason: str) -> None:
    result = load.drive(HttpRequest(url), rate_per_s=5, duration_s=1)
    assert len(result.requests) == 5 and result.requests["status"].isna().all()
    assert all(failure.startswith(reason) for failure in result.failures)


def test_a_request_without_an_answer_fails_after_the_timeout(server: Server) -> None:
    server.delay_s = 3
    result = load.drive(HttpRequest(f"{server.url}/200"), rate_per_s=2, duration_s=1, timeout_s=0.5)
    assert result.failures == {"TimeoutError: timed out": 2}
    assert (result.requests["latency_ms"] >= 500).all()


def test_nothing_is_sent_again() -> None:
    """Not even a GET, which clients may repeat when a connection breaks."""
    accepted = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    accepted.append(connection.recv(65536))
                    connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        result = load.drive(HttpRequest(address), rate_per_s=5, duration_s=1)
        # Wakes the thread up, which otherwise would wait for ever.
        listening.shutdown(socket.SHUT_RDWR)
    [(reason, count)] = result.failures.items()
    assert "Remote end closed connection without response" in reason
    assert count == len(accepted) == 5


def test_a_rate_that_was_not_reached_is_said(server: Server) -> None:
    server.delay_s = 0.5
    result = load.drive(HttpRequest(f"{server.url}/200"), rate_per_s=10, duration_s=1, users=1)
    # One user gets an answer every half a second, and nothing is sent after the end.
    assert len(result.requests) == len(server.received) <= 2
    assert not result.rate_reached
    assert f"The target rate was not reached: {10 - len(result.requests)} requests" in str(result)


def test_workers_share_the_load(server: Server) -> None:
    result = load.drive(HttpRequest(f"{server.url}/200"), rate_per_s=20, duration_s=2, workers=2)
    assert len(server.received) == len(result.requests) == 40
    assert_on_schedule(result)
    assert result.requests["worker"].value_counts().to_dict() == {0: 20, 1: 20}


def test_a_worker_of_another_machine_joins_by_the_documented_command(server: Server) -> None:
    port = free_port()
    worker = subprocess.Popen([*GENERATOR, "--worker", f"127.0.0.1:{port}"], stdin=subprocess.DEVNULL)
    result = load.drive(
        HttpRequest(f"{server.url}/200"), 10, duration_s=1, workers=1, remote_workers=1, port=port
    )
    assert result.requests["worker"].value_counts().to_dict() == {0: 5, 1: 5}
    assert worker.wait(timeout=60) == 0


def test_more_workers_than_the_load_is_divided_among_are_refused(server: Server) -> None:
    """The load would be higher than was asked for."""
    port = free_port()
    command = [*GENERATOR, "--worker", f"127.0.0.1:{port}"]
    workers = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(2)]
    try:
        with pytest.raises(load.LoadNotGenerated, match="2 workers came for a load that is divided among 1"):
            load.drive(HttpRequest(f"{server.url}/200"), 5, duration_s=60, remote_workers=1, port=port)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def test_nothing_listens_but_a_master_on_loopback(server: Server) -> None:
    """Nor is anything else connected to, and what is sent is on no command line."""
    addresses, commands = set(), set()
    with ThreadPoolExecutor(1) as threads:
        driving = threads.submit(load.drive, HttpRequest(f"{server.url}/200"), 5, 2, workers=2)
        waiting.wait_until(lambda: server.received, "the first request", timeout_s=60)
        for process in load_generators(psutil.Process()):
            commands.add(tuple(process.cmdline()[1:3]))
            assert server.url not in " ".join(process.cmdline())
            for connection in process.net_connections("inet"):
                addresses.add(connection.laddr.ip)
                addresses.update([connection.raddr.ip] if connection.raddr else [])
        assert driving.result().failures == {}
    assert commands == {("-m", "helpers.load_generator")}
    assert addresses == {"127.0.0.1"}


@pytest.fixture
def function(workshop: Workshop) -> str:
    """The name of a function with a function URL."""
    lambda_client, name = workshop.client("lambda"), workshop.name("load")
    may_log = permissions.write_logs(name, workshop.region, workshop.account_id)
    role = permissions.create_role(workshop.client("iam"), name, "lambda.amazonaws.com", may_log)
    lambda_client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": functions.package(texts={"index.py": HANDLER})},
    )
    lambda_client.get_waiter("function_active_v2").wait(FunctionName=name)
    return name


@pytest.fixture
def misleading_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of the reader's that must not reach a load of the local AWS."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another session")
    monkeypatch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")


@pytest.mark.usefixtures("misleading_settings")
def test_invocations_of_a_function(workshop: Workshop, function: str) -> None:
    lambda_client = workshop.client("lambda")
    result = load.drive(FunctionRequest(lambda_client, function, {"n": 1}), rate_per_s=10, duration_s=1)
    assert result.failures == {} and len(result.requests) == 10
    assert (result.requests["status"] == 200).all()
    logs = workshop.client("logs")
    waiting.wait_for_log_events(logs, f"/aws/lambda/{function}", "REPORT", minimum=10)

    failing = load.drive(FunctionRequest(lambda_client, function, "fail"), rate_per_s=2, duration_s=1)
    assert failing.failures == {"KeyError": 2}
    missing = load.drive(FunctionRequest(lambda_client, "nobody"), rate_per_s=2, duration_s=1)
    assert missing.failures == {"ResourceNotFoundException": 2}
    assert list(missing.requests["status"]) == [404, 404]


@pytest.mark.usefixtures("misleading_settings")
def test_requests_to_a_function_url(workshop: Workshop, function: str) -> None:
    lambda_client = workshop.client("lambda")
    lambda_client.add_permission(
        FunctionName=function,
        StatementId="url",
        Principal="*",
        Action="lambda:InvokeFunctionUrl",
        FunctionUrlAuthType="NONE",
    )
    address = lambda_client.create_function_url_config(FunctionName=function, AuthType="NONE")["FunctionUrl"]
    result = load.drive(HttpRequest(endpoints.function_url(workshop, address)), rate_per_s=10, duration_s=1)
    assert result.failures == {} and len(result.requests) == 10


INTERRUPTED = """
import signal, sys
from helpers import load
# As a notebook's kernel has it. What a shell starts in the background, these tests for example, ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
load.drive(load.HttpRequest(sys.argv[1]), rate_per_s=5, duration_s=60, workers=int(sys.argv[2]))
"""


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_no_process_survives_an_interrupt_or_a_killed_kernel(
    server: Server, by: signal.Signals, workers: int
) -> None:
    command = [sys.executable, "-c", INTERRUPTED, f"{server.url}/200", str(workers)]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    waiting.wait_until(lambda: server.received, "the first request", timeout_s=60)
    generators = load_generators(psutil.Process(driver.pid))
    assert len(generators) == 1 + workers
    driver.send_signal(by)
    _, errors = driver.communicate(timeout=60)
    if by == signal.SIGINT:
        assert errors.rstrip().endswith("KeyboardInterrupt")
        assert not any(process.is_running() for process in generators)
    _, alive = psutil.wait_procs(generators, timeout=60)
    assert alive == []


def test_a_load_that_does_not_end_is_ended(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that goes on bit by bit is never without an answer for long."""
    monkeypatch.setattr("helpers.load_plan.START_TIMEOUT_S", 1)
    result = load.drive(HttpRequest(f"{server.url}/endless"), rate_per_s=2, duration_s=1, timeout_s=0.5)
    assert result.requests.empty and not result.rate_reached
    assert str(result).startswith("0 requests in 1 s: 0.0 of 2 requests/s. The target rate was not reached")


def test_a_worker_that_dies_ends_the_load(server: Server) -> None:
    with ThreadPoolExecutor(1) as threads:
        request = HttpRequest(f"{server.url}/200")
        driving = threads.submit(load.drive, request, rate_per_s=5, duration_s=60, workers=2)
        waiting.wait_until(lambda: server.received, "the first request", timeout_s=60)
        generators = load_generators(psutil.Process())
        next(process for process in generators if "--worker" in process.cmdline()).kill()
        with pytest.raises(load.LoadNotGenerated, match="A worker ended too early, with exit code -9"):
            driving.result()


def test_a_generator_that_fails_says_why(server: Server) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(load.LoadNotGenerated, match="Address already in use"):
            load.drive(HttpRequest(f"{server.url}/200"), remote_workers=1, port=port)
    assert server.received == []


def test_locust_stays_out_of_this_process() -> None:
    """Importing it would replace sockets and threads of the notebook's kernel."""
    script = "import sys, helpers.load; print({'gevent', 'locust'} & sys.modules.keys())"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"rate_per_s": 0}, "rate_per_s must be above 0, not 0"),
        ({"duration_s": -1}, "duration_s must be above 0, not -1"),
        ({"rate_per_s": 0.1, "duration_s": 1}, r"0\.1 requests/s for 1 s make no request"),
        ({"workers": 3, "users": 2}, "Every worker needs a user: at least 3, not 2"),
        ({"users": 0}, "Every worker needs a user: at least 1, not 0"),
        ({"workers": -1}, "must not be negative"),
        ({"request": HttpRequest("api/orders")}, "'api/orders' is no address"),
    ],
)
def test_inputs_out_of_range_are_refused(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load.drive(**{"request": HttpRequest("http://127.0.0.1:1/"), **inputs})


def test_the_summary_has_rate_failures_latency_and_lateness() -> None:
    rows = [(n / 10, 0.5, 10.0 + n, 200, None, 0) for n in range(9)]
    rows.append((0.9, 1.5, 2.0, 500, "HTTP 500", 0))
    requests = pd.DataFrame(rows, columns=["start_s", "late_ms", "latency_ms", "status", "failure", "worker"])
    assert str(LoadResult(10, 1, 10, requests)) == (
        "10 requests in 1 s: 10.0 of 10 requests/s.\n"
        "1 failed: 1 × HTTP 500.\n"
        "Latency: p50 14.0 ms (11.0 to 17.0), p90 needs 36 samples, has 9, p95 needs 72 samples, has 9, "
        "p99 needs 368 samples, has 9.\n"
        "Sent 0.5 ms (median), at most 1.5 ms after they were due."
    )
