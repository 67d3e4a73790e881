"""Node.js packages at pinned versions, from npm's cache, and bundles made of them."""

import json
import re
from pathlib import Path

import pytest

from helpers import node_packages
from helpers.node_packages import NodeToolFailed, esbuild, install, install_pinned, npm

installed = pytest.mark.skipif(
    not node_packages.are_installed(), reason="npm's registry could not be reached by tools/set_up.sh"
)
# A port that is reserved and on which nothing listens.
NOBODY = "http://127.0.0.1:9/"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """npm knows its registry, as its cache does, and cannot reach it."""
    for setting in ("proxy", "https_proxy"):
        monkeypatch.setenv(f"npm_config_{setting}", NOBODY)
    monkeypatch.setenv("npm_config_noproxy", "")
    monkeypatch.setenv("npm_config_fetch_retries", "0")


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None) -> None:
    monkeypatch.setattr(node_packages, "CACHE", tmp_path / "cache")


def lock() -> dict[str, dict[str, object]]:
    packages: dict[str, dict[str, object]] = json.loads(
        (node_packages.PINNED / "package-lock.json").read_text()
    )["packages"]
    return packages


def write_package(directory: Path, **dependencies: str) -> None:
    names = {f"@aws-sdk/{name.replace('_', '-')}": version for name, version in dependencies.items()}
    (directory / "package.json").write_text(json.dumps({"type": "module", "dependencies": names}))


def test_the_lock_pins_by_hash_and_names_no_registry() -> None:
    pinned = {name: details for name, details in lock().items() if name}
    assert len(pinned) > 40
    assert [
        name for name, details in pinned.items() if not str(details["integrity"]).startswith("sha512-")
    ] == []
    assert [name for name, details in pinned.items() if "resolved" in details] == []


def test_the_lock_holds_what_package_json_asks_for() -> None:
    asked_for = json.loads((node_packages.PINNED / "package.json").read_text())
    for kind in ("dependencies", "devDependencies"):
        assert lock()[""][kind] == asked_for[kind], "run npm install --package-lock-only in data/nodejs"


@installed
@pytest.mark.usefixtures("no_network")
def test_installs_at_the_pinned_version_without_a_network(tmp_path: Path) -> None:
    write_package(tmp_path, client_ssm="^3")
    pinned = lock()["node_modules/@aws-sdk/client-ssm"]["version"]
    assert install(tmp_path) == {"@aws-sdk/client-ssm": pinned}
    assert not (tmp_path / "node_modules" / "@aws-sdk" / "client-s3").exists()
    assert (tmp_path / "node_modules" / "tslib" / "package.json").is_file()


@pytest.mark.usefixtures("empty_cache")
def test_what_npm_cannot_fetch_is_an_error_with_advice(tmp_path: Path) -> None:
    write_package(tmp_path, client_ssm="^3")
    with pytest.raises(
        NodeToolFailed, match=r"npm install ended with 1: code ECONNREFUSED.*registry reachable"
    ):
        npm("install", directory=tmp_path)


@pytest.mark.usefixtures("empty_cache")
def test_the_set_up_goes_on_without_a_registry_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(node_packages, "INSTALLED", tmp_path / "node-packages")
    assert node_packages.main() == 1
    assert re.search(
        r"(?s)are not installed\..*ECONNREFUSED.*-m helpers.node_packages", capsys.readouterr().err
    )
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
    with pytest.raises(NodeToolFailed, match="esbuild is not installed"):
        esbuild("--version")


@installed
@pytest.mark.usefixtures("no_network")
def test_installs_what_is_pinned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_packages, "INSTALLED", tmp_path / "node-packages")
    (tmp_path / "node-packages").mkdir()
    (tmp_path / "node-packages" / "package-lock.json").write_text("an older lock")
    install_pinned()
    client = tmp_path / "node-packages" / "node_modules" / "@aws-sdk" / "client-ssm" / "package.json"
    first = client.stat().st_ino
    install_pinned()
    assert client.stat().st_ino == first
    assert [path.name for path in tmp_path.iterdir()] == ["node-packages"]


@installed
def test_bundles_typescript_and_its_imports_into_one_file(tmp_path: Path) -> None:
    (tmp_path / "greeting.ts").write_text("export const greet = (name: string): string => `hello ${name}`;")
    source = "import { greet } from './greeting'; export const handler = async () => greet('bundle');"
    (tmp_path / "index.ts").write_text(source)
    arguments = ("--bundle", "--platform=node", "--format=esm", "--outfile=index.mjs")
    assert "index.mjs" in esbuild("index.ts", *arguments, directory=tmp_path)
    bundle = (tmp_path / "index.mjs").read_text()
    assert "hello ${name}" in bundle and "string" not in bundle


@installed
def test_an_error_of_esbuild_says_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "index.ts").write_text("const = 1;")
    with pytest.raises(NodeToolFailed, match=r"esbuild index.ts ended with 1: .*Expected identifier"):
        esbuild("index.ts", directory=tmp_path)
