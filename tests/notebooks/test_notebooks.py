"""Every notebook has the form that a reader can rely on, and was committed executed.

What the cells print is compared by nbval, not here: see the target `test` in the Makefile.
"""

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NUMBERED = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
ALL = [*NUMBERED, NOTEBOOKS / "index.ipynb"]

HEADINGS = [
    "Architecture",
    "Parameters",
    "Set up",
    "Send events",
    "See it work",
    "See it fail",
    "Measure",
    "Plot",
    "What it costs",
    "Your turn",
    "Clean up",
]
MOST_CODE_CELLS = 60
MOST_CODE_LINES = 400
FEWEST_COMPARED = 0.5
NOT_COMPARED = "nbval-ignore-output"
# Paths of a home directory, a temporary directory or the project, in text or in a link.
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|Users|tmp|private|work|srv|mnt|var/folders)/\S*")

every_notebook = pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
every_numbered_notebook = pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def tags(cell: Any) -> list[str]:
    found: list[str] = cell.metadata.get("tags", [])
    return found


def section(path: Path, heading: str) -> list[Any]:
    """The cells from a heading of the second level up to the next."""
    cells: list[Any] = []
    inside = False
    for cell in read(path).cells:
        titles = re.findall(r"^## (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []
        if titles:
            inside = heading in titles
        if inside:
            cells.append(cell)
    return cells


def output_texts(cell: Any) -> list[str]:
    """All text of a cell's outputs, pictures left out."""
    texts = []
    for output in cell.outputs:
        texts += [output.get("text", ""), *output.get("traceback", [])]
        texts += [
            str(value) for kind, value in output.get("data", {}).items() if not kind.startswith("image/")
        ]
    return [text for text in texts if text]


def test_there_is_a_notebook_and_an_index() -> None:
    assert NUMBERED
    assert (NOTEBOOKS / "index.ipynb").exists()


@every_notebook
def test_is_a_valid_notebook_for_the_project_kernel(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))


@every_numbered_notebook
def test_sections_stand_in_the_order_of_the_house(path: Path) -> None:
    markdown = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    assert re.findall(r"^## (.+)$", markdown, re.MULTILINE) == HEADINGS
    assert markdown.startswith(f"# {path.name[:2]} · ")


@every_numbered_notebook
def test_introduction_links_the_post_and_states_the_facts(path: Path) -> None:
    introduction = read(path).cells[0].source
    assert "https://aws.amazon.com/blogs/compute/" in introduction
    for fact in ("Services", "Time here", "Cost on AWS", "Accounts and Regions"):
        assert fact in introduction, f"the table of facts lacks {fact}"


@every_numbered_notebook
def test_architecture_is_drawn_and_told(path: Path) -> None:
    text = "\n".join(cell.source for cell in section(path, "Architecture"))
    assert "```mermaid" in text
    assert re.search(r"^1\. ", text, re.MULTILINE), "the path of an event is a numbered list"


@every_numbered_notebook
def test_parameters_are_plain_assignments_with_comments(path: Path) -> None:
    tagged = [cell for cell in code_cells(path) if "parameters" in tags(cell)]
    assert len(tagged) == 1
    assert tagged[0].id in [cell.id for cell in section(path, "Parameters")]
    for statement in ast.parse(tagged[0].source).body:
        assert isinstance(statement, ast.Assign)
        ast.literal_eval(statement.value)
    assert all("#" in line for line in tagged[0].source.splitlines() if line.strip())
    names = {statement.targets[0].id for statement in ast.parse(tagged[0].source).body}  # type: ignore[attr-defined]
    assert "target" in names


@every_numbered_notebook
def test_no_region_or_account_outside_the_parameters(path: Path) -> None:
    for cell in code_cells(path):
        if "parameters" not in tags(cell):
            assert not re.search(r"\b(us|eu|ap|sa|ca|me|af)-[a-z]+-\d\b", cell.source), cell.source
            assert not re.search(r"\b\d{12}\b", cell.source), cell.source


@every_numbered_notebook
def test_three_exercises_each_with_a_check(path: Path) -> None:
    cells = section(path, "Your turn")
    titles = re.findall(r"^### ", "\n".join(cell.source for cell in cells), re.MULTILINE)
    assert len(titles) == 3
    asserting = [cell for cell in cells if cell.cell_type == "code" and "assert " in cell.source]
    assert len(asserting) >= 3


@every_numbered_notebook
def test_ends_by_cleaning_up(path: Path) -> None:
    assert any("ws.cleanup()" in cell.source for cell in section(path, "Clean up"))


@every_notebook
def test_was_executed_in_order_without_a_traceback(path: Path) -> None:
    cells = [cell for cell in code_cells(path) if cell.source.strip()]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(output.output_type != "error" for cell in cells for output in cell.outputs)
    assert not any(output.get("name") == "stderr" for cell in cells for output in cell.outputs)


@every_notebook
def test_at_least_half_of_the_outputs_are_compared(path: Path) -> None:
    with_output = [cell for cell in code_cells(path) if cell.outputs]
    compared = [cell for cell in with_output if NOT_COMPARED not in tags(cell)]
    assert len(compared) >= FEWEST_COMPARED * len(with_output)


@every_notebook
def test_every_measurement_has_an_assertion_beside_it(path: Path) -> None:
    cells = code_cells(path)
    for number, cell in enumerate(cells):
        if NOT_COMPARED in tags(cell):
            nearby = cells[number : number + 3]
            assert any("assert " in neighbour.source for neighbour in nearby), cell.source


@every_notebook
def test_names_no_path_of_a_machine(path: Path) -> None:
    for cell in read(path).cells:
        texts = [cell.source, *(output_texts(cell) if cell.cell_type == "code" else [])]
        for text in texts:
            assert not ABSOLUTE_PATH.search(text), ABSOLUTE_PATH.search(text)


@every_notebook
def test_can_be_read_in_half_an_hour(path: Path) -> None:
    cells = code_cells(path)
    assert len(cells) <= MOST_CODE_CELLS
    assert sum(len(cell.source.splitlines()) for cell in cells) <= MOST_CODE_LINES


@every_notebook
def test_asks_for_no_input(path: Path) -> None:
    for cell in code_cells(path):
        assert not re.search(r"\b(input|getpass)\s*\(", cell.source)
