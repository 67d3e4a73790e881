"""Remove everything that one local AWS made: processes, control groups, its state directory.

`python -m helpers.local.leftovers <settings as JSON> <pid of the gateway>` ends a gateway that has
lost its supervisor.
"""

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import psutil

from helpers.local.functions.sandbox import control_groups
from helpers.local.settings import Settings

STATE_DIRECTORY_PREFIX = "serverless-patterns-workshop-"


def new_state_directory(run_id: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{STATE_DIRECTORY_PREFIX}{run_id}-"))


def remove_leftovers(settings: Settings, descendants_of: int) -> None:
    """Leave no process, control group or file of this local AWS behind.

    The process `descendants_of` must not start others meanwhile.
    """
    control_groups.remove_run(settings.run_id)
    _kill_processes(descendants_of, settings.functions_directory)
    shutil.rmtree(settings.state_directory, ignore_errors=True)


def remove_stale_runs() -> None:
    """Remove what earlier runs left when supervisor and gateway were killed together."""
    for directory in Path(tempfile.gettempdir()).glob(f"{STATE_DIRECTORY_PREFIX}*"):
        run_id = directory.name.removeprefix(STATE_DIRECTORY_PREFIX).rsplit("-", 1)[0]
        if _is_stale(run_id, directory):
            control_groups.remove_run(run_id)
            _kill_processes(None, directory / "functions")
            shutil.rmtree(directory, ignore_errors=True)


def _is_stale(run_id: str, directory: Path) -> bool:
    """Whether the supervisor that made `directory` is gone. Another user's are not ours to judge."""
    try:
        found = directory.stat()
        supervisor = psutil.Process(int(run_id.split("-")[0]))
        # A process that is younger than the directory only has the same number.
        gone = supervisor.create_time() > found.st_mtime
    except psutil.NoSuchProcess:
        gone = True
    except (OSError, ValueError, psutil.AccessDenied):
        return False
    return gone and found.st_uid == os.getuid()


def _kill_processes(parent: int | None, functions_directory: Path) -> None:
    """Kill what runs below `parent` or for a function; repeated, since a process may fork meanwhile."""
    for _ in range(20):
        living = [*_descendants(parent), *_function_processes(functions_directory)]
        if not living:
            return
        for process in living:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(living, timeout=0.5)


def _descendants(parent: int | None) -> list[psutil.Process]:
    try:
        children = psutil.Process(parent).children(recursive=True) if parent else []
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if child.pid != os.getpid() and _lives(child)]


def _function_processes(functions_directory: Path) -> list[psutil.Process]:
    """Processes that a function started and that left its family, recognised by their environment.

    Where control groups can be used, they are dead by now.
    """
    try:
        identities = {directory.name for directory in (functions_directory / "environments").iterdir()}
    except FileNotFoundError:
        # No function ran, or another local AWS that starts just now has removed it all.
        return []
    found = []
    for process in psutil.process_iter() if identities else ():
        with contextlib.suppress(psutil.Error, OSError):
            log_stream_name = process.environ().get("AWS_LAMBDA_LOG_STREAM_NAME", "")
            if log_stream_name.rpartition("]")[2] in identities and _lives(process):
                found.append(process)
    return found


def _lives(process: psutil.Process) -> bool:
    # A zombie is only waiting for its parent to read its exit status.
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def main() -> None:
    settings = Settings.from_json(sys.argv[1])
    gateway = psutil.Process(int(sys.argv[2]))
    # Stopped, it starts no more processes; alive, it is still the parent of those it has started.
    gateway.suspend()
    remove_leftovers(settings, descendants_of=gateway.pid)
    gateway.kill()


if __name__ == "__main__":
    main()
