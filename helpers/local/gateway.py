"""The process in which the emulator runs: `python -m helpers.local.gateway <settings as JSON>`.

Started by the supervisor with the read end of a pipe as standard input. When the supervisor
dies, however hard, that pipe closes and this process has itself cleaned up.
"""

import asyncio
import errno
import gc
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from helpers.local import guard
from helpers.local.functions import sandbox
from helpers.local.functions.sandbox import delegation, isolation
from helpers.local.settings import Settings

EXIT_PORT_TAKEN = 98
EXIT_OPTION_INVALID = 2
# Variables by which the local AWS can be told to behave differently, mostly for tests:
# seconds after which an idle execution environment ends, see functions/pool.py;
# "loop" to run Python functions without awslambdaric, see functions/runtimes/python/workshop_loop.py;
# factor by which retries of asynchronous invocations, and of batches of event sources, come sooner, see
# functions/asynchronous.py;
# "cgroup-v2", "cgroup-v1" or "duty-cycle" to limit functions by it, see functions/sandbox/__init__.py;
# "off" to let functions see this machine's own file system, see functions/sandbox/isolation.py.
OPTIONS = (
    "WORKSHOP_IDLE_LIFETIME_S",
    "WORKSHOP_PYTHON_CLIENT",
    "WORKSHOP_RETRY_SPEEDUP",
    "WORKSHOP_CPU_LIMITER",
    "WORKSHOP_ISOLATION",
)
# Function durations are read off the clock by threads that compete for Python's interpreter
# lock. The default of 5 ms before a running thread must give it up would blur them.
SWITCH_INTERVAL_S = 0.0005
KEEP_ALIVE_TIMEOUT_S = 75
# Of a stop, for invocations that are running. The supervisor waits a second longer.
GRACEFUL_SHUTDOWN_TIMEOUT_S = 2


def emulator_environment(settings: Settings, port: int) -> dict[str, str]:
    """The switches of MiniStack, and nothing of the environment that the reader happens to have."""
    names = ("PATH", "HOME", "LANG", "TZ", *OPTIONS)
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    return inherited | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "localhost",
        "MINISTACK_ACCOUNT_ID": settings.account_id,
        "AUTH": "true" if settings.enforce_iam else "false",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # No Docker, even where the reader has one: functions run as processes here.
        "DOCKER_HOST": f"unix://{settings.state_directory}/no-docker",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "STATE_DIR": f"{settings.state_directory}/state",
        "S3_DATA_DIR": f"{settings.state_directory}/s3",
        "TMPDIR": settings.state_directory,
        "WORKSHOP_RUN_ID": settings.run_id,
        "WORKSHOP_FUNCTIONS_DIRECTORY": str(settings.functions_directory),
        "LOG_LEVEL": "WARNING",
        "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
    }


def listen(port: int) -> socket.socket:
    """Bind 127.0.0.1 before anything is imported, so that a taken port is known at once."""
    # With the protocol named, asyncio turns off the delay of small segments on each connection.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(512)
    return listener


def announcing(
    app: Callable[..., Awaitable[None]], announce: Callable[[], None]
) -> Callable[..., Awaitable[None]]:
    """Wrap an ASGI application so that `announce` is called once its start-up is complete."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return

        async def send_and_announce(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                announce()

        await app(scope, receive, send_and_announce)

    return application


def _serve(listener: socket.socket, limiter: str) -> None:
    import uvicorn
    from ministack import app as ministack_app

    from helpers.local import additional_listeners, installed

    installed.install()
    port = listener.getsockname()[1]

    def announce() -> None:
        # What start-up has made stays until the end: the garbage collector need not look at it again.
        gc.freeze()
        print(json.dumps({"port": port, "limiter": limiter}), flush=True)

    application: Any = announcing(ministack_app.app, announce)
    config = uvicorn.Config(
        application,
        http="httptools",
        ws="wsproto",
        # The guard sees what Python code does; another loop than Python's own would pass by it.
        loop="asyncio",
        timeout_keep_alive=KEEP_ALIVE_TIMEOUT_S,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_TIMEOUT_S,
        # No proxy stands before it: headers that speak of one are the caller's own.
        proxy_headers=False,
        # The emulator writes AWS's headers itself.
        server_header=False,
        date_header=False,
        access_log=False,
        log_config=None,
    )
    asyncio.run(additional_listeners.Gateway(config).serve(sockets=[listener]))


def _clean_up_when_supervisor_dies(settings: Settings) -> None:
    def wait_for_end_of_input() -> None:
        # Unbuffered, because a buffered read would hold a lock that the interpreter wants at exit.
        while os.read(sys.stdin.fileno(), 1):
            pass
        try:
            # By another process, because the threads of this one may be starting functions.
            command = [sys.executable, "-m", "helpers.local.leftovers", settings.to_json(), str(os.getpid())]
            subprocess.run(command, check=False)
        finally:
            os._exit(1)

    threading.Thread(target=wait_for_end_of_input, name="supervisor-watch", daemon=True).start()


def main() -> None:
    settings = Settings.from_json(sys.argv[1])
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s [%(name)s] %(message)s")
    try:
        listener = listen(settings.port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(EXIT_PORT_TAKEN)
    _clean_up_when_supervisor_dies(settings)
    # MiniStack reads its switches when it is imported.
    switches = emulator_environment(settings, listener.getsockname()[1])
    os.environ.clear()
    os.environ.update(switches)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    guard.install()
    delegation.enter_leaf(settings.run_id)
    try:
        # Both are found out once, by trying, and refuse an option that cannot be honoured.
        limiter = sandbox.choose().limiter
        isolation.unshare_command()
    except sandbox.OptionInvalid as error:
        print(json.dumps({"error": str(error)}), flush=True)
        os._exit(EXIT_OPTION_INVALID)
    _serve(listener, limiter)
    # Threads that serve long polls would hold the interpreter for up to twenty seconds.
    os._exit(0)


if __name__ == "__main__":
    main()
