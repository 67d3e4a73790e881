"""Start a local AWS and stay until it ends: `python -m helpers.local --port 0`.

Prints one line of JSON when it is ready ({"port": ...}) or cannot start ({"error": ...}), and
logs to standard error. Ends, leaving nothing behind, when standard input is closed, when the
process that started it is gone, on SIGTERM or SIGINT, and when the emulator itself ends.
"""

import argparse
import json
import os
import selectors
import signal
import subprocess
import sys
from types import FrameType
from typing import NoReturn

from helpers.local.functions.sandbox import delegation
from helpers.local.gateway import EXIT_PORT_TAKEN
from helpers.local.leftovers import new_state_directory, remove_leftovers, remove_stale_runs
from helpers.local.settings import DEFAULT_ACCOUNT_ID, Settings, new_run_id
from helpers.local.subreaper import adopt_orphans, bury_orphans

POLL_INTERVAL_S = 0.5
STOP_TIMEOUT_S = 3.0
EXIT_NOT_STARTED = 1


class _StopRequested(Exception):
    """A signal asked this local AWS to stop."""


def _raise_stop(number: int, frame: FrameType | None) -> NoReturn:
    raise _StopRequested


def parse_arguments(arguments: list[str]) -> Settings:
    parser = argparse.ArgumentParser(prog="python -m helpers.local", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--account", default=DEFAULT_ACCOUNT_ID, help="12 digits")
    parser.add_argument("--no-iam", action="store_true", help="accept every request, unsigned ones too")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535:
        parser.error(f"--port {options.port}: expected 0 to 65535")
    if len(options.account) != 12 or not options.account.isdigit():
        parser.error(f"--account {options.account!r}: expected 12 digits, such as {DEFAULT_ACCOUNT_ID}")
    run_id = new_run_id(os.getpid())
    return Settings(
        port=options.port,
        account_id=options.account,
        enforce_iam=not options.no_iam,
        run_id=run_id,
        state_directory=str(new_state_directory(run_id)),
    )


def _start_gateway(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *delegation.command_prefix(settings.run_id),
            *[sys.executable, "-m", "helpers.local.gateway", settings.to_json()],
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # A signal to the supervisor's process group must leave one of the two alive to clean up.
        start_new_session=True,
    )


def _announce(gateway: subprocess.Popen[bytes], settings: Settings) -> bool:
    """Pass on the gateway's ready line, or say why there is none."""
    assert gateway.stdout is not None
    line = gateway.stdout.readline().decode()
    if line:
        print(line, end="", flush=True)
        return True
    if gateway.wait() == EXIT_PORT_TAKEN:
        error = (
            f"Port {settings.port} on 127.0.0.1 is in use. "
            "Stop the program that listens there, or give another port (0 takes a free one)."
        )
    else:
        error = f"The local AWS did not start (exit code {gateway.returncode})."
    print(json.dumps({"error": error}), flush=True)
    return False


def _wait(gateway: subprocess.Popen[bytes]) -> int:
    """Return 0 when told to stop or left alone, the gateway's exit code when it ended by itself."""
    parent = os.getppid()
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        while gateway.poll() is None:
            if selector.select(POLL_INTERVAL_S) and not os.read(sys.stdin.fileno(), 1024):
                return 0
            if os.getppid() != parent:
                return 0
            bury_orphans(own_child=gateway.pid)
    return gateway.returncode or EXIT_NOT_STARTED


def _stop(gateway: subprocess.Popen[bytes]) -> None:
    gateway.terminate()
    try:
        gateway.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        gateway.kill()
        gateway.wait()


def main() -> int:
    settings = parse_arguments(sys.argv[1:])
    adopt_orphans()
    remove_stale_runs()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _raise_stop)
    gateway = _start_gateway(settings)
    try:
        return _wait(gateway) if _announce(gateway, settings) else EXIT_NOT_STARTED
    except _StopRequested:
        return 0
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _stop(gateway)
        remove_leftovers(settings, descendants_of=os.getpid())


if __name__ == "__main__":
    sys.exit(main())
