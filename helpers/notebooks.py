"""The numbered notebooks: which there are, what each says about itself, and its parameters."""

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).parent.parent
NOTEBOOKS_DIRECTORY = PROJECT_ROOT / "notebooks"


class UsageError(ValueError):
    """The reader asked for something that does not exist; the message says what does."""


@dataclass(frozen=True)
class Notebook:
    """One numbered notebook, such as `01_lambda_costs_right_sizing.ipynb`."""

    path: Path

    @property
    def number(self) -> str:
        """The two digits that its name begins with."""
        return self.path.name[:2]

    @property
    def title(self) -> str:
        """The heading `# NN · Title` without the number; empty when there is none."""
        match = re.search(r"^# \d\d\s*·\s*(.+)$", self._introduction(), re.MULTILINE)
        return match[1].strip() if match else ""

    def facts(self) -> dict[str, str]:
        """The table under the title, such as `{"Services": "AWS Lambda", "Time here": "30 s", ...}`.

        The table may have one row a fact or one column a fact. Empty when there is no table.
        """
        lines = [line.strip() for line in self._introduction().splitlines() if line.strip().startswith("|")]
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        rows = [row for row in rows if not all(set(cell) <= set("-:") for cell in row)]
        if len(rows) == 2 and len(rows[0]) > 2:
            return dict(zip(rows[0], rows[1], strict=False))
        return {row[0]: row[1] for row in rows if len(row) == 2}

    def parameters(self) -> dict[str, Any]:
        """The assignments in the cell tagged `parameters`: each name with its default value.

        Raises UsageError when the cell holds anything but assignments of literal values.
        """
        defaults: dict[str, Any] = {}
        for cell in self._cells():
            if "parameters" not in cell["metadata"].get("tags", []):
                continue
            for statement in ast.parse("".join(cell["source"])).body:
                try:
                    name, value = _literal_assignment(statement)
                except ValueError as error:
                    raise UsageError(
                        f"{self.path.name}: its parameters cell may hold only assignments of literal "
                        f"values, not `{ast.unparse(statement)}`."
                    ) from error
                defaults[name] = value
        return defaults

    def _cells(self) -> list[dict[str, Any]]:
        # Read as plain JSON: importing nbformat takes longer than everything else that lists notebooks.
        try:
            cells: list[dict[str, Any]] = json.loads(self.path.read_text())["cells"]
        except (json.JSONDecodeError, KeyError) as error:
            raise UsageError(f"{self.path.name} is not a notebook: {error}.") from error
        return cells

    def _introduction(self) -> str:
        cells = self._cells()
        return "".join(cells[0]["source"]) if cells and cells[0]["cell_type"] == "markdown" else ""


def _literal_assignment(statement: ast.stmt) -> tuple[str, Any]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, ast.literal_eval(value)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, ast.literal_eval(value)
    raise ValueError("not an assignment to one name")


def find(directory: Path = NOTEBOOKS_DIRECTORY) -> list[Notebook]:
    """All numbered notebooks, in order of their numbers."""
    return [Notebook(path) for path in sorted(directory.glob("[0-9][0-9]_*.ipynb"))]


def select(numbers: list[str], directory: Path = NOTEBOOKS_DIRECTORY) -> list[Notebook]:
    """The notebooks with these numbers ("1" and "01" are the same), or all when none is given.

    Raises UsageError for a number that no notebook has, and when there is no notebook at all.
    """
    available = {notebook.number: notebook for notebook in find(directory)}
    if not available:
        raise UsageError(f"There is no notebook in {directory}.")
    chosen = []
    for number in numbers:
        if number.zfill(2) not in available:
            raise UsageError(f"There is no notebook {number!r}; there are {', '.join(available)}.")
        chosen.append(available[number.zfill(2)])
    return chosen or list(available.values())


def parse_parameters(assignments: list[str], notebook: Notebook) -> dict[str, Any]:
    """Turn `["seed=7", "region=eu-west-1"]` into values for the notebook's parameters.

    A value is read as a Python literal, and as a string when it is none or when the parameter's
    default is a string: an account id stays a string of digits.

    Raises UsageError for a text without "=", a parameter that the notebook does not have, and a
    string where the default is of another type.
    """
    defaults = notebook.parameters()
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name:
            raise UsageError(f"A parameter is given as name=value, not as {assignment!r}.")
        if name not in defaults:
            known = ", ".join(defaults) or "none"
            raise UsageError(
                f"Notebook {notebook.number} has no parameter {name!r}; its parameters are: {known}."
            )
        values[name] = _parse_value(name, text, defaults[name])
    return values


def _parse_value(name: str, text: str, default: Any) -> Any:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if isinstance(default, str) and not isinstance(value, str):
        return text
    if isinstance(value, str) and not isinstance(default, str | None):
        raise UsageError(
            f"{name}={text}: expected a value of type {type(default).__name__}, such as {default!r}."
        )
    return value
