"""Packages are the same for the same files, and hold what was asked for."""

import base64
import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from helpers import permissions
from helpers.functions import NothingToPackage, package
from helpers.workshop import Workshop


def names(archive: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def mode(archive: bytes, name: str) -> int:
    return zipfile.ZipFile(io.BytesIO(archive)).getinfo(name).external_attr >> 16 & 0o777


def test_files_directories_and_texts(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "shop" / "__pycache__").mkdir(parents=True)
    (source / "shop" / "orders.py").write_text("ORDERS = []")
    (source / "shop" / "__pycache__" / "orders.pyc").write_text("cached")
    (tmp_path / "index.py").write_text("def handler(event, context): ...")
    archive = package(source, tmp_path / "index.py", texts={"settings.json": "{}"})
    assert names(archive) == ["index.py", "settings.json", "shop/orders.py"]
    assert names(package(source, prefix="python/")) == ["python/shop/orders.py"]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for label, order in (("a", ["one.py", "two.py"]), ("b", ["two.py", "one.py"])):
        (tmp_path / label).mkdir()
        for name in order:
            (tmp_path / label / name).write_text(name)
    os.utime(tmp_path / "a" / "one.py", (0, 1_700_000_000))
    (tmp_path / "a" / "one.py").chmod(0o600)
    assert package(tmp_path / "a") == package(tmp_path / "b")


def test_lambda_sees_the_digest_of_what_was_packaged(workshop: Workshop) -> None:
    archive = package(texts={"index.py": "def handler(event, context):\n    return event\n"})
    role = permissions.create_role(workshop.client("iam"), workshop.name("role"), "lambda.amazonaws.com")
    function = workshop.client("lambda").create_function(
        FunctionName=workshop.name("work"),
        Runtime="python3.12",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": archive},
    )
    assert function["CodeSha256"] == base64.b64encode(hashlib.sha256(archive).digest()).decode()


def test_what_may_be_executed_stays_so(tmp_path: Path) -> None:
    for name in ("bootstrap", "tool", "data"):
        (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / "tool").chmod(0o755)
    archive = package(tmp_path)
    assert [mode(archive, name) for name in ("bootstrap", "tool", "data")] == [0o755, 0o755, 0o644]


def test_what_is_missing_or_there_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(NothingToPackage, match=r"index.py does not exist"):
        package(tmp_path / "index.py")
    with pytest.raises(NothingToPackage, match="no file to package"):
        package(tmp_path)
    (tmp_path / "index.py").write_text("")
    with pytest.raises(NothingToPackage, match=r"Two files would be index.py"):
        package(tmp_path / "index.py", texts={"index.py": ""})
