"""Running notebooks in batches: what ends well, what does not, and what must not get in the way."""

import json
import sys
import threading
from pathlib import Path

import pytest
from toy_project import Project, new_project, printed_text

from helpers.batch import NotebookResult, Outcome, new_run_directory, run_notebook, table
from helpers.notebooks import Notebook


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


def run(project: Project, name: str, *cells: str) -> NotebookResult:
    path = project.add_notebook(name, *cells)
    return run_notebook(Notebook(path), {}, project.root / "out")


def test_a_kernel_that_is_killed_is_a_result(project: Project) -> None:
    result = run(project, "01_dies", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert (result.outcome, result.problem) == (Outcome.FAILED, "its kernel died while a cell was running")
    assert result.duration_s > 0


def test_a_file_that_is_no_notebook_is_a_result(project: Project) -> None:
    path = project.root / "notebooks" / "01_text.ipynb"
    path.write_text("This is not JSON")
    result = run_notebook(Notebook(path), {}, project.root / "out")
    assert result.outcome is Outcome.FAILED
    assert "not appear to be JSON" in result.problem


def test_an_output_that_cannot_be_written_is_a_result(project: Project) -> None:
    (project.root / "out").touch()
    result = run(project, "01_sums", "print(1)")
    assert result.outcome is Outcome.FAILED
    assert "out" in result.problem


def test_the_kernel_runs_on_this_python_whatever_is_registered(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the name python3, and with start-up files, the reader may have something else."""
    kernel = project.home / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    specification = {"argv": ["/bin/false"], "display_name": "Another", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(specification))
    start_up = project.home / "ipython" / "profile_default" / "startup"
    start_up.mkdir(parents=True)
    (start_up / "surprise.py").write_text("print('surprise')")
    monkeypatch.setenv("JUPYTER_PATH", str(project.home / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(project.home / "ipython"))
    result = run(project, "01_python", "import sys\nprint(sys.executable)")
    assert result.outcome is Outcome.PASSED, result.problem
    assert printed_text(result.output_path) == f"{sys.executable}\n"


def test_helpers_can_be_imported_from_the_kernels_directory(project: Project) -> None:
    result = run(project, "01_imports", "import os, helpers\nprint(os.getcwd())")
    assert result.outcome is Outcome.PASSED, result.problem
    assert printed_text(result.output_path) == f"{project.root / 'out' / '01'}\n"


def test_two_threads_run_two_notebooks_at_the_same_time(project: Project) -> None:
    """Each waits until the other has written its file, and writes into a directory of its own."""
    cell = (
        "import time, pathlib\npathlib.Path('mine').touch()\n"
        "other = pathlib.Path('..', '{other}', 'mine')\n"
        "for _ in range(1200):\n    if other.exists(): break\n    time.sleep(0.05)\n"
        "assert other.exists()"
    )
    paths = [
        project.add_notebook("01_one", cell.format(other="02")),
        project.add_notebook("02_two", cell.format(other="01")),
    ]
    results: list[NotebookResult] = []
    threads = [
        threading.Thread(
            target=lambda path=path: results.append(run_notebook(Notebook(path), {}, project.root / "out"))
        )
        for path in paths
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.outcome for result in results] == [Outcome.PASSED] * 2, table(results)


def test_runs_that_begin_together_get_different_directories(tmp_path: Path) -> None:
    directories: list[Path] = []
    threads = [
        threading.Thread(target=lambda: directories.append(new_run_directory(tmp_path / "runs")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(directories)) == 8
    assert all(directory.is_dir() for directory in directories)
