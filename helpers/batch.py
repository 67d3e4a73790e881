"""Run notebooks by papermill, each in a kernel process and a directory of its own."""

import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat.reader import NotJSONError
from papermill.exceptions import PapermillExecutionError
from traitlets import default

from helpers.notebooks import PROJECT_ROOT, Notebook

RUNS_DIRECTORY = PROJECT_ROOT / "build" / "runs"


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class NotebookResult:
    """How the run of one notebook ended. `problem` is one line, empty when it passed."""

    notebook: Notebook
    outcome: Outcome
    duration_s: float
    output_path: Path
    problem: str = ""


class _OwnKernelSpecs(KernelSpecManager):
    """Resolves every kernel name to the Python that runs this, whatever kernels the reader has."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir="", **get_kernel_dict())


class _OwnKernelManager(AsyncKernelManager):
    @default("kernel_spec_manager")
    def _own_kernel_specs(self) -> KernelSpecManager:
        return _OwnKernelSpecs(parent=self)


def new_run_directory(parent: Path = RUNS_DIRECTORY) -> Path:
    """Make and return `<parent>/<time>`, with a suffix when another run began in the same second."""
    parent.mkdir(parents=True, exist_ok=True)
    name = time.strftime("%Y-%m-%dT%H-%M-%S")
    attempt = 1
    while True:
        directory = parent / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            directory.mkdir()
        except FileExistsError:
            attempt += 1
        else:
            return directory


def run_notebook(
    notebook: Notebook, parameters: dict[str, Any], directory: Path, show_progress: bool = False
) -> NotebookResult:
    """Execute a notebook and write it, with its outputs, to `<directory>/<its name>`.

    Its kernel works in `<directory>/<NN>/`, so that what its cells write never lands among the
    notebooks. The working directory of this process stays as it is: threads and processes may run
    different notebooks at the same time. A failing cell, a kernel that dies, an unreadable notebook,
    an output that cannot be written and Ctrl-C become a result; the kernel is gone in every case.
    """
    directory = directory.resolve()
    output_path = directory / notebook.path.name
    outcome, problem = Outcome.FAILED, ""
    started = time.perf_counter()
    try:
        scratch = directory / notebook.number
        ipython_directory = scratch / ".ipython"
        ipython_directory.mkdir(parents=True, exist_ok=True)
        papermill.execute_notebook(
            notebook.path,
            output_path,
            parameters,
            kernel_name="python3",
            progress_bar={"desc": notebook.number, "leave": False} if show_progress else False,
            # papermill's own `cwd` would change this whole process's directory.
            resources={"metadata": {"path": str(scratch)}},
            kernel_manager_class=_OwnKernelManager,
            # The reader's IPython start-up files have no say in a batch, and what a kernel logs about
            # unencrypted loopback connections, or about being ended in the middle, helps nobody.
            extra_arguments=[f"--ipython-dir={ipython_directory}", "--log-level=CRITICAL"],
        )
        outcome = Outcome.PASSED
    except PapermillExecutionError as error:
        problem = f"cell [{error.exec_count}]: {error.ename}: {_first_line(error.evalue)}"
    except DeadKernelError:
        problem = "its kernel died while a cell was running"
    # nbclient has no error of its own for a kernel that does not start: it is a RuntimeError.
    except (RuntimeError, NotJSONError, OSError) as error:
        problem = _first_line(str(error))
    except KeyboardInterrupt:
        outcome, problem = Outcome.INTERRUPTED, "stopped by an interrupt"
    return NotebookResult(notebook, outcome, time.perf_counter() - started, output_path, problem)


def run_notebooks(
    runs: list[tuple[Notebook, dict[str, Any]]], directory: Path, show_progress: bool = False
) -> list[NotebookResult]:
    """Run notebooks one after the other, so that none disturbs what another measures.

    A failure does not keep the next from running; an interrupt does.
    """
    results: list[NotebookResult] = []
    for notebook, parameters in runs:
        results.append(run_notebook(notebook, parameters, directory, show_progress))
        if results[-1].outcome is Outcome.INTERRUPTED:
            break
    return results


def table(results: list[NotebookResult]) -> str:
    """One line a notebook: notebook, result, seconds, output; below it what went wrong."""
    rows = [("notebook", "result", "seconds", "output")]
    for result in results:
        seconds = f"{result.duration_s:.1f}"
        rows.append((result.notebook.path.stem, result.outcome.value, seconds, _shown(result.output_path)))
    name_width, outcome_width, seconds_width = (max(len(row[i]) for row in rows) for i in range(3))
    lines = [
        f"{name:<{name_width}}  {outcome:<{outcome_width}}  {seconds:>{seconds_width}}  {output}"
        for name, outcome, seconds, output in rows
    ]
    lines += [f"{result.notebook.number}: {result.problem}" for result in results if result.problem]
    return "\n".join(lines)


def _shown(path: Path) -> str:
    """The path from the current directory when it lies below it: shorter, and still to be opened."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
