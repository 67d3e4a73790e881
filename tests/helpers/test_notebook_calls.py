"""Every creating call in a notebook has a row in the table, and no notebook goes past the ledger.

Found without running the notebooks: method names in their code, looked up in botocore's models of
the services whose clients the notebook makes.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import nbformat
import pytest
from botocore import xform_name
from IPython.core.inputtransformer2 import TransformerManager

from helpers import inverses

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
BOTO3_CLIENTS = {f"boto3.{name}" for name in ("client", "resource", "session", "Session")}
BOTOCORE = botocore.session.Session()


def python_cells(notebook: nbformat.NotebookNode) -> Iterator[tuple[bool, ast.Module]]:
    """The code of each cell, and whether it is that of a function, written to a file."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        first, _, rest = cell.source.partition("\n")
        if first.startswith("%%writefile"):
            if first.rstrip().endswith(".py"):
                yield True, ast.parse(rest)
        elif not first.startswith("%%"):
            yield False, ast.parse(TransformerManager().transform_cell(cell.source))


def client_services(tree: ast.AST) -> set[str]:
    """The services of all calls of the form `x.client("service", ...)`."""
    return {
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "client"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def called_methods(tree: ast.AST) -> set[str]:
    return {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


def calls_without_row(notebook: nbformat.NotebookNode) -> set[str]:
    """Operations that the notebook may call, may create something, and the table does not know."""
    trees = [tree for _, tree in python_cells(notebook)]
    services = set().union(*map(client_services, trees))
    methods = set().union(*map(called_methods, trees))
    unknown = set()
    for service in services:
        for operation in BOTOCORE.get_service_model(service).operation_names:
            is_known = inverses.table(service).find(operation) or not inverses.needs_row(operation)
            if xform_name(operation) in methods and not is_known:
                unknown.add(f"{service}.{operation}")
    return unknown


def unrecorded_clients(notebook: nbformat.NotebookNode) -> list[str]:
    """Uses of boto3 in the notebook itself, whose calls the ledger would not see."""
    return [
        ast.unparse(node)
        for is_function, tree in python_cells(notebook)
        if not is_function
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in BOTO3_CLIENTS
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_creating_call_of_a_notebook_can_be_undone(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert not calls_without_row(notebook), "add these to helpers/inverses"
    assert not unrecorded_clients(notebook), "use ws.client(...)"


def notebook_of(*cells: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])


def test_the_search_finds_what_it_is_for() -> None:
    notebook = notebook_of(
        'sqs, ecr = ws.client("sqs"), ws.client("ecr", region="eu-west-1")',
        "%matplotlib inline\nsqs.create_queue(QueueName=ws.name('orders'))",
        "ecr.create_repository(\n    repositoryName=ws.name('images'),\n)",
        "%%writefile {ws.directory}/index.py\n"
        "import boto3\nboto3.client('iam').create_open_id_connect_provider(Url='')",
        "%%writefile {ws.directory}/index.mjs\nexport const handler = async () => ({});",
        "%%bash\necho nothing",
        "import boto3\nboto3.client('sqs').list_queues()",
    )
    assert calls_without_row(notebook) == {"ecr.CreateRepository", "iam.CreateOpenIDConnectProvider"}
    assert unrecorded_clients(notebook) == ["boto3.client"]
    assert not calls_without_row(notebook_of('ws.client("sqs").send_message(QueueUrl=url, MessageBody="")'))
