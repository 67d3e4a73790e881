"""Drive load against a function URL, an API or a function, with Locust in a process of its own."""

import contextlib
import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from helpers.load_plan import HttpRequest, InvokeRequest, Plan
from helpers.load_result import REQUEST_COLUMNS, LoadResult
from helpers.progress import progress

__all__ = ["FunctionRequest", "HttpRequest", "LoadNotGenerated", "LoadResult", "drive"]

PROJECT_ROOT = Path(__file__).parent.parent
# Locust's default, for workers on other machines; those of this machine learn a free one.
PORT = 5557
# How many seconds of unanswered requests may be open at once.
OPEN_S = 2.0
END_TIMEOUT_S = 5.0
LINES_SHOWN = 5


class LoadNotGenerated(RuntimeError):
    """The load generator itself failed; the message holds its last words."""


@dataclass(frozen=True)
class FunctionRequest:
    """A synchronous Invoke of a function, with the target and the credentials of `lambda_client`.

    `payload` is any JSON value.
    """

    lambda_client: Any
    function_name: str
    payload: Any = None
    qualifier: str = "$LATEST"


def drive(
    request: HttpRequest | FunctionRequest,
    rate_per_s: float = 20,
    duration_s: float = 5,
    users: int | None = None,
    timeout_s: float = 30,
    workers: int = 0,
    remote_workers: int = 0,
    port: int = PORT,
) -> LoadResult:
    """Send `request` at a constant rate for a time, and keep what became of each one.

    The load is open: requests are due at `rate_per_s` whether or not earlier ones have been answered, as
    Artillery's arrival rate. At most `users` are open at once, by default as many as are due within two
    seconds; when all are, later ones wait, and those that wait until the end are not sent. The result says
    so. A request without an answer fails after `timeout_s`. Nothing is tried again. On AWS every request is
    charged; 120 requests/s for 60 s is the load of the post "Build a custom Java runtime for AWS Lambda".

    One process uses one CPU. `workers` divides the load among that many processes here, `remote_workers`
    among processes on other machines, for which it waits up to ten minutes. The master listens on 127.0.0.1
    only, so that others reach it through SSH. On each of them, in a checkout of this project:

        ssh -N -L 5557:127.0.0.1:5557 <this machine> &
        .venv/bin/python -m helpers.load_generator --worker 127.0.0.1:5557

    5557 stands for `port`. The workers receive the request with its headers. For a FunctionRequest each
    uses the AWS credentials of its own machine. To load the local AWS, its port needs an `-L` of its own.

    Raises ValueError for inputs out of range, LoadNotGenerated when the generator fails. A host that does
    not answer is a result, with the reasons in its failures. No process is left, also after an interrupt.
    """
    sent_request, credentials = _portable(request)
    plan = Plan(
        request=sent_request,
        rate_per_s=rate_per_s,
        duration_s=duration_s,
        users=_default_users(rate_per_s, workers + remote_workers) if users is None else users,
        timeout_s=timeout_s,
        workers=workers,
        remote_workers=remote_workers,
        port=port if remote_workers else 0,
    )
    _check(plan)
    rows = _generate(plan, credentials)
    requests = pd.DataFrame(rows, columns=list(REQUEST_COLUMNS)).astype(REQUEST_COLUMNS)
    requests = requests.sort_values("start_s", ignore_index=True)
    return LoadResult(rate_per_s, duration_s, plan.planned, requests)


def _portable(request: HttpRequest | FunctionRequest) -> tuple[HttpRequest | InvokeRequest, dict[str, str]]:
    """The request without its client, and the client's credentials as environment variables."""
    if isinstance(request, HttpRequest):
        return request, {}
    client = request.lambda_client
    # A client has no public way to say whose credentials it signs with.
    credentials = client._get_credentials()
    if credentials is None:
        raise ValueError("The Lambda client has no credentials to invoke the function with.")
    frozen = credentials.get_frozen_credentials()
    variables = {"AWS_ACCESS_KEY_ID": frozen.access_key, "AWS_SECRET_ACCESS_KEY": frozen.secret_key}
    if frozen.token:
        variables["AWS_SESSION_TOKEN"] = frozen.token
    portable = InvokeRequest(
        request.function_name,
        request.qualifier,
        json.dumps(request.payload),
        client.meta.region_name,
        client.meta.endpoint_url,
        client.meta.config.proxies,
    )
    return portable, variables


def _default_users(rate_per_s: float, workers: int) -> int:
    return max(1, workers, math.ceil(rate_per_s * OPEN_S))


def _check(plan: Plan) -> None:
    for name in ("rate_per_s", "duration_s", "timeout_s"):
        if getattr(plan, name) <= 0:
            raise ValueError(f"{name} must be above 0, not {getattr(plan, name)}.")
    if plan.planned < 1:
        raise ValueError(f"{plan.rate_per_s:g} requests/s for {plan.duration_s:g} s make no request.")
    if plan.workers < 0 or plan.remote_workers < 0:
        raise ValueError("workers and remote_workers must not be negative.")
    if plan.users < max(1, plan.all_workers):
        raise ValueError(f"Every worker needs a user: at least {max(1, plan.all_workers)}, not {plan.users}.")
    if isinstance(plan.request, HttpRequest):
        address = urlsplit(plan.request.url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"{plan.request.url!r} is no address: expected http://... or https://...")


def _generate(plan: Plan, credentials: dict[str, str]) -> list[dict[str, Any]]:
    """Run the load generator and return its rows; those so far when it takes longer than it may."""
    with _generator(credentials) as (process, standard_input):
        with contextlib.suppress(BrokenPipeError):
            standard_input.write(plan.to_json().encode() + b"\n")
        ended_itself = _wait(process, plan)
    output, errors = process.communicate()
    if ended_itself and process.returncode != 0:
        raise LoadNotGenerated(
            f"The load generator ended with exit code {process.returncode}: "
            + " ".join(errors.splitlines()[-LINES_SHOWN:])
        )
    return [json.loads(line) for line in output.splitlines()]


@contextmanager
def _generator(credentials: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], io.FileIO]]:
    """A load generator and its standard input. At the end neither it nor a worker of it is left.

    All of them end when that pipe closes: here, or because this process has died.
    """
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb", buffering=0) as standard_input:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "helpers.load_generator"],
                stdin=read_end,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=PROJECT_ROOT,
                env=_environment(credentials),
                # An interrupt of the notebook's cell is for this process, which then ends the generator.
                start_new_session=True,
            )
        finally:
            os.close(read_end)
        try:
            yield process, standard_input
        finally:
            standard_input.close()
            try:
                # Returns when all that hold its standard error have ended, its workers too.
                process.communicate(timeout=END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


def _wait(process: subprocess.Popen[str], plan: Plan) -> bool:
    """Whether the generator ended before everything it does must have timed out."""
    deadline = time.monotonic() + plan.start_timeout_s + plan.duration_s + plan.timeout_s + END_TIMEOUT_S
    for _ in progress(range(math.ceil(plan.duration_s)), "Load"):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=1)
            return True
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=deadline - time.monotonic())
        return True
    return False


def _environment(credentials: dict[str, str]) -> dict[str, str]:
    """This process's, but no settings of AWS and Locust other than the credentials."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "LOCUST_")) or name == "AWS_CA_BUNDLE"
    }
    no_files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**kept, **no_files, "AWS_EC2_METADATA_DISABLED": "true", **credentials}
