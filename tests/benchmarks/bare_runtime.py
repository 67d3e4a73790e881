"""AWS's runtime interface client without anything around it: how long it takes to start."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

TIMEOUT_S = 30
REQUEST_FOR_WORK = b"GET /2018-06-01/runtime/invocation/next"


def time_start_ms(task_directory: Path, handler: str) -> float:
    """From starting `python -m awslambdaric` until its first request for work, in ms."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT_S)
        host, port = listener.getsockname()
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", handler],
            cwd=task_directory,
            env={
                "PATH": os.environ["PATH"],
                "AWS_LAMBDA_RUNTIME_API": f"{host}:{port}",
                "LAMBDA_TASK_ROOT": str(task_directory),
            },
        )
        try:
            connection, _ = listener.accept()
            with connection:
                request = connection.recv(4096)
                elapsed_ms = (time.perf_counter() - started) * 1000
                process.kill()
        finally:
            process.kill()
            process.wait()
    assert request.startswith(REQUEST_FOR_WORK), request
    return elapsed_ms
