"""Where Java functions find their classes, and the times of the files in a deployment package."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from deployed import DeployedFunction, zipped
from java_functions import compiled

# Classes and other files are found in the same way.
SOURCE = """
    public class Handler {
        public String handle() throws java.io.IOException {
            return new String(Handler.class.getResourceAsStream("word.txt").readAllBytes());
        }
    }
"""
# 2026-01-01 00:00 UTC, the time of every entry that `zipped` makes.
ENTRY_TIME_S = 1_767_225_600


@pytest.fixture
def deploy_handler(deploy: Any) -> Callable[..., DeployedFunction]:
    """A function with these files whose handler is `Handler::handle`."""

    def create(files: dict[str, bytes], **parameters: Any) -> DeployedFunction:
        function: DeployedFunction = deploy(
            Runtime="java17", Handler="Handler::handle", Code={"ZipFile": zipped(files)}, **parameters
        )
        return function

    return create


@pytest.fixture(scope="module")
def handler(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The compiled handler, which says what the first file word.txt of its class path says."""
    return compiled({"Handler": SOURCE}, tmp_path_factory.mktemp("java") / "handler")


def says(word: str) -> dict[str, bytes]:
    return {"word.txt": word.encode()}


def test_classes_then_jars_of_the_package_then_jars_of_layers(
    deploy_handler: Any, handler: dict[str, bytes], make_client: Any
) -> None:
    """Lambda developer guide, "Deploy Java Lambda functions with .zip or JAR file archives" and layers."""
    layer = zipped({"java/lib/word.jar": zipped(says("layer"))})
    published = make_client("lambda").publish_layer_version(LayerName="word", Content={"ZipFile": layer})
    layers = [published["LayerVersionArn"]]
    jars = {"lib/a.jar": zipped(says("first")), "lib/b.jar": zipped(says("second"))}
    assert deploy_handler(handler, Layers=layers).invoke().payload == "layer"
    assert deploy_handler({**handler, **jars}, Layers=layers).invoke().payload == "first"
    assert deploy_handler({**handler, **jars, **says("classes")}).invoke().payload == "classes"
    # A jar at the top is a file like any other.
    answer = deploy_handler({**handler, "word.jar": jars["lib/a.jar"]}).invoke()
    assert answer.payload["errorType"] == "java.lang.NullPointerException"


def test_a_handler_in_a_jar_of_the_package(deploy_handler: Any, handler: dict[str, bytes]) -> None:
    """Lambda developer guide, "Deploy Java Lambda functions with .zip or JAR file archives"."""
    assert (
        deploy_handler({"lib/all.jar": zipped({**handler, **says("in a jar")})}).invoke().payload
        == "in a jar"
    )


def test_a_jar_is_a_deployment_package(deploy_handler: Any, handler: dict[str, bytes]) -> None:
    """Lambda developer guide, "Deploy Java Lambda functions with .zip or JAR file archives": JAR files."""
    manifest = {"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n\r\n"}
    assert deploy_handler({**manifest, **handler, **says("jar")}).invoke().payload == "jar"


def test_a_serializer_of_the_functions_own_is_refused(deploy_handler: Any, handler: dict[str, bytes]) -> None:
    """AWS's runtime would use it (aws-lambda-java-core, CustomPojoSerializer); none is passed over here."""
    service = "META-INF/services/com.amazonaws.services.lambda.runtime.CustomPojoSerializer"
    answer = deploy_handler({**handler, service: b"Handler"}).invoke()
    assert answer.payload["errorMessage"].startswith("The local AWS cannot do this: ")


@pytest.mark.usefixtures("view_of_lambda")
def test_files_of_a_package_keep_their_modification_times(deploy: Any) -> None:
    """What class data sharing needs, whose archives name the times of their jars (java(1), -Xshare)."""
    source = """
import os

def handler(event, context):
    names = ("index.py", "lib", "lib/some.jar", "link")
    return [os.stat(f"/var/task/{name}", follow_symlinks=False).st_mtime for name in names]
"""
    buffer = io.BytesIO(zipped({"index.py": source}))
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, time in (("lib/", (2001, 2, 3, 4, 5, 6)), ("lib/some.jar", (1980, 1, 1, 0, 0, 0))):
            archive.writestr(zipfile.ZipInfo(name, time), "")
        link = zipfile.ZipInfo("link", (2020, 5, 17, 0, 0, 2))
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "index.py")
    times_s = deploy(Code={"ZipFile": buffer.getvalue()}).invoke().payload
    assert times_s == [ENTRY_TIME_S, 981_173_106, 315_532_800, 1_589_673_602]
