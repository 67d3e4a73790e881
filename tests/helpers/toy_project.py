"""A project of small notebooks in a temporary directory, and the real command `workshop` run on it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

HELPERS = Path(__file__).parent.parent.parent / "helpers"
COMMAND = [sys.executable, "-c", "from helpers.cli import main; main()"]
INTRODUCTION = """# {number} · Notebook {number} of a test

| Services | Time here | Cost on AWS |
|---|---|---|
| AWS Lambda, Amazon SQS | 3 s | $0.02 |
"""
PARAMETERS = 'target = "local"\nsamples = 3  # how many\naccount = "111122223333"\nsizes = [128, 256]'


@dataclass(frozen=True)
class Project:
    """A directory laid out like the project's own, with a home directory of its own beside it."""

    root: Path
    home: Path

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Nothing of the environment or home of whoever runs the tests, except the search path."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            **(extra or {}),
        }

    def workshop(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `workshop <arguments>` to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.root,
            env=self.environment(environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start `workshop <arguments>` in a process group of its own, as a shell does."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.root,
            env=self.environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def add_notebook(self, name: str, *cells: str, parameters: str = PARAMETERS) -> Path:
        """Write `notebooks/<name>.ipynb`, named like 01_sums, with an introduction and parameters."""
        parameters_cell = new_code_cell(parameters)
        parameters_cell.metadata["tags"] = ["parameters"]
        notebook = new_notebook(
            cells=[
                new_markdown_cell(INTRODUCTION.format(number=name[:2])),
                parameters_cell,
                *(new_code_cell(cell) for cell in cells),
            ],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        path = self.root / "notebooks" / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    def run_directory(self) -> Path:
        """The one directory of build/runs."""
        (directory,) = (self.root / "build" / "runs").iterdir()
        return directory


def new_project(directory: Path) -> Project:
    """An empty project in `directory` on the real helpers."""
    root, home = directory / "project", directory / "home"
    (root / "notebooks").mkdir(parents=True)
    home.mkdir()
    (root / "helpers").symlink_to(HELPERS)
    return Project(root, home)


def printed_text(path: Path) -> str:
    """Everything that the code cells of an executed notebook printed to standard output."""
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.text for output in outputs if output.get("name") == "stdout")
