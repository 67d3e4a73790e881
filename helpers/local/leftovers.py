"""Remove everything that one local AWS made: processes, control groups, its state directory."""

import os
import shutil
import tempfile
from pathlib import Path

import psutil

from helpers.local.functions.sandbox import control_groups
from helpers.local.settings import Settings

STATE_DIRECTORY_PREFIX = "serverless-patterns-workshop-"


def new_state_directory(run_id: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{STATE_DIRECTORY_PREFIX}{run_id}-"))


def kill_descendants(pid: int) -> None:
    """Kill every process below `pid`; repeated, since a process may fork while we look."""
    for _ in range(20):
        try:
            children = psutil.Process(pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return
        # A zombie is only waiting for its parent to read its exit status.
        living = [
            child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE
        ]
        if not living:
            return
        for child in living:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(living, timeout=0.5)


def remove_leftovers(settings: Settings, descendants_of: int) -> None:
    """Leave no process, control group or file of this local AWS behind."""
    control_groups.remove_run(settings.run_id)
    kill_descendants(descendants_of)
    shutil.rmtree(settings.state_directory, ignore_errors=True)


def remove_stale_runs() -> None:
    """Remove what earlier runs left when supervisor and gateway were killed together."""
    for directory in Path(tempfile.gettempdir()).glob(f"{STATE_DIRECTORY_PREFIX}*"):
        run_id = directory.name.removeprefix(STATE_DIRECTORY_PREFIX).rsplit("-", 1)[0]
        if not _is_alive(run_id):
            control_groups.remove_run(run_id)
            shutil.rmtree(directory, ignore_errors=True)


def _is_alive(run_id: str) -> bool:
    try:
        os.kill(int(run_id.split("-")[0]), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return True
