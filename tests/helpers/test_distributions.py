"""Installed distributions become packages that a function can import, and that are the same everywhere."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers import functions, permissions
from helpers.distributions import NotPackaged, package_distributions
from helpers.invocations import invoke
from helpers.workshop import Workshop

USES_POWERTOOLS = """
import aws_lambda_powertools
import jmespath
from aws_lambda_powertools.utilities.jmespath_utils import query


def handler(event, context):
    first = query(event, "powertools_json(body).items[0]")
    return first, [module.__file__.split("/")[1] for module in (aws_lambda_powertools, jmespath)]
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """`install("shop", requires=[...], files={...})`: a distribution that this Python then finds."""
    monkeypatch.syspath_prepend(tmp_path)

    def install_one(
        name: str, files: dict[str, str] | None = None, requires: tuple[str, ...] = (), version: str = "1.0"
    ) -> None:
        metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
        information = f"{name}-{version}.dist-info"
        written = {f"{name}.py": "", **(files or {})} if files != {} else {}
        written |= {f"{information}/METADATA": "\n".join(metadata), f"{information}/INSTALLER": str(tmp_path)}
        for path, text in written.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        record = [f"{path},," for path in [*written, f"{information}/RECORD", f"../../bin/{name}"]]
        (tmp_path / information / "RECORD").write_text("\n".join(record))

    return install_one


def names(archive: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def test_a_function_imports_a_distribution_from_a_layer(workshop: Workshop) -> None:
    """Lambda developer guide, "Working with layers for Python Lambda functions"."""
    client = workshop.client("lambda")
    content = {"ZipFile": package_distributions("aws-lambda-powertools", prefix="python/")}
    layer = client.publish_layer_version(LayerName=workshop.name("powertools"), Content=content)
    client.create_function(
        FunctionName=workshop.name("first"),
        Runtime="python3.12",
        Handler="index.handler",
        Role=permissions.create_role(workshop.client("iam"), workshop.name("role"), "lambda.amazonaws.com"),
        Code={"ZipFile": functions.package(texts={"index.py": USES_POWERTOOLS})},
        Layers=[layer["LayerVersionArn"]],
        Timeout=30,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=workshop.name("first"))
    answer = invoke(client, workshop.name("first"), {"body": '{"items": ["tea"]}'})
    assert answer.payload == ["tea", ["opt", "var"]]


def test_what_is_required_comes_along_and_what_the_runtime_has_does_not(install: Install) -> None:
    """Lambda developer guide, "Working with .zip file archives for Python Lambda functions": the AWS SDK."""
    install("shop", requires=("shelf >= 1", "jmespath", "boto3"))
    install(
        "shelf", requires=("shop", "plank[oak]"), files={"shelf/__init__.py": "", "shelf/size.json": "{}"}
    )
    install("plank", requires=("resin; extra == 'oak'", "glue; extra == 'pine'"))
    install("resin", requires=("drying; sys_platform == 'win32'",))
    found = {name for name in names(package_distributions("shop")) if "dist-info" not in name}
    assert found == {"shop.py", "shelf.py", "shelf/__init__.py", "shelf/size.json", "plank.py", "resin.py"}


def test_an_sdk_that_is_named_comes_whole() -> None:
    found = {name.partition("/")[0] for name in names(package_distributions("s3transfer"))}
    assert {"s3transfer", "botocore", "jmespath", "dateutil", "urllib3"} <= found


def test_neither_caches_nor_scripts_nor_what_an_installer_writes(install: Install) -> None:
    install("shop", files={"shop/__pycache__/till.cpython-311.pyc": "", "shop/till.py": ""})
    expected = ["python/shop-1.0.dist-info/METADATA", "python/shop.py", "python/shop/till.py"]
    assert names(package_distributions("shop", prefix="python/")) == expected


def test_the_same_versions_give_the_same_bytes(install: Install) -> None:
    install("shop", requires=("shelf",))
    install("shelf")
    assert package_distributions("shop", "shelf") == package_distributions("shelf", "shop")


def test_what_cannot_be_packaged_is_named_with_what_to_do(install: Install) -> None:
    install("shop", requires=("no-such-distribution",))
    install("compiled", files={"compiled/_till.cpython-311-x86_64-linux-gnu.so": ""})
    install("edited", files={})
    install("older", requires=("shelf >= 2",))
    install("shelf")
    for requirement, message in {
        "shop": "no-such-distribution is not installed: add it to pyproject.toml",
        "compiled": r"compiled has modules compiled for this machine, such as _till.*pip install --platform",
        "edited": r"edited has no modules .* functions.package",
        "older": r"shelf 1.0 is installed, and shelf ?>=2 is required",
        "shop ==": "'shop ==' names no distribution",
    }.items():
        with pytest.raises(NotPackaged, match=message):
            package_distributions(requirement)
    with pytest.raises(NotPackaged, match="Nothing to package"):
        package_distributions()
